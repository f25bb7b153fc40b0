"""First-in, first-out queue without back-pressure at its input."""

from amaranth.hdl import Module, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

__all__ = ["MemoryQueue"]


class MemoryQueue(wiring.Component):
    """Queue that consists of a memory with ``depth`` entries and an output register.

    There is no back-pressure at the input: the producer must not exceed the capacity, for example
    by requesting only as many entries as are free.

    Parameters
    ----------
    shape : shape-like
        Shape of an entry.
    depth : :class:`int`
        Number of entries, in addition to the output register; a power of two.
    attrs : :class:`dict`
        Attributes of the memory for synthesis.

    Members
    -------
    i_en, i : :py:`In(1)`, :py:`In(shape)`
        Strobe and value of a new entry.
    o : :py:`Out(stream.Signature(shape))`
        The oldest entry, from registers, at least ``LATENCY`` cycles after its input.
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
        write_port, read_port = storage.write_port(), storage.read_port(domain="comb")
        # one bit more than an address, to distinguish full from empty
        written, read = (Signal(exact_log2(self.depth) + 1, name=name)
                         for name in ("written", "read"))
        advance = ~self.o.valid | self.o.ready
        m.d.comb += [
            write_port.en.eq(self.i_en), write_port.addr.eq(written), write_port.data.eq(self.i),
            read_port.addr.eq(read),
        ]
        m.d.sync += written.eq(written + self.i_en)
        with m.If(advance):
            m.d.sync += [self.o.payload.eq(read_port.data), self.o.valid.eq(written != read)]
            with m.If(written != read):
                m.d.sync += read.eq(read + 1)
        return m
