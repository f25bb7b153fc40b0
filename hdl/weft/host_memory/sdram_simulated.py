"""Gateware model of an SDRAM chip, for simulations of complete boards."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, flipped
from amaranth.utils import exact_log2

from .sdram_pins import Command, SdramPins

__all__ = ["SimulatedSdram"]


class SimulatedSdram(wiring.Component):
    """Model of an SDRAM chip with open rows and CAS latency. It does not check times or states.

    Parameters
    ----------
    chip : :class:`SdramChip`
        Geometry of the chip.
    size : :class:`int`
        Size of the memory in bytes, a power of two. Higher address bits are ignored.

    Members
    -------
    pins : :py:`In(SdramPins(chip))`
        Pins of the chip.

    Raises
    ------
    ValueError
        If the size is not a power of two, or exceeds that of the chip.
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
        # the read port has a latency of one cycle; these registers add to it
        latency_2 = Signal(chip.data_width)
        m.d.sync += latency_2.eq(read.data)
        latency_3 = Signal(chip.data_width)
        m.d.sync += latency_3.eq(latency_2)
        with m.If(latency == 2):
            m.d.comb += pins.dq_i.eq(latency_2)
        with m.Else():
            m.d.comb += pins.dq_i.eq(latency_3)
        return m
