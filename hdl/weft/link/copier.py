"""Moves the bytes of a request between the buffer and a bus."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from ..bus.axi4 import BURST_INCR, CACHE_BUFFERABLE, Axi4, Axi4Lite
from ..spec.link_frames import Status

__all__ = ["Copier"]

_TICKS = 8              # that a bus has to answer


class Copier(wiring.Component):
    """Copies up to ``payload`` bytes from or to memory, or from or to registers.

    Memory is reached at any byte address, one beat at a time with strobes, so that no burst can
    cross a 4 KiB line; a serial line is slower by far. The copy ends with the first beat that
    was answered with an error. All outputs to the buses come from registers.

    A bus that has not answered for 7 to 8 ticks ends the copy with ``TIMEOUT``. What it was asked
    stays asked, as the rules of AXI demand, and may take place later; until it is answered,
    ``o_owed`` is high, and no copy can start.

    Parameters
    ----------
    addr_width, data_width : :class:`int`
        Of ``m_axi``.
    payload : :class:`int`
        Bytes of the buffer, a power of two.

    Members
    -------
    i_en : :py:`In(1)`
        Start; only while ``o_owed`` is low and after ``o_done``.
    i_write, i_registers : :py:`In(1)`
        Buffer to bus; registers instead of memory, whose address and length are multiples of 4.
        Stable from ``i_en`` to ``o_done``.
    i_addr : :py:`In(addr_width)`, ``i_length`` : :py:`In(log2(payload) + 1)`
        First byte, and how many, at least 1. The length is stable until ``o_done``.
    i_tick : :py:`In(1)`
        High for one cycle, regularly.
    o_done : :py:`Out(1)`, ``o_status`` : :py:`Out(Status)`
        High for one cycle at the end; valid then.
    o_owed : :py:`Out(1)`
        A bus owes an answer after a time-out.
    o_index : :py:`Out(log2(payload))`
        The byte of the buffer that is read or written.
    i_read_data : :py:`In(8)`
        The byte at ``o_index``, two cycles later.
    o_write_en, o_write_data : :py:`Out(1)`, :py:`Out(8)`
        Into the buffer at ``o_index``.
    m_axi : :py:`Out(Axi4(addr_width, data_width))`, ``m_axil`` : :py:`Out(Axi4Lite(12))`
    """

    def __init__(self, *, addr_width, data_width, payload):
        self.addr_width = addr_width
        self.data_width = data_width
        self.payload = payload
        super().__init__({
            "i_en": In(1), "i_write": In(1), "i_registers": In(1), "i_addr": In(addr_width),
            "i_length": In(payload.bit_length()), "i_tick": In(1),
            "o_done": Out(1), "o_status": Out(3), "o_owed": Out(1),
            "o_index": Out((payload - 1).bit_length()), "i_read_data": In(8),
            "o_write_en": Out(1), "o_write_data": Out(8),
            "m_axi": Out(Axi4(addr_width=addr_width, data_width=data_width)),
            "m_axil": Out(Axi4Lite(addr_width=12)),
        })

    def elaborate(self, platform):
        m = Module()
        axi, axil = self.m_axi, self.m_axil
        lanes = self.data_width // 8
        lane_bits = exact_log2(lanes)

        beat = Signal(self.data_width)      # bytes enter at the top and leave at the bottom
        strobes = Signal(lanes)
        addr = Signal(self.addr_width)
        index = Signal(self.payload.bit_length())
        lane = Signal(lane_bits)
        write, registers = self.i_write, self.i_registers
        quiet = Signal(range(_TICKS))
        inside, last_lane, more = Signal(), Signal(), Signal()
        m.d.comb += [
            # registers lie at multiples of 4, whatever the lanes of the memory
            inside.eq(((lane >= addr[:lane_bits]) | registers) & more),
            more.eq(index != self.i_length),
            self.o_index.eq(index),
            last_lane.eq(lane == Mux(registers, 3, lanes - 1)),
            self.o_write_data.eq(beat),
            axi.awaddr.eq(Cat(Const(0, lane_bits), addr[lane_bits:])),
            axi.araddr.eq(axi.awaddr),
            axi.wdata.eq(beat),
            axi.wstrb.eq(strobes),
            axi.wlast.eq(1),
            axi.awsize.eq(lane_bits), axi.arsize.eq(lane_bits),
            axi.awburst.eq(BURST_INCR), axi.arburst.eq(BURST_INCR),
            axi.awcache.eq(CACHE_BUFFERABLE), axi.arcache.eq(CACHE_BUFFERABLE),
            axil.awaddr.eq(addr), axil.araddr.eq(addr),
            axil.wdata.eq(beat[-32:]), axil.wstrb.eq(0b1111),
        ]
        for port in (axi, axil):
            for channel in ("aw", "w", "ar"):
                valid = getattr(port, channel + "valid")
                with m.If(valid & getattr(port, channel + "ready")):
                    m.d.sync += valid.eq(0)

        answered, response = Signal(), Signal(2)
        for port in (axi, axil):
            with m.If(port.bvalid & port.bready):
                m.d.comb += [answered.eq(1), response.eq(port.bresp)]
                m.d.sync += port.bready.eq(0)
            with m.If(port.rvalid & port.rready):
                m.d.comb += [answered.eq(1), response.eq(port.rresp)]
                m.d.sync += [port.rready.eq(0), beat.eq(port.rdata)]

        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [addr.eq(self.i_addr), index.eq(0), lane.eq(0)]
                with m.If(self.i_en):
                    with m.If(self.i_write):
                        m.next = "FETCH"
                    with m.Else():
                        m.next = "ASK"
            with m.State("FETCH"):
                m.next = "FETCHED"
            with m.State("FETCHED"):
                m.next = "FILL"
            with m.State("FILL"):
                m.d.sync += [
                    beat.eq(Cat(beat[8:], self.i_read_data)),
                    strobes.eq(Cat(strobes[1:], inside)),
                    lane.eq(lane + 1),
                ]
                with m.If(inside):
                    m.d.sync += index.eq(index + 1)
                m.next = "FETCH"
                with m.If(last_lane):
                    m.d.sync += lane.eq(0)
                    m.next = "ASK"
            with m.State("ASK"):
                m.d.sync += quiet.eq(0)
                for port, mine in ((axi, ~registers), (axil, registers)):
                    m.d.sync += [
                        port.awvalid.eq(mine & write), port.wvalid.eq(mine & write),
                        port.bready.eq(mine & write),
                        port.arvalid.eq(mine & ~write), port.rready.eq(mine & ~write),
                    ]
                m.next = "WAIT"
            with m.State("WAIT"):
                m.d.comb += self.o_status.eq(Mux(answered, response, Status.TIMEOUT))
                with m.If(self.i_tick):
                    m.d.sync += quiet.eq(quiet + 1)
                with m.If(answered):
                    with m.If(response[1]):
                        m.d.comb += self.o_done.eq(1)
                        m.next = "IDLE"
                    with m.Elif(write):
                        m.next = "NEXT"
                    with m.Else():
                        m.next = "DRAIN"
                with m.Elif(self.i_tick & (quiet == _TICKS - 1)):
                    m.d.comb += self.o_done.eq(1)
                    m.next = "OWED"
            with m.State("DRAIN"):
                # what enters at the top means nothing
                m.d.sync += [beat.eq(Cat(beat[8:], self.i_read_data)), lane.eq(lane + 1)]
                with m.If(inside):
                    m.d.comb += self.o_write_en.eq(1)
                    m.d.sync += index.eq(index + 1)
                with m.If(last_lane):
                    m.d.sync += lane.eq(0)
                    m.next = "NEXT"
            with m.State("NEXT"):
                with m.If(registers):
                    m.d.sync += addr[2:].eq(addr[2:] + 1)
                with m.Else():
                    m.d.sync += addr.eq(Cat(Const(0, lane_bits), addr[lane_bits:] + 1))
                with m.If(~more):
                    m.d.comb += [self.o_done.eq(1), self.o_status.eq(Status.OKAY)]
                    m.next = "IDLE"
                with m.Elif(write):
                    m.next = "FETCH"
                with m.Else():
                    m.next = "ASK"
            with m.State("OWED"):
                m.d.comb += self.o_owed.eq(1)
                with m.If(answered):
                    m.next = "IDLE"
        return m
