"""Fixed-point part of VECTOR, with the multiplexers of what it shares with the other parts."""

from amaranth.hdl import Module, Mux
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ...control.unit_interface import INSTRUCTION_SHAPE
from ...sram.ports import AccReadPort, ReadPort, WritePort
from .engine import FixedPointEngine
from .lanes import LANE_PORTS
from .settings import FIXED_POINT_NAMES, InstructionKind

__all__ = ["FIXED_POINT_NAMES", "FixedPointPart"]


class FixedPointPart(wiring.Component):
    """:class:`FixedPointEngine` between the other parts of VECTOR and what they share.

    While an instruction of this part is in progress, it uses the ports and the queue of results
    alone. It may start only when all earlier results are written.

    Parameters
    ----------
    config : :class:`Config`
    queue_depth : :class:`int`
        Entries of the queue of results.

    Members
    -------
    i_start, i_instruction, i_kind, o_busy, o_done, spad, and the ports to the lanes
        See :class:`FixedPointEngine`.
    acc, other_acc : :py:`Out(AccReadPort(...))`, :py:`In(AccReadPort(...))`
        Port of the accumulators, and the same port for the other parts.
    spad_out, other_spad_out : :py:`Out(WritePort(...))`, :py:`In(WritePort(...))`
        Write port of the scratchpad, and the same port for the other parts.
    i_en, i_bytes, o_en, o_bytes : ``ArrayLayout(8, vector_port_bytes)`` with a strobe
        Results of the other parts; entries for the queue.
    i, o : streams of ``ArrayLayout(8, vector_port_bytes)``
        Output of the queue; the same entries for the other parts.
    """

    def __init__(self, config, *, queue_depth):
        self.config = config
        self.engine = FixedPointEngine(config, queue_depth=queue_depth)
        width, port = config.spad_addr_width, config.vector_port_bytes
        entry = data.ArrayLayout(8, port)
        acc = AccReadPort(row_width=config.acc_addr_width, cols=config.cols)
        members = self.engine.signature.members
        super().__init__({
            "i_start": In(1),
            "i_instruction": In(INSTRUCTION_SHAPE),
            "i_kind": In(InstructionKind),
            "o_busy": Out(1),
            "o_done": Out(1),
            "spad": Out(ReadPort(width, port)),
            "acc": Out(acc),
            "other_acc": In(acc),
            "spad_out": Out(WritePort(width, port)),
            "other_spad_out": In(WritePort(width, port)),
            **{name: members[name] for name in LANE_PORTS},
            "i_en": In(1),
            "i_bytes": In(entry),
            "o_en": Out(1),
            "o_bytes": Out(entry),
            "i": In(stream.Signature(entry)),
            "o": Out(stream.Signature(entry)),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.engine = engine = self.engine
        busy = engine.o_busy
        for name in ("i_start", "i_instruction", "i_kind", "o_busy", "o_done", *LANE_PORTS):
            mine, other = getattr(self, name), getattr(engine, name)
            m.d.comb += mine.eq(other) if name.startswith("o_") else other.eq(mine)
        connect(m, engine.spad, flipped(self.spad))
        self._choose(m, busy, self.acc, engine.acc, self.other_acc)
        self._choose(m, busy, self.spad_out, engine.spad_out, self.other_spad_out)
        m.d.comb += [
            engine.acc.valid.eq(self.acc.valid & busy),
            self.other_acc.valid.eq(self.acc.valid & ~busy),
            engine.acc.data.eq(self.acc.data),
            self.other_acc.data.eq(self.acc.data),
            engine.spad_out.done.eq(self.spad_out.done & busy),
            self.other_spad_out.done.eq(self.spad_out.done & ~busy),
            self.o_en.eq(self.i_en | engine.o_en),
            self.o_bytes.eq(Mux(busy, engine.o_bytes, self.i_bytes)),
            engine.i.valid.eq(self.i.valid & busy), engine.i.payload.eq(self.i.payload),
            self.o.valid.eq(self.i.valid & ~busy), self.o.payload.eq(self.i.payload),
            self.i.ready.eq(Mux(busy, engine.i.ready, self.o.ready)),
        ]
        return m

    def _choose(self, m, busy, port, mine, other):
        """Connect the requests of one of two ports to ``port``."""
        m.d.comb += [
            port.req.valid.eq(Mux(busy, mine.req.valid, other.req.valid)),
            port.req.payload.eq(Mux(busy, mine.req.payload, other.req.payload)),
            mine.req.ready.eq(port.req.ready & busy),
            other.req.ready.eq(port.req.ready & ~busy),
        ]
