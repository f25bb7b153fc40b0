"""Reader of the operands of the fixed-point instructions."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...bus.memory_queue import MemoryQueue
from ...sram.ports import ReadPort
from ...vendor.lut_ram import lut_ram_attributes
from .reads import OperandRead, ReadTag

__all__ = ["OperandReader", "operand_signature"]


def operand_signature(config):
    """Return the signature of a stream of operands: the data of reads, with their tags."""
    return stream.Signature(data.StructLayout({
        "tag": ReadTag, "word": 8 * config.vector_port_bytes}))


class OperandReader(wiring.Component):
    """Reader that queues the data of reads, so that its user can stall.

    The throughput is one read per cycle, for a latency of the scratchpad of up to nine cycles.

    Parameters
    ----------
    config : :class:`Config`

    Members
    -------
    i : :py:`In(stream.Signature(OperandRead(config)))`
        Reads.
    spad : :py:`Out(ReadPort(spad_addr_width, vector_port_bytes))`
        Port of the scratchpad.
    o : :py:`Out(operand_signature(config))`
        Tags and data in order. The data of a tag without ``reads`` is undefined.
    """

    DEPTH = 16

    def __init__(self, config):
        self.config = config
        port = config.vector_port_bytes
        super().__init__({
            "i": In(stream.Signature(OperandRead(config))),
            "spad": Out(ReadPort(config.spad_addr_width, port)),
            "o": Out(operand_signature(config)),
        })

    def elaborate(self, platform):
        m = Module()
        attrs = lut_ram_attributes(self.config.multiplier)
        m.submodules.tags = tags = MemoryQueue(ReadTag, depth=self.DEPTH, attrs=attrs)
        m.submodules.words = words = MemoryQueue(
            8 * self.config.vector_port_bytes, depth=self.DEPTH, attrs=attrs)
        free = Signal(range(self.DEPTH + 1), init=self.DEPTH)
        may_request = Signal()
        accept, take = Signal(), Signal()
        read = self.i.payload
        m.d.comb += [
            may_request.eq(free != 0),
            self.spad.req.valid.eq(self.i.valid & read.tag.reads & may_request),
            self.spad.req.payload.eq(read.addr),
            self.i.ready.eq(may_request & (self.spad.req.ready | ~read.tag.reads)),
            accept.eq(self.i.valid & self.i.ready),
            tags.i_en.eq(accept), tags.i.eq(read.tag),
            words.i_en.eq(self.spad.valid), words.i.eq(self.spad.data.as_value()),
            self.o.valid.eq(tags.o.valid & (words.o.valid | ~tags.o.payload.reads)),
            self.o.payload.tag.eq(tags.o.payload), self.o.payload.word.eq(words.o.payload),
            take.eq(self.o.valid & self.o.ready),
            tags.o.ready.eq(take), words.o.ready.eq(take & tags.o.payload.reads),
        ]
        m.d.sync += free.eq(free + take - accept)
        return m
