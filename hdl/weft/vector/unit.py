"""The VECTOR unit: accumulators through the requantiser into the scratchpad."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import fifo, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..control.hold import InstructionHold
from ..control.unit import UnitSignature
from ..sram.ports import AccReadPort, ReadPort, WritePort
from .drain import DrainReader
from .lanes import Lanes
from .params import ParamsReader
from .store import ChannelStore
from .write import DrainWriter

__all__ = ["VectorUnit"]

PIPELINE_DEPTH = 24
"""Cycles from the request of a row to the write of its first bytes, with an accumulator memory of
up to six cycles of latency: so many steps are on their way while none is held up."""


class VectorUnit(wiring.Component):
    """Carries out PARAMS, DRAIN and SYNC_VECTOR; see :mod:`weft.control.isa` for what they do.

    A DRAIN of *n* positions takes ``n * ceil(channels / vector_lanes)`` cycles, in mode RAW
    ``n * channels``, and a constant: positions and rows follow each other without a gap. The
    next DRAIN starts while the last bytes of the one before are still on their way. PARAMS waits
    for them, so that it reads what DRAINs before it have written.

    Parameters
    ----------
    config : :class:`Config`

    Members
    -------
    unit : :py:`In(UnitSignature())`
        ``conflict`` is a cycle late. There is no bus, so ``error`` and ``wait_memory`` stay low.
    acc : :py:`Out(AccReadPort(row_width, cols))`
        The accumulators that DRAIN reads. Their latency is 1 to 15 cycles; beyond 6, DRAIN is
        slower than one step a cycle.
    spad : :py:`Out(ReadPort(spad_addr_width, 4))`
        What PARAMS reads.
    spad_out : :py:`Out(WritePort(spad_addr_width, max(vector_lanes, 4)))`
        What DRAIN writes.
    """

    def __init__(self, config):
        self.config = config
        spad_addr_width = (config.spad_bytes - 1).bit_length()
        super().__init__({
            "unit": In(UnitSignature()),
            "acc": Out(AccReadPort(row_width=(config.acc_rows - 1).bit_length(),
                                   cols=config.cols)),
            "spad": Out(ReadPort(spad_addr_width, 4)),
            "spad_out": Out(WritePort(spad_addr_width, max(config.vector_lanes, 4))),
        })

    @property
    def room(self):
        """Entries of the queue between the lanes and the scratchpad, a power of two."""
        return 1 << (self.config.cols + PIPELINE_DEPTH - 1).bit_length()

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.params = params = ParamsReader(config)
        m.submodules.reader = reader = DrainReader(config, room=self.room)
        m.submodules.lanes = lanes = Lanes(config)
        m.submodules.writer = writer = DrainWriter(config)
        # the buffer's output register is one entry more
        m.submodules.queue = queue = fifo.SyncFIFOBuffered(
            width=len(lanes.o_bytes.as_value()), depth=self.room + 1)

        shapes = {"bias": signed(32), "multiplier": 31, "shift": 6}
        channels = (lanes.o_bias_channel, lanes.o_multiplier_channel, lanes.o_shift_channel)
        values = (lanes.i_biases, lanes.i_multipliers, lanes.i_shifts)
        for (name, shape), channel, value in zip(shapes.items(), channels, values):
            store = ChannelStore(channels=config.cols, lanes=config.vector_lanes, shape=shape)
            m.submodules[f"{name}_store"] = store
            m.d.comb += [
                store.i_write_en.eq(getattr(params, f"o_{name}_en")),
                store.i_write_channel.eq(params.o_channel),
                store.i_write_value.eq(getattr(params, f"o_{name}")),
                store.i_channel.eq(channel),
                value.eq(store.o_values),
            ]

        connect(m, reader.acc, flipped(self.acc))
        connect(m, params.spad, flipped(self.spad))
        connect(m, writer.spad_out, flipped(self.spad_out))
        m.d.comb += [
            lanes.i_step.eq(reader.o_step),
            lanes.i_acc.eq(reader.o_acc),
            queue.w_en.eq(lanes.o_en),
            queue.w_data.eq(lanes.o_bytes),
            writer.i.payload.eq(queue.r_data),
            writer.i.valid.eq(queue.r_rdy),
            queue.r_en.eq(writer.i.ready),
            reader.i_free.eq(writer.i.valid & writer.i.ready),
        ]
        self._issue(m, params, reader, lanes, writer)
        return m

    def _issue(self, m, params, reader, lanes, writer):
        """Hands an instruction to the parts that carry it out."""
        unit = self.unit
        m.submodules.hold = hold = InstructionHold(["DRAIN", "PARAMS"])
        connect(m, flipped(unit.cmd), hold.i)
        is_drain, is_params = hold.o_is["DRAIN"], hold.o_is["PARAMS"]
        word = hold.o.payload

        slot = Signal()
        free = Signal()
        drain, sync = Signal(), Signal()
        m.d.comb += [
            hold.i_halt.eq(unit.halt),
            free.eq(hold.o.valid & writer.o_ready & ~params.o_busy),
            drain.eq(free & is_drain & reader.o_ready),
            # what a DRAIN before it writes may be what it reads, and no step may need the old
            # parameters any more
            params.i_start.eq(free & is_params & ~writer.o_busy),
            sync.eq(free & ~is_drain & ~is_params),
            hold.o.ready.eq(drain | params.i_start | sync),
        ]
        with m.If(drain):
            # the writer took at most one DRAIN before this one, and that has the other slot
            m.d.sync += slot.eq(~slot)

        for part in (reader, lanes):
            m.d.comb += [part.i_start.eq(drain), part.i_instruction.eq(word),
                         part.i_slot.eq(slot)]
        conflict = Signal()
        m.d.sync += conflict.eq(
            (self.acc.req.valid & ~self.acc.req.ready)
            | (self.spad.req.valid & ~self.spad.req.ready)
            | (self.spad_out.req.valid & ~self.spad_out.req.ready))
        m.d.comb += [
            params.i_instruction.eq(word),
            writer.i_start.eq(drain | sync | params.o_done),
            writer.i_instruction.eq(word),
            writer.i_empty.eq(~drain),
            unit.done.eq(writer.o_done),
            unit.busy.eq(hold.o.valid | params.o_busy | writer.o_busy),
            unit.conflict.eq(conflict),
        ]
