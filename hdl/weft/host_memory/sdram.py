"""SDRAM controller with an AXI4 port."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out, connect, flipped

from ..bus.axi4 import RESP_OKAY, Axi4
from ..bus.memory_queue import MemoryQueue
from ..bus.register_slice import RegisterSlice
from .burst_splitter import BurstSplitter, split_bursts
from .sdram_controller import SdramController, access_layout
from .sdram_pins import SdramPins
from .sdram_write_buffer import WriteBuffer

__all__ = ["AxiSdram"]


class AxiSdram(wiring.Component):
    """SDRAM controller with an AXI4 port for incrementing bursts of whole beats, with byte strobes.

    Beats are as wide as the port; the controller divides them into words of the chip. Reads and
    writes alternate, burst by burst, while both are pending; a write whose data has not arrived
    does not block reads. A read whose address is accepted after the response to a write returns
    the written data. Consecutive rows are in different banks.

    The response to every beat of a burst outside the memory is DECERR. The response to a burst
    whose beats are narrow, or whose type is not incrementing, is SLVERR. Neither burst changes the
    memory.

    Parameters
    ----------
    chip : :class:`SdramChip`
        Geometry and times of the chip.
    clock_hz : :class:`int`
        Clock frequency of ``sync`` and of the chip in Hz.
    addr_width : :class:`int`
        Width of a byte address in bits.
    data_width : :class:`int`
        Width of a beat in bits: 32, 64, 128 or 256.
    base : :class:`int`
        Address of the first byte, a multiple of the chip's size.
    pin_delay : :class:`int`
        Cycles that registers at the pins add to the round trip to the chip, 0 to 4.

    Attributes
    ----------
    read_latency : :class:`int`
        Cycles from the acceptance of an address to its first valid data, if the row is open.

    Members
    -------
    axi : :py:`In(Axi4(addr_width=addr_width, data_width=data_width))`
        Port. IDs are ignored, and are 0 in responses.
    pins : :py:`Out(SdramPins(chip))`
        Pins of the chip.

    Raises
    ------
    ValueError
        If a parameter is out of range, or the chip does not support the clock frequency.
    """

    MAX_READS = 32      # maximum number of outstanding read beats

    def __init__(self, *, chip, clock_hz, addr_width, data_width, base=0, pin_delay=0):
        if data_width not in (32, 64, 128, 256):
            raise ValueError(f"data_width must be 32, 64, 128 or 256, not {data_width!r}")
        if base < 0 or base % chip.size or base + chip.size > 1 << addr_width:
            raise ValueError(f"base must be a multiple of the {chip.size} bytes of the memory "
                             f"below 2 ** {addr_width}, not {base:#x}")
        self.chip = chip
        self.addr_width = addr_width
        self.data_width = data_width
        self.base = base
        if not 0 <= pin_delay <= 4:
            raise ValueError(f"pin_delay must be 0 to 4 cycles, not {pin_delay}")
        self._controller = SdramController(chip=chip, clock_hz=clock_hz, data_width=data_width,
                                           pin_delay=pin_delay)
        self.read_latency = (BurstSplitter.LATENCY + 2 * RegisterSlice.LATENCY
                             + self._controller.read_latency + MemoryQueue.LATENCY)
        super().__init__({"axi": In(Axi4(addr_width=addr_width, data_width=data_width)),
                          "pins": Out(SdramPins(chip))})

    def elaborate(self, platform):
        m = Module()
        axi = self.axi
        m.submodules.core = controller = self._controller
        connect(m, controller.pins, flipped(self.pins))
        reads, writes = (split_bursts(m, axi, channel, base=self.base, size=self.chip.size)
                         for channel in ("ar", "aw"))
        layout = access_layout(self.chip, self.data_width)
        m.submodules.port_slice = port_slice = RegisterSlice(layout)
        # a cycle for the route, because the controller is placed at the pins, far from the port
        m.submodules.pin_slice = pin_slice = RegisterSlice(layout)
        connect(m, port_slice.o, pin_slice.i)
        connect(m, pin_slice.o, controller.i)

        may_read, may_write = Signal(), Signal()
        is_write = Signal()
        beat, issue = self._arbitrate(m, port_slice.i, reads, writes, may_read, may_write,
                                      is_write)
        self._write(m, controller, writes, beat, may_write, issue & is_write)
        self._read(m, controller, reads, beat, may_read, issue & ~is_write)
        return m

    def _arbitrate(self, m, access, reads, writes, may_read, may_write, is_write):
        """Select the next beat. Return it, and a signal that is high if it is issued."""
        writing = Signal()              # the current or last burst is a write
        switch = Signal()               # that burst has ended; the other direction has priority
        m.d.comb += is_write.eq(may_write & ((writing ^ switch) | ~may_read))
        beat = Signal.like(reads.payload)
        m.d.comb += [
            beat.eq(Mux(is_write, writes.payload, reads.payload)),
            access.valid.eq(may_read | may_write),
            access.payload.write.eq(is_write),
            access.payload.void.eq(writes.payload.resp != RESP_OKAY),
        ]
        layout = access.payload.shape()
        address = data.View(data.StructLayout({
            name: layout[name].shape for name in ("col", "bank", "row")}), beat.row)
        m.d.comb += [getattr(access.payload, name).eq(getattr(address, name))
                     for name in ("col", "bank", "row")]
        issue = Signal()
        m.d.comb += issue.eq(access.valid & access.ready)
        with m.If(issue):
            m.d.sync += [writing.eq(is_write), switch.eq(beat.last)]
        return beat, issue

    def _write(self, m, controller, writes, beat, may_write, issue_write):
        """Buffer the write data, and respond when the last beat of a burst is issued."""
        axi = self.axi
        m.submodules.write_buffer = buffer = WriteBuffer(
            data_width=self.data_width, word_width=self.chip.data_width)
        m.d.comb += [
            buffer.i.valid.eq(axi.wvalid), axi.wready.eq(buffer.i.ready),
            buffer.i.payload.eq(Cat(axi.wdata, axi.wstrb)),
            buffer.i_step.eq(controller.o_step), buffer.i_last.eq(controller.o_last),
            controller.i_word.eq(buffer.o_word), controller.i_strobe.eq(buffer.o_strobe),
            may_write.eq(writes.valid & buffer.o_available
                         & (~axi.bvalid | ~writes.payload.last)),
            writes.ready.eq(issue_write), buffer.i_issue.eq(issue_write),
        ]
        with m.If(axi.bready):
            m.d.sync += axi.bvalid.eq(0)
        with m.If(issue_write & beat.last):
            m.d.sync += [axi.bvalid.eq(1), axi.bresp.eq(beat.resp)]

    def _read(self, m, controller, reads, beat, may_read, issue_read):
        """Issue reads while the read queue has room for all outstanding beats."""
        axi = self.axi
        m.submodules.responses = responses = SyncFIFO(width=3, depth=self.MAX_READS)
        # the queue has no back-pressure, so that no path leads from the port to the pins
        m.submodules.read_queue = queue = MemoryQueue(
            self.data_width, depth=self.MAX_READS, attrs={})
        outstanding = Signal(range(self.MAX_READS + 1))
        issued, accepted = Signal(), Signal()
        m.d.comb += [
            may_read.eq(reads.valid & (outstanding != self.MAX_READS)),
            issued.eq(issue_read),
            reads.ready.eq(issued),
            responses.w_en.eq(issued),
            responses.w_data.eq(Cat(beat.resp, beat.last)),
            queue.i_en.eq(controller.o_valid),
            queue.i.eq(controller.o_data),
            axi.rvalid.eq(queue.o.valid),
            axi.rdata.eq(queue.o.payload),
            axi.rresp.eq(responses.r_data[:2]),
            axi.rlast.eq(responses.r_data[2]),
            accepted.eq(axi.rvalid & axi.rready),
            queue.o.ready.eq(accepted),
            responses.r_en.eq(accepted),
        ]
        m.d.sync += outstanding.eq(outstanding + issued - accepted)
