"""Arbiter between two AXI4 managers for the read half of one port."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, fifo, wiring
from amaranth.lib.wiring import In, Out

from .address_channel import AddressChannel
from .axi4 import Axi4Read
from .register_slice import RegisterSlice

__all__ = ["ReadArbiter"]


class ReadArbiter(wiring.Component):
    """Arbiter between two managers that read.

    The throughput is one address and one beat per cycle, and the latency is one cycle in each
    direction. All outputs of ``axi`` are registers, and there is no combinational path from ``axi``
    to a manager. ``first`` has priority and is meant for rare requests, such as instruction fetch:
    it can stall ``second`` for any time. All bursts have ID 0, so data arrives in the order of the
    addresses.

    Parameters
    ----------
    config : :class:`Config`
        Bus widths and ``outstanding``.

    Members
    -------
    first, second : :py:`In(Axi4Read(...))`
        The managers. ``arid``, ``arsize``, ``arburst``, ``arlock``, ``arcache``, ``arprot`` and
        ``arqos`` are ignored: all bursts consist of whole beats at incrementing addresses.
    axi : :py:`Out(Axi4Read(...))`
        Port to the memory.
    o_beat : :py:`Out(1)`
        A beat was accepted from ``axi`` in the previous cycle.
    """

    LATENCY = 1         # in each direction, in cycles

    def __init__(self, config):
        self.config = config
        port = Axi4Read(addr_width=config.addr_width, data_width=config.bus_width)
        super().__init__({
            "first": In(port),
            "second": In(port),
            "axi": Out(port),
            "o_beat": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        axi, first, second = self.axi, self.first, self.second

        # the manager of each outstanding burst; every manager has at most `outstanding` bursts
        m.submodules.order = order = fifo.SyncFIFOBuffered(
            width=1, depth=2 * self.config.outstanding)
        channel = AddressChannel(self.config, "ar", axi, first, second)
        m.submodules.address = channel.slice
        m.submodules.data = beat = RegisterSlice(data.StructLayout({
            "data": self.config.bus_width, "resp": 2, "last": 1}))

        free = Signal()
        m.d.comb += free.eq(channel.slice.i.ready & order.w_rdy)
        channel.grant(m, free, order.w_rdy & channel.requested())
        m.d.comb += [
            order.w_en.eq(free & channel.requested()),
            order.w_data.eq(first.arvalid),
        ]
        channel.drive(m)

        m.d.comb += [
            beat.i.valid.eq(axi.rvalid),
            beat.i.payload.data.eq(axi.rdata),
            beat.i.payload.resp.eq(axi.rresp),
            beat.i.payload.last.eq(axi.rlast),
            axi.rready.eq(beat.i.ready),
            order.r_en.eq(beat.o.valid & beat.o.ready & beat.o.payload.last),
        ]
        for manager, selected in ((first, order.r_data), (second, ~order.r_data)):
            m.d.comb += [
                manager.rvalid.eq(beat.o.valid & selected),
                manager.rdata.eq(beat.o.payload.data),
                manager.rresp.eq(beat.o.payload.resp),
                manager.rlast.eq(beat.o.payload.last),
            ]
        m.d.comb += beat.o.ready.eq(Mux(order.r_data, first.rready, second.rready))
        m.d.sync += self.o_beat.eq(axi.rvalid & axi.rready)
        return m
