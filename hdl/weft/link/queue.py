"""Byte queue between the UART and the receiver of the host link."""

from amaranth.hdl import Module, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

__all__ = ["ByteQueue"]


class ByteQueue(wiring.Component):
    """FIFO of bytes in one block RAM, without back-pressure.

    A serial line has no flow control, so there is no ``ready`` at the input. On an overflow,
    ``depth`` bytes are lost, which the CRCs of the frames detect. ``o`` comes from registers; its
    throughput is one byte per two cycles. :class:`weft.bus.memory_queue.MemoryQueue` has a
    throughput of one entry per cycle, but needs LUT RAM.

    Parameters
    ----------
    depth : :class:`int`
        Capacity in bytes, a power of two.

    Members
    -------
    i_byte, i_en : :py:`In(8)`, :py:`In(1)`
        Received byte, and its strobe.
    o : :py:`Out(stream.Signature(8))`
        Bytes in the order of their arrival.
    """

    LATENCY = 3         # from i_en to o.valid, in cycles

    def __init__(self, depth):
        self.depth = depth
        super().__init__({"i_byte": In(8), "i_en": In(1), "o": Out(stream.Signature(8))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = ram = memory.Memory(shape=8, depth=self.depth, init=[])
        write, read = ram.write_port(), ram.read_port()
        write_addr, readable, read_addr = (Signal(exact_log2(self.depth), name=name)
                                           for name in ("write_addr", "readable", "read_addr"))
        fetched = Signal()          # the read port outputs the byte at read_addr
        m.d.comb += [
            write.addr.eq(write_addr), write.data.eq(self.i_byte), write.en.eq(self.i_en),
            read.addr.eq(read_addr),
        ]
        m.d.sync += [
            write_addr.eq(write_addr + self.i_en),
            # a byte is readable one cycle after it was written
            readable.eq(write_addr),
            fetched.eq(1),
        ]
        with m.If(self.o.valid):
            m.d.sync += self.o.valid.eq(~self.o.ready)
        with m.Elif(fetched & (readable != read_addr)):
            m.d.sync += [self.o.valid.eq(1), self.o.payload.eq(read.data),
                         read_addr.eq(read_addr + 1), fetched.eq(0)]
        return m
