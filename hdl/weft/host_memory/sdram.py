"""An AXI4 memory that is an SDRAM."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out, connect, flipped

from ..bus.axi4 import RESP_OKAY, Axi4
from ..bus.memory_queue import MemoryQueue
from ..bus.register_slice import RegisterSlice
from .beats import Beats, beats_of
from .sdram_controller import SdramCore, access_layout
from .sdram_pins import SdramPins
from .sdram_write_buffer import WriteWords

__all__ = ["AxiSdram"]


class AxiSdram(wiring.Component):
    """An SDRAM behind an AXI4 port: incrementing bursts of whole beats, byte strobes.

    The beats are as wide as the port: nothing between them and the words of the chip converts
    widths. Reads and writes take turns, burst by burst, where both wait; one whose data does not
    come lets the other go ahead. A read whose address comes after the answer to a write sees
    what was written. Neighbouring rows lie in different banks.

    A burst outside the memory gets DECERR on every beat; one that is not of whole beats at
    incrementing addresses gets SLVERR. Neither changes a byte.

    Parameters
    ----------
    chip : :class:`SdramChip`
    clock_hz : :class:`int`
        Frequency of ``sync``, and of the chip, in Hz.
    addr_width : :class:`int`
        Bits of a byte address.
    data_width : :class:`int`
        Bits of a beat: 32, 64, 128 or 256.
    base : :class:`int`
        Address of the first byte, a multiple of the chip's size.
    pin_delay : :class:`int`
        Cycles from ``pins`` to the chip and back that registers at the pins add, up to 4.

    Attributes
    ----------
    read_latency : :class:`int`
        Cycles from an accepted address to its first valid data, if the row is open.

    Members
    -------
    axi : :py:`In(Axi4(addr_width=addr_width, data_width=data_width))`
        IDs are ignored, and 0 in answers.
    pins : :py:`Out(SdramPins(chip))`

    Raises
    ------
    ValueError
        If a value is out of range, or the chip cannot have this clock.
    """

    READS = 32          # beats that are asked for and not yet taken

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
        self._core = SdramCore(chip=chip, clock_hz=clock_hz, data_width=data_width,
                               pin_delay=pin_delay)
        self.read_latency = (Beats.LATENCY + 2 * RegisterSlice.LATENCY + self._core.read_latency
                             + MemoryQueue.LATENCY)
        super().__init__({"axi": In(Axi4(addr_width=addr_width, data_width=data_width)),
                          "pins": Out(SdramPins(chip))})

    def elaborate(self, platform):
        m = Module()
        axi = self.axi
        m.submodules.core = core = self._core
        connect(m, core.pins, flipped(self.pins))
        reads, writes = (beats_of(m, axi, channel, base=self.base, size=self.chip.size)
                         for channel in ("ar", "aw"))
        layout = access_layout(self.chip, self.data_width)
        m.submodules.waiting = waiting = RegisterSlice(layout)
        # the core lies at the pins, the other end of the port does not: a cycle for the way
        m.submodules.arrived = arrived = RegisterSlice(layout)
        connect(m, waiting.o, arrived.i)
        connect(m, arrived.o, core.i)

        # -- whose turn it is --------------------------------------------------------------------
        may_read, may_write = Signal(), Signal()
        writing = Signal()              # the burst in work is a write, or the last one was
        turn = Signal()                 # it has ended: the other direction goes first
        is_write = Signal()
        m.d.comb += is_write.eq(may_write & ((writing ^ turn) | ~may_read))
        beat = Signal.like(reads.payload)
        m.d.comb += [
            beat.eq(Mux(is_write, writes.payload, reads.payload)),
            waiting.i.valid.eq(may_read | may_write),
            waiting.i.payload.write.eq(is_write),
            waiting.i.payload.void.eq(writes.payload.resp != RESP_OKAY),
        ]
        place = data.View(data.StructLayout({
            name: layout[name].shape for name in ("col", "bank", "row")}), beat.row)
        m.d.comb += [getattr(waiting.i.payload, name).eq(getattr(place, name))
                     for name in ("col", "bank", "row")]
        goes = Signal()
        m.d.comb += goes.eq(waiting.i.valid & waiting.i.ready)
        with m.If(goes):
            m.d.sync += [writing.eq(is_write), turn.eq(beat.last)]

        # -- writes ------------------------------------------------------------------------------
        m.submodules.written = written = WriteWords(
            data_width=self.data_width, word_width=self.chip.data_width)
        m.d.comb += [
            written.i.valid.eq(axi.wvalid), axi.wready.eq(written.i.ready),
            written.i.payload.eq(Cat(axi.wdata, axi.wstrb)),
            written.i_step.eq(core.o_step), written.i_last.eq(core.o_last),
            core.i_word.eq(written.o_word), core.i_strobe.eq(written.o_strobe),
            may_write.eq(writes.valid & written.o_there & (~axi.bvalid | ~writes.payload.last)),
            writes.ready.eq(goes & is_write), written.i_use.eq(goes & is_write),
        ]
        with m.If(axi.bready):
            m.d.sync += axi.bvalid.eq(0)
        with m.If(goes & is_write & beat.last):
            m.d.sync += [axi.bvalid.eq(1), axi.bresp.eq(beat.resp)]

        # -- reads: what is asked for has a place ------------------------------------------------
        m.submodules.answers = answers = SyncFIFO(width=3, depth=self.READS)
        # no wire leads back to what the core has read
        m.submodules.words = words = MemoryQueue(self.data_width, depth=self.READS, attrs={})
        owed = Signal(range(self.READS + 1))
        asks, takes = Signal(), Signal()
        m.d.comb += [
            may_read.eq(reads.valid & (owed != self.READS)),
            asks.eq(goes & ~is_write),
            reads.ready.eq(asks),
            answers.w_en.eq(asks),
            answers.w_data.eq(Cat(beat.resp, beat.last)),
            words.i_en.eq(core.o_valid),
            words.i.eq(core.o_data),
            axi.rvalid.eq(words.o.valid),
            axi.rdata.eq(words.o.payload),
            axi.rresp.eq(answers.r_data[:2]),
            axi.rlast.eq(answers.r_data[2]),
            takes.eq(axi.rvalid & axi.rready),
            words.o.ready.eq(takes),
            answers.r_en.eq(takes),
        ]
        m.d.sync += owed.eq(owed + asks - takes)
        return m
