"""Copier of the host link, which moves the bytes of a request between the buffer and a bus."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from ..bus.axi4 import BURST_INCR, CACHE_BUFFERABLE, Axi4, Axi4Lite
from ..spec.link_frames import Status

__all__ = ["Copier"]

_TICKS = 8              # ticks after which the wait for a response ends


class Copier(wiring.Component):
    """Copier of up to ``payload`` bytes between the buffer and host memory or registers.

    Memory is accessed at any byte address, with single beats and strobes. Single beats are fast
    enough for a serial line and cannot cross a 4 KiB boundary. A copy ends with the first error
    response. All outputs to the buses come from registers.

    If a bus has not responded for 7 to 8 ticks, the copy ends with ``TIMEOUT``. As AXI requires,
    the request remains on the bus, which may execute it later. ``o_outstanding`` is high until the
    response arrives, and no copy can start before.

    Parameters
    ----------
    addr_width, data_width : :class:`int`
        Widths of ``m_axi``.
    payload : :class:`int`
        Size of the buffer in bytes, a power of two.

    Members
    -------
    i_en : :py:`In(1)`
        Start a copy. Allowed while ``o_outstanding`` is low and no copy is in progress.
    i_write : :py:`In(1)`
        Copy from the buffer to the bus; otherwise from the bus to the buffer. Stable from ``i_en``
        to ``o_done``.
    i_registers : :py:`In(1)`
        Access registers instead of memory. Address and length must then be multiples of 4. Stable
        from ``i_en`` to ``o_done``.
    i_addr : :py:`In(addr_width)`, ``i_length`` : :py:`In(log2(payload) + 1)`
        Address of the first byte, and number of bytes, at least 1. The length is stable until
        ``o_done``.
    i_tick : :py:`In(1)`
        Periodic pulse of one cycle, the unit of the time-out.
    o_done : :py:`Out(1)`, ``o_status`` : :py:`Out(Status)`
        High for one cycle at the end of the copy; the status is valid in that cycle.
    o_outstanding : :py:`Out(1)`
        The response to an access that timed out is outstanding.
    o_index : :py:`Out(log2(payload))`
        Address in the buffer, for reads and writes.
    i_read_data : :py:`In(8)`
        Byte of the buffer that ``o_index`` selected two cycles earlier.
    o_write_en, o_write_data : :py:`Out(1)`, :py:`Out(8)`
        Write of a byte of the buffer, at ``o_index``.
    m_axi : :py:`Out(Axi4(addr_width, data_width))`
        Host memory.
    m_axil : :py:`Out(Axi4Lite(12))`
        Registers.
    """

    def __init__(self, *, addr_width, data_width, payload):
        self.addr_width = addr_width
        self.data_width = data_width
        self.payload = payload
        super().__init__({
            "i_en": In(1), "i_write": In(1), "i_registers": In(1), "i_addr": In(addr_width),
            "i_length": In(payload.bit_length()), "i_tick": In(1),
            "o_done": Out(1), "o_status": Out(3), "o_outstanding": Out(1),
            "o_index": Out((payload - 1).bit_length()), "i_read_data": In(8),
            "o_write_en": Out(1), "o_write_data": Out(8),
            "m_axi": Out(Axi4(addr_width=addr_width, data_width=data_width)),
            "m_axil": Out(Axi4Lite(addr_width=12)),
        })

    def elaborate(self, platform):
        m = Module()
        lane_bits = exact_log2(self.data_width // 8)
        beat = Signal(self.data_width)      # bytes enter at the top and leave at the bottom
        strobes = Signal(self.data_width // 8)
        addr = Signal(self.addr_width)
        index = Signal(self.payload.bit_length())
        lane = Signal(lane_bits)
        in_range, last_lane, incomplete = Signal(), Signal(), Signal()
        m.d.comb += [
            # all four bytes of a register are in range; lane only counts them
            in_range.eq(((lane >= addr[:lane_bits]) | self.i_registers) & incomplete),
            incomplete.eq(index != self.i_length),
            self.o_index.eq(index),
            last_lane.eq(lane == Mux(self.i_registers, 3, self.data_width // 8 - 1)),
            self.o_write_data.eq(beat),
        ]
        responded, response = self._buses(m, beat, strobes, addr, lane_bits)

        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [addr.eq(self.i_addr), index.eq(0), lane.eq(0)]
                with m.If(self.i_en):
                    with m.If(self.i_write):
                        m.next = "FETCH"
                    with m.Else():
                        m.next = "ISSUE"
            with m.State("FETCH"):
                m.next = "FETCHED"
            with m.State("FETCHED"):
                m.next = "FILL"
            with m.State("FILL"):
                m.d.sync += [
                    beat.eq(Cat(beat[8:], self.i_read_data)),
                    strobes.eq(Cat(strobes[1:], in_range)),
                    lane.eq(lane + 1),
                ]
                with m.If(in_range):
                    m.d.sync += index.eq(index + 1)
                m.next = "FETCH"
                with m.If(last_lane):
                    m.d.sync += lane.eq(0)
                    m.next = "ISSUE"
            self._issue_and_wait(m, responded, response)
            with m.State("DRAIN"):
                # the byte that enters at the top is ignored
                m.d.sync += [beat.eq(Cat(beat[8:], self.i_read_data)), lane.eq(lane + 1)]
                with m.If(in_range):
                    m.d.comb += self.o_write_en.eq(1)
                    m.d.sync += index.eq(index + 1)
                with m.If(last_lane):
                    m.d.sync += lane.eq(0)
                    m.next = "NEXT"
            with m.State("NEXT"):
                with m.If(self.i_registers):
                    m.d.sync += addr[2:].eq(addr[2:] + 1)
                with m.Else():
                    m.d.sync += addr.eq(Cat(Const(0, lane_bits), addr[lane_bits:] + 1))
                with m.If(~incomplete):
                    m.d.comb += [self.o_done.eq(1), self.o_status.eq(Status.OKAY)]
                    m.next = "IDLE"
                with m.Elif(self.i_write):
                    m.next = "FETCH"
                with m.Else():
                    m.next = "ISSUE"
            with m.State("OUTSTANDING"):
                m.d.comb += self.o_outstanding.eq(1)
                with m.If(responded):
                    m.next = "IDLE"
        return m

    def _buses(self, m, beat, strobes, addr, lane_bits):
        """Connect both buses.

        Return a signal that is high if one of them responds in this cycle, and the response code.
        """
        axi, axil = self.m_axi, self.m_axil
        m.d.comb += [
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

        responded, response = Signal(), Signal(2)
        for port in (axi, axil):
            with m.If(port.bvalid & port.bready):
                m.d.comb += [responded.eq(1), response.eq(port.bresp)]
                m.d.sync += port.bready.eq(0)
            with m.If(port.rvalid & port.rready):
                m.d.comb += [responded.eq(1), response.eq(port.rresp)]
                m.d.sync += [port.rready.eq(0), beat.eq(port.rdata)]
        return responded, response

    def _issue_and_wait(self, m, responded, response):
        """Add the states that issue an access and wait for its response."""
        write, registers = self.i_write, self.i_registers
        ticks = Signal(range(_TICKS))       # ticks since the access was issued
        with m.State("ISSUE"):
            m.d.sync += ticks.eq(0)
            for port, selected in ((self.m_axi, ~registers), (self.m_axil, registers)):
                m.d.sync += [
                    port.awvalid.eq(selected & write), port.wvalid.eq(selected & write),
                    port.bready.eq(selected & write),
                    port.arvalid.eq(selected & ~write), port.rready.eq(selected & ~write),
                ]
            m.next = "WAIT"
        with m.State("WAIT"):
            m.d.comb += self.o_status.eq(Mux(responded, response, Status.TIMEOUT))
            with m.If(self.i_tick):
                m.d.sync += ticks.eq(ticks + 1)
            with m.If(responded):
                with m.If(response[1]):
                    m.d.comb += self.o_done.eq(1)
                    m.next = "IDLE"
                with m.Elif(write):
                    m.next = "NEXT"
                with m.Else():
                    m.next = "DRAIN"
            with m.Elif(self.i_tick & (ticks == _TICKS - 1)):
                m.d.comb += self.o_done.eq(1)
                m.next = "OUTSTANDING"
