"""Entries that wait, with room for all that were asked for."""

from amaranth.hdl import Module, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

__all__ = ["MemoryQueue"]


class MemoryQueue(wiring.Component):
    """Keeps entries in their order, in a memory of ``depth`` and a register behind it.

    It cannot refuse: who fills it asks for no more than there is room for.

    Parameters
    ----------
    shape
        Of an entry.
    depth : :class:`int`
        Entries that may wait, without that in the register; a power of two.
    attrs : :class:`dict`
        Attributes of the memory for synthesis.

    Members
    -------
    i_en, i : :py:`In(1)`, :py:`In(shape)`
        An entry.
    o : :py:`Out(stream.Signature(shape))`
        The oldest, ``LATENCY`` cycles after it came at the earliest. Out of registers.
    """

    LATENCY = 2

    def __init__(self, shape, *, depth, attrs):
        self.shape = shape
        self.depth = depth
        self.attrs = attrs
        super().__init__({"i_en": In(1), "i": In(shape), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.storage = storage = memory.Memory(
            shape=self.shape, depth=self.depth, init=[], attrs=self.attrs)
        into, out_of = storage.write_port(), storage.read_port(domain="comb")
        # a bit more than an address, so that full is not empty
        written, read = (Signal(exact_log2(self.depth) + 1, name=name)
                         for name in ("written", "read"))
        moves = ~self.o.valid | self.o.ready
        m.d.comb += [
            into.en.eq(self.i_en), into.addr.eq(written), into.data.eq(self.i),
            out_of.addr.eq(read),
        ]
        m.d.sync += written.eq(written + self.i_en)
        with m.If(moves):
            m.d.sync += [self.o.payload.eq(out_of.data), self.o.valid.eq(written != read)]
            with m.If(written != read):
                m.d.sync += read.eq(read + 1)
        return m
