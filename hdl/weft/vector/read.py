"""Multiplexer of the scratchpad read port that the parts of VECTOR share."""

from amaranth.hdl import Module, Mux
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..sram.ports import ReadPort

__all__ = ["SharedRead"]


class SharedRead(wiring.Component):
    """Multiplexer that connects one part of VECTOR at a time to the scratchpad.

    ``i_table`` and ``i_map`` may change only while no read is outstanding.

    Parameters
    ----------
    config : :class:`Config`

    Members
    -------
    i_table, i_map : :py:`In(1)` each
        Select ``table``, select ``map``. If neither is high, ``params`` is selected.
    params, table : :py:`In(ReadPort(spad_addr_width, 4))` each
        Ports of the readers of PARAMS and TABLE.
    map : :py:`In(ReadPort(spad_addr_width, vector_lanes))`
        Port of the reader of MAP and SOFTMAX.
    i_fixed, fixed : :py:`In(1)`, :py:`In(ReadPort(spad_addr_width, max(vector_lanes, 4)))`
        Only with ``config.fixed_point``: select the port of the fixed-point instructions.
    spad : :py:`Out(ReadPort(spad_addr_width, max(vector_lanes, 4)))`
        Port of the scratchpad.
    """

    def __init__(self, config):
        self.config = config
        addr_width = config.spad_addr_width
        super().__init__({
            "i_table": In(1),
            "i_map": In(1),
            "params": In(ReadPort(addr_width, 4)),
            "table": In(ReadPort(addr_width, 4)),
            "map": In(ReadPort(addr_width, config.vector_lanes)),
            "spad": Out(ReadPort(addr_width, config.vector_port_bytes)),
            **({
                "i_fixed": In(1),
                "fixed": In(ReadPort(addr_width, config.vector_port_bytes)),
            } if config.fixed_point else {}),
        })

    def elaborate(self, platform):
        m = Module()
        req = self.spad.req
        m.d.comb += [
            req.valid.eq(self.params.req.valid | self.table.req.valid | self.map.req.valid),
            req.payload.eq(Mux(self.i_map, self.map.req.payload,
                               Mux(self.i_table, self.table.req.payload,
                                   self.params.req.payload))),
            self.params.valid.eq(self.spad.valid & ~self.i_map & ~self.i_table),
            self.table.valid.eq(self.spad.valid & self.i_table),
            self.map.valid.eq(self.spad.valid & self.i_map),
        ]
        for part in (self.params, self.table, self.map):
            m.d.comb += [part.req.ready.eq(req.ready), part.granted.eq(self.spad.granted),
                         part.conflict.eq(self.spad.conflict)]
            m.d.comb += [byte.eq(source) for byte, source in zip(part.data, self.spad.data)]
        if self.config.fixed_point:
            fixed = self.fixed
            with m.If(self.i_fixed):
                m.d.comb += [req.valid.eq(fixed.req.valid), req.payload.eq(fixed.req.payload),
                             self.params.valid.eq(0)]
            m.d.comb += [
                fixed.req.ready.eq(req.ready), fixed.granted.eq(self.spad.granted),
                fixed.conflict.eq(self.spad.conflict), fixed.data.eq(self.spad.data),
                fixed.valid.eq(self.spad.valid & self.i_fixed),
            ]
        return m
