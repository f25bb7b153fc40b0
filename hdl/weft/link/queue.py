"""Bytes that wait for the receiver."""

from amaranth.hdl import Module, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

__all__ = ["ByteQueue"]


class ByteQueue(wiring.Component):
    """Keeps bytes in their order in one block RAM.

    A serial line cannot be told to wait, so there is no ``ready``: when more than ``depth`` bytes
    wait, ``depth`` of them are lost. Frames carry CRCs. ``o`` comes from registers, and gives a
    byte every two cycles at most.

    Parameters
    ----------
    depth : :class:`int`
        A power of two.

    Members
    -------
    i_byte, i_en : :py:`In(8)`, :py:`In(1)`
        A byte that came in.
    o : :py:`Out(stream.Signature(8))`
        Bytes.
    """

    LATENCY = 3         # from i_en to o.valid, in cycles

    def __init__(self, depth):
        self.depth = depth
        super().__init__({"i_byte": In(8), "i_en": In(1), "o": Out(stream.Signature(8))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = ram = memory.Memory(shape=8, depth=self.depth, init=[])
        into, out_of = ram.write_port(), ram.read_port()
        write_addr, readable, read_addr = (Signal(exact_log2(self.depth), name=name)
                                           for name in ("write_addr", "readable", "read_addr"))
        fetched = Signal()          # the memory shows the byte at read_addr
        m.d.comb += [
            into.addr.eq(write_addr), into.data.eq(self.i_byte), into.en.eq(self.i_en),
            out_of.addr.eq(read_addr),
        ]
        m.d.sync += [
            write_addr.eq(write_addr + self.i_en),
            # a byte can be read in the cycle after that in which it was written
            readable.eq(write_addr),
            fetched.eq(1),
        ]
        with m.If(self.o.valid):
            m.d.sync += self.o.valid.eq(~self.o.ready)
        with m.Elif(fetched & (readable != read_addr)):
            m.d.sync += [self.o.valid.eq(1), self.o.payload.eq(out_of.data),
                         read_addr.eq(read_addr + 1), fetched.eq(0)]
        return m
