"""AXI4 manager of the serial engine, which transfers single beats."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..bus.axi4 import BURST_INCR, CACHE_BUFFERABLE, Axi4
from .microinstruction import Operation
from .ports import OperationPort

__all__ = ["BeatUnit"]


class BeatUnit(wiring.Component):
    """AXI4 manager that reads or writes one beat per operation.

    The outputs of the address and write channels come from registers. The microprogram keeps at
    most one beat in flight.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`

    Members
    -------
    port : :py:`In(OperationPort())`
        Operations from the core.
    m_axi : :py:`Out(Axi4(addr_width, 32))`
        Host memory.
    i_data : :py:`In(32)`, ``i_strobes`` : :py:`In(4)`
        Data and byte strobes of WRITE; they must be stable until the write response.
    o_beat : :py:`Out(32)`
        Read data; valid during ACCEPT_BEAT.
    o_response : :py:`Out(2)`
        Response code of the last read or write.
    o_read_valid, o_write_valid : :py:`Out(1)`
        Read data or a write response is available.
    """

    def __init__(self, config):
        self.config = config
        super().__init__({
            "port": In(OperationPort()),
            "m_axi": Out(Axi4(addr_width=config.addr_width, data_width=32)),
            "i_data": In(32), "i_strobes": In(4),
            "o_beat": Out(32), "o_response": Out(2),
            "o_read_valid": Out(1), "o_write_valid": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        port, axi = self.port, self.m_axi
        op, go = port.op, port.go

        address = Signal(self.config.addr_width - 2)
        with m.If(go & (op == Operation.SET_ADDRESS)):
            m.d.sync += address.eq(port.a[2:])
        for channel in ("ar", "aw"):
            m.d.comb += [
                getattr(axi, channel + "addr")[2:].eq(address),
                getattr(axi, channel + "size").eq(2),
                getattr(axi, channel + "burst").eq(BURST_INCR),
                getattr(axi, channel + "cache").eq(CACHE_BUFFERABLE),
            ]
        m.d.comb += [
            axi.wdata.eq(self.i_data),
            axi.wstrb.eq(self.i_strobes),
            axi.wlast.eq(1),
        ]
        for valid, ready, operation in (
            (axi.arvalid, axi.arready, Operation.READ),
            (axi.awvalid, axi.awready, Operation.WRITE),
            (axi.wvalid, axi.wready, Operation.WRITE),
        ):
            with m.If(go & (op == operation)):
                m.d.sync += valid.eq(1)
            with m.Elif(ready):
                m.d.sync += valid.eq(0)

        m.d.comb += [
            self.o_read_valid.eq(axi.rvalid),
            self.o_write_valid.eq(axi.bvalid),
            self.o_beat.eq(axi.rdata),
            axi.rready.eq(go & (op == Operation.ACCEPT_BEAT)),
            axi.bready.eq(go & (op == Operation.ACCEPT_RESPONSE)),
        ]
        with m.If(axi.rready):
            m.d.sync += self.o_response.eq(axi.rresp)
        with m.If(axi.bready):
            m.d.sync += self.o_response.eq(axi.bresp)
        return m
