"""Two managers on the read half of one AXI4 port."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, fifo, wiring
from amaranth.lib.wiring import In, Out

from .axi4 import BURST_INCR, CACHE_BUFFERABLE, Axi4Read
from .register_slice import RegisterSlice

__all__ = ["ReadArbiter"]


class ReadArbiter(wiring.Component):
    """Shares the read half of ``m_axi`` between instruction fetch and LOAD.

    Addresses and data each take one cycle through it, one a cycle; all of ``axi``'s outputs
    come from registers, and no wire leads from ``axi`` to a manager. Fetch goes first when both
    ask: it is rare and short. All bursts have ID 0, so data comes in the order of the addresses.

    Parameters
    ----------
    config : :class:`Config`
        Bus widths and ``outstanding``.

    Members
    -------
    fetch, load : :py:`In(Axi4Read(...))`
        The managers. ``arid``, ``arsize``, ``arburst``, ``arlock``, ``arcache``, ``arprot`` and
        ``arqos`` are ignored: all bursts are of whole beats at incrementing addresses.
    axi : :py:`Out(Axi4Read(...))`
        The port.
    o_beat : :py:`Out(1)`
        A beat was accepted from ``axi`` in the cycle before.
    """

    LATENCY = 1         # in each direction, in cycles

    def __init__(self, config):
        self.config = config
        port = Axi4Read(addr_width=config.addr_width, data_width=config.bus_width)
        super().__init__({
            "fetch": In(port),
            "load": In(port),
            "axi": Out(port),
            "o_beat": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        axi, fetch, load = self.axi, self.fetch, self.load

        # who asked, for each burst whose data is still to come: LOAD has at most
        # ``outstanding`` of them, fetch gets as many
        m.submodules.order = order = fifo.SyncFIFOBuffered(
            width=1, depth=2 * self.config.outstanding)
        m.submodules.address = address = RegisterSlice(data.StructLayout({
            "addr": self.config.addr_width, "len": 8}))
        m.submodules.data = beat = RegisterSlice(data.StructLayout({
            "data": self.config.bus_width, "resp": 2, "last": 1}))

        free = Signal()
        m.d.comb += [
            free.eq(address.i.ready & order.w_rdy),
            fetch.arready.eq(free),
            load.arready.eq(free & ~fetch.arvalid),
            address.i.valid.eq(order.w_rdy & (fetch.arvalid | load.arvalid)),
            address.i.payload.addr.eq(Mux(fetch.arvalid, fetch.araddr, load.araddr)),
            address.i.payload.len.eq(Mux(fetch.arvalid, fetch.arlen, load.arlen)),
            order.w_en.eq(free & (fetch.arvalid | load.arvalid)),
            order.w_data.eq(fetch.arvalid),

            axi.arvalid.eq(address.o.valid),
            address.o.ready.eq(axi.arready),
            axi.araddr.eq(address.o.payload.addr),
            axi.arlen.eq(address.o.payload.len),
            axi.arsize.eq(self.config.beat_offset_width),
            axi.arburst.eq(BURST_INCR),
            axi.arcache.eq(CACHE_BUFFERABLE),
        ]

        m.d.comb += [
            beat.i.valid.eq(axi.rvalid),
            beat.i.payload.data.eq(axi.rdata),
            beat.i.payload.resp.eq(axi.rresp),
            beat.i.payload.last.eq(axi.rlast),
            axi.rready.eq(beat.i.ready),
            order.r_en.eq(beat.o.valid & beat.o.ready & beat.o.payload.last),
        ]
        for manager, is_mine in ((fetch, order.r_data), (load, ~order.r_data)):
            m.d.comb += [
                manager.rvalid.eq(beat.o.valid & is_mine),
                manager.rdata.eq(beat.o.payload.data),
                manager.rresp.eq(beat.o.payload.resp),
                manager.rlast.eq(beat.o.payload.last),
            ]
        m.d.comb += beat.o.ready.eq(Mux(order.r_data, fetch.rready, load.rready))
        m.d.sync += self.o_beat.eq(axi.rvalid & axi.rready)
        return m
