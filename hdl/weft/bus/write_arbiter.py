"""Arbiter between two AXI4 managers for the write half of one port."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, fifo, wiring
from amaranth.lib.wiring import In, Out

from .address_channel import AddressChannel
from .axi4 import Axi4Write
from .register_slice import RegisterSlice

__all__ = ["WriteArbiter"]


class WriteArbiter(wiring.Component):
    """Arbiter between two managers that write.

    The throughput is one address, one beat and one response per cycle, and the latency is one cycle
    in each direction. All outputs of ``axi`` are registers, and there is no combinational path from
    ``axi`` to a manager. ``first`` has priority. Data follows in the order of the addresses, and no
    beat is accepted before its address; all bursts have ID 0, so responses come in the same order.

    Parameters
    ----------
    config : :class:`Config`
        Bus widths and ``outstanding``.

    Members
    -------
    first, second : :py:`In(Axi4Write(...))`
        The managers. ``awid``, ``awsize``, ``awburst``, ``awlock``, ``awcache``, ``awprot`` and
        ``awqos`` are ignored: all bursts consist of whole beats at incrementing addresses.
    axi : :py:`Out(Axi4Write(...))`
        Port to the memory.
    """

    LATENCY = 1         # in each direction, in cycles

    def __init__(self, config):
        self.config = config
        port = Axi4Write(addr_width=config.addr_width, data_width=config.bus_width)
        super().__init__({"first": In(port), "second": In(port), "axi": Out(port)})

    def elaborate(self, platform):
        m = Module()
        axi, first, second = self.axi, self.first, self.second
        depth = 2 * self.config.outstanding

        # The managers of the bursts whose data, and whose response, is outstanding. The outputs are
        # registers, because they select whole beats.
        m.submodules.data_order = data_order = fifo.SyncFIFOBuffered(width=1, depth=depth)
        m.submodules.response_order = response_order = fifo.SyncFIFOBuffered(width=1, depth=depth)
        channel = AddressChannel(self.config, "aw", axi, first, second)
        m.submodules.address = channel.slice
        m.submodules.word = word = RegisterSlice(data.StructLayout({
            "data": self.config.bus_width, "strb": self.config.bus_bytes, "last": 1}))
        m.submodules.response = response = RegisterSlice(2)

        free = Signal()
        requested = Signal()
        m.d.comb += [
            free.eq(channel.slice.i.ready & response_order.w_rdy & data_order.w_rdy),
            requested.eq(channel.requested()),
        ]
        channel.grant(m, free, requested & response_order.w_rdy & data_order.w_rdy)
        channel.drive(m)
        for order in (data_order, response_order):
            m.d.comb += [order.w_en.eq(free & requested), order.w_data.eq(first.awvalid)]

        is_first = data_order.r_data
        accepted = Signal()
        m.d.comb += [
            word.i.valid.eq(data_order.r_rdy & Mux(is_first, first.wvalid, second.wvalid)),
            word.i.payload.data.eq(Mux(is_first, first.wdata, second.wdata)),
            word.i.payload.strb.eq(Mux(is_first, first.wstrb, second.wstrb)),
            word.i.payload.last.eq(Mux(is_first, first.wlast, second.wlast)),
            first.wready.eq(word.i.ready & data_order.r_rdy & is_first),
            second.wready.eq(word.i.ready & data_order.r_rdy & ~is_first),
            accepted.eq(word.i.valid & word.i.ready),
            data_order.r_en.eq(accepted & word.i.payload.last),

            axi.wvalid.eq(word.o.valid),
            word.o.ready.eq(axi.wready),
            axi.wdata.eq(word.o.payload.data),
            axi.wstrb.eq(word.o.payload.strb),
            axi.wlast.eq(word.o.payload.last),
        ]

        m.d.comb += [
            response.i.valid.eq(axi.bvalid),
            response.i.payload.eq(axi.bresp),
            axi.bready.eq(response.i.ready),
            response.o.ready.eq(Mux(response_order.r_data, first.bready, second.bready)),
            response_order.r_en.eq(response.o.valid & response.o.ready),
        ]
        for manager, selected in ((first, response_order.r_data), (second, ~response_order.r_data)):
            m.d.comb += [manager.bvalid.eq(response.o.valid & selected),
                         manager.bresp.eq(response.o.payload)]
        return m
