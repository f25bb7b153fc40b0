"""An SDRAM that simulates anywhere: what its controller would find on a board."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, flipped
from amaranth.utils import exact_log2

from .sdram_pins import Command, SdramPins

__all__ = ["SimulatedSdram"]


class SimulatedSdram(wiring.Component):
    """Rows that are opened, words that are read and written; times are not checked.

    Parameters
    ----------
    chip : :class:`SdramChip`
    size : :class:`int`
        Bytes that there are, a power of two; higher addresses show the same ones again.

    Members
    -------
    pins : :py:`In(SdramPins(chip))`

    Raises
    ------
    ValueError
        If the size is not a power of two, or more than the chip's.
    """

    def __init__(self, *, chip, size):
        if size < 1024 or size & (size - 1) or size > chip.size:
            raise ValueError(f"size must be a power of two from 1024 to the chip's {chip.size} "
                             f"bytes, not {size}")
        self.chip = chip
        self.size = size
        super().__init__({"pins": In(SdramPins(chip))})

    def elaborate(self, platform):
        m = Module()
        chip, pins = self.chip, flipped(self.pins)
        words = self.size // (chip.data_width // 8)
        m.submodules.words = store = memory.Memory(shape=chip.data_width, depth=words, init=[])
        read, write = store.read_port(), store.write_port(granularity=8)
        rows = Signal(data.ArrayLayout(chip.row_bits, 1 << chip.bank_bits))
        latency = Signal(3)
        addr = Signal(exact_log2(words))
        m.d.comb += [
            addr.eq(Cat(pins.addr[:chip.col_bits], pins.bank, rows[pins.bank])),
            read.addr.eq(addr), write.addr.eq(addr), write.data.eq(pins.dq_o),
        ]
        with m.Switch(pins.command):
            with m.Case(Command.ACTIVATE):
                m.d.sync += rows[pins.bank].eq(pins.addr)
            with m.Case(Command.MODE):
                m.d.sync += latency.eq(pins.addr[4:7])
            with m.Case(Command.WRITE):
                m.d.comb += write.en.eq(~pins.mask)
        # a read port's data is there one cycle behind its address, which is a latency of one
        late = Signal(chip.data_width)
        m.d.sync += late.eq(read.data)
        later = Signal(chip.data_width)
        m.d.sync += later.eq(late)
        with m.If(latency == 2):
            m.d.comb += pins.dq_i.eq(late)
        with m.Else():
            m.d.comb += pins.dq_i.eq(later)
        return m
