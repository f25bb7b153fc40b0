"""Two managers on the write half of one AXI4 port."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, fifo, wiring
from amaranth.lib.wiring import In, Out

from .axi4 import BURST_INCR, CACHE_BUFFERABLE, Axi4Write
from .register_slice import RegisterSlice

__all__ = ["WriteArbiter"]


class WriteArbiter(wiring.Component):
    """Shares the write half of ``axi`` between two managers.

    Addresses, data and answers each take one cycle through it, one a cycle; all of ``axi``'s
    outputs come from registers, and no wire leads from ``axi`` to a manager. ``first`` goes first
    when both ask. Data follows in the order of the addresses, and none is taken before its
    address; all bursts have ID 0, so answers come in the same order.

    Parameters
    ----------
    config : :class:`Config`
        Bus widths and ``outstanding``.

    Members
    -------
    first, second : :py:`In(Axi4Write(...))`
        The managers. ``awid``, ``awsize``, ``awburst``, ``awlock``, ``awcache``, ``awprot`` and
        ``awqos`` are ignored: all bursts are of whole beats at incrementing addresses.
    axi : :py:`Out(Axi4Write(...))`
        The port.
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

        # whose data comes next, and whose answer; out of a register, on which whole beats hang
        m.submodules.data_order = data_order = fifo.SyncFIFOBuffered(width=1, depth=depth)
        m.submodules.answer_order = answer_order = fifo.SyncFIFOBuffered(width=1, depth=depth)
        m.submodules.address = address = RegisterSlice(data.StructLayout({
            "addr": self.config.addr_width, "len": 8}))
        m.submodules.word = word = RegisterSlice(data.StructLayout({
            "data": self.config.bus_width, "strb": self.config.bus_bytes, "last": 1}))
        m.submodules.answer = answer = RegisterSlice(2)

        free = Signal()
        asked = Signal()
        m.d.comb += [
            free.eq(address.i.ready & answer_order.w_rdy & data_order.w_rdy),
            asked.eq(first.awvalid | second.awvalid),
            first.awready.eq(free),
            second.awready.eq(free & ~first.awvalid),
            address.i.valid.eq(asked & answer_order.w_rdy & data_order.w_rdy),
            address.i.payload.addr.eq(Mux(first.awvalid, first.awaddr, second.awaddr)),
            address.i.payload.len.eq(Mux(first.awvalid, first.awlen, second.awlen)),

            axi.awvalid.eq(address.o.valid),
            address.o.ready.eq(axi.awready),
            axi.awaddr.eq(address.o.payload.addr),
            axi.awlen.eq(address.o.payload.len),
            axi.awsize.eq(self.config.beat_offset_width),
            axi.awburst.eq(BURST_INCR),
            axi.awcache.eq(CACHE_BUFFERABLE),
        ]
        for order in (data_order, answer_order):
            m.d.comb += [order.w_en.eq(free & asked), order.w_data.eq(first.awvalid)]

        is_first = data_order.r_data
        taken = Signal()
        m.d.comb += [
            word.i.valid.eq(data_order.r_rdy & Mux(is_first, first.wvalid, second.wvalid)),
            word.i.payload.data.eq(Mux(is_first, first.wdata, second.wdata)),
            word.i.payload.strb.eq(Mux(is_first, first.wstrb, second.wstrb)),
            word.i.payload.last.eq(Mux(is_first, first.wlast, second.wlast)),
            first.wready.eq(word.i.ready & data_order.r_rdy & is_first),
            second.wready.eq(word.i.ready & data_order.r_rdy & ~is_first),
            taken.eq(word.i.valid & word.i.ready),
            data_order.r_en.eq(taken & word.i.payload.last),

            axi.wvalid.eq(word.o.valid),
            word.o.ready.eq(axi.wready),
            axi.wdata.eq(word.o.payload.data),
            axi.wstrb.eq(word.o.payload.strb),
            axi.wlast.eq(word.o.payload.last),
        ]

        m.d.comb += [
            answer.i.valid.eq(axi.bvalid),
            answer.i.payload.eq(axi.bresp),
            axi.bready.eq(answer.i.ready),
            answer.o.ready.eq(Mux(answer_order.r_data, first.bready, second.bready)),
            answer_order.r_en.eq(answer.o.valid & answer.o.ready),
        ]
        for manager, is_mine in ((first, answer_order.r_data), (second, ~answer_order.r_data)):
            m.d.comb += [manager.bvalid.eq(answer.o.valid & is_mine),
                         manager.bresp.eq(answer.o.payload)]
        return m
