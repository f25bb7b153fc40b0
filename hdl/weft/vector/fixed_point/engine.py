"""Execution of the fixed-point instructions."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ...control.instruction_layout import instruction_layout
from ...control.unit_interface import INSTRUCTION_SHAPE
from ...spec.fixed_point_instructions import RECORD_BYTES, SolveOp
from ...sram.ports import AccReadPort, ReadPort, WritePort
from .lanes import LANE_PORTS, FixedPointLanes
from .operands import OperandReader
from .plane_rows import PlaneRows
from .reads import ReadGenerator
from .reduction import NUMBER, RowReduction
from .settings import InstructionKind, SettingsDecoder, lane_count
from .solver import Solver
from .steps import StepCollector
from .writer import FixedPointWriter

__all__ = ["FixedPointEngine"]

SPACE = 4               # free entries of the queue that allow another step


class FixedPointEngine(wiring.Component):
    """Part of VECTOR that executes COMPUTE, SOLVE and DRAIN_PLANES, one instruction at a time.

    Let ``lanes`` be ``lane_count(config)``, and ``steps`` the number of elements of a row over
    ``lanes``, rounded up. Without stalls, the following numbers of cycles are ideal, beside a
    constant for each instruction.

    ================================  ===========================================================
    instruction                       cycles of a row or position
    ================================  ===========================================================
    COMPUTE                           reads or writes, whichever are more: ``steps`` reads of a,
                                      ``steps`` reads of b if it is a vector, half as many of
                                      vectors of 16 bits, but at least one cycle for each step; one
                                      read for each int32 of a row; ``steps`` writes, and the parts
                                      of a record
    COMPUTE, op ROTATE                3 cycles per step, or 7 cycles per pair with one lane
    DRAIN_PLANES                      the larger of ``steps`` for each operand in the scratchpad,
                                      and the time of :class:`PlaneRows`
    SOLVE                             the cycles of :class:`Solver` and the latencies of the
                                      scratchpad and the pipeline
    ================================  ===========================================================

    Parameters
    ----------
    config : :class:`Config`
    queue_depth : :class:`int`
        Entries of the queue between ``o_en`` and ``i``.

    Members
    -------
    i_start : :py:`In(1)`
        Start an instruction. Not allowed while ``o_busy`` is high.
    i_instruction, i_kind : :py:`In(256)`, :py:`In(InstructionKind)`
        A validated instruction.
    o_busy, o_done : :py:`Out(1)` each
        An instruction is in progress, from the cycle after ``i_start`` to that of ``o_done``.
    acc, spad, spad_out
        Ports of the memories.
    o_value, o_multiplier, i_product
        See :class:`FixedPointLanes`.
    o_en, o_bytes : :py:`Out(1)`, :py:`Out(ArrayLayout(8, vector_port_bytes))`
        Entry for the queue.
    i : :py:`In(stream.Signature(ArrayLayout(8, vector_port_bytes)))`
        Output of the queue.
    """

    def __init__(self, config, *, queue_depth):
        self.config = config
        self.queue_depth = queue_depth
        width, port = config.spad_addr_width, config.vector_port_bytes
        self.lanes = FixedPointLanes(config)
        self.writer = FixedPointWriter(config)
        members = self.lanes.signature.members
        super().__init__({
            "i_start": In(1),
            "i_instruction": In(INSTRUCTION_SHAPE),
            "i_kind": In(InstructionKind),
            "o_busy": Out(1),
            "o_done": Out(1),
            "acc": Out(AccReadPort(row_width=config.acc_addr_width, cols=config.cols)),
            "spad": Out(ReadPort(width, port)),
            "spad_out": Out(WritePort(width, port)),
            **{name: members[name] for name in LANE_PORTS},
            "o_en": Out(1),
            "o_bytes": Out(data.ArrayLayout(8, port)),
            "i": In(stream.Signature(data.ArrayLayout(8, port))),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.decoder = decoder = SettingsDecoder(config)
        m.submodules.generator = generator = ReadGenerator(config)
        m.submodules.reader = reader = OperandReader(config)
        m.submodules.rows = rows = PlaneRows(config)
        m.submodules.collector = collector = StepCollector(config)
        m.submodules.lanes = lanes = self.lanes
        m.submodules.reduction = RowReduction(lane_count(config))
        m.submodules.writer = writer = self.writer
        settings = decoder.o
        connect(m, generator.o, reader.i)
        connect(m, reader.spad, flipped(self.spad))
        connect(m, reader.o, collector.i)
        connect(m, rows.acc, flipped(self.acc))
        connect(m, writer.spad_out, flipped(self.spad_out))
        for name in LANE_PORTS:
            mine, other = getattr(self, name), getattr(lanes, name)
            m.d.comb += mine.eq(other) if name.startswith("o_") else other.eq(mine)

        for part in (decoder, generator, writer):
            m.d.comb += [part.i_start.eq(self.i_start), part.i_kind.eq(self.i_kind),
                         part.i_instruction.eq(self.i_instruction)]
        compute = data.View(instruction_layout("COMPUTE"), self.i_instruction)
        is_drain, is_compute = self.i_kind.DRAIN_PLANES, self.i_kind.COMPUTE
        # nothing is read if there are neither results nor reductions
        empty = is_compute & (compute.out_type == 0) & (compute.reduce == 0)
        m.d.comb += [
            generator.i_start.eq(self.i_start & ~empty),
            generator.i_elements.eq(decoder.o_elements),
            writer.i_results.eq(decoder.o_results),
            rows.i_start.eq(self.i_start & is_drain),
            rows.i_instruction.eq(self.i_instruction),
            collector.i_start.eq(self.i_start),
            collector.i_rows_ready.eq(rows.o_ready),
            rows.i_step.eq(collector.o_step_en & settings.drain),
            rows.i_last.eq(collector.o_step_last),
            lanes.i_a.eq(collector.o_a), lanes.i_b.eq(collector.o_b),
            lanes.i_bias.eq(collector.o_bias),
            lanes.i_high.eq(rows.o_high), lanes.i_low.eq(rows.o_low),
            lanes.i_step.eq(collector.o_step),
            lanes.i_step.valid.eq(collector.o_step.valid & ~settings.solve),
        ]
        for part in (generator, collector, lanes, writer):
            m.d.comb += part.i_settings.eq(settings)
        self._reduce(m, settings)
        self._space(m, settings)

        m.d.comb += self.o_done.eq(self.o_busy & self.spad_out.done)
        with m.If(self.o_done):
            m.d.sync += self.o_busy.eq(0)
        with m.If(self.i_start):
            m.d.sync += self.o_busy.eq(1)
        return m

    def _reduce(self, m, settings):
        """Connect the reduction, and the solver, whose results take the same paths."""
        lanes, reduction, writer = m.submodules.lanes, m.submodules.reduction, m.submodules.writer
        collector = m.submodules.collector
        count = lane_count(self.config)
        m.submodules.solver = solver = Solver()
        last_used = Mux(lanes.o_last, settings.last_used, count - 1)
        m.d.comb += [
            reduction.i_magnitude.eq(settings.magnitude),
            reduction.i_greatest.eq(settings.greatest),
            reduction.i_en.eq(lanes.o_reduce_en),
            reduction.i_first.eq(lanes.o_first), reduction.i_last.eq(lanes.o_last),
            reduction.i_used.eq(Cat(last_used >= lane for lane in range(count))),
            reduction.i_values.eq(lanes.o_values),
        ]

        # a record arrives in the steps of its row
        record = Signal(8 * RECORD_BYTES)
        arrives = Signal()
        words = Cat(collector.o_a)
        m.d.comb += arrives.eq(collector.o_step.valid & settings.solve)
        with m.If(arrives):
            m.d.sync += record.eq(Cat(record, words)[-len(record):] if len(words) < len(record)
                                  else words[:len(record)])
        start, second, scale_valid = Signal(), Signal(), Signal()
        single = (settings.solve_op == SolveOp.MEAN) | (settings.solve_op == SolveOp.EXPONENT)
        m.d.sync += [
            start.eq(arrives & collector.o_step.last),
            second.eq(solver.o_done & ~single & (count == 1)),
        ]
        m.d.comb += [
            solver.i_start.eq(start), solver.i_op.eq(settings.solve_op),
            solver.i_constant.eq(settings.constant), solver.i_operand.eq(record[:NUMBER]),
        ]
        with m.If(writer.i_record.ready):
            m.d.sync += scale_valid.eq(0)
        with m.If(solver.o_done & (settings.solve_op == SolveOp.SCALE)):
            m.d.sync += scale_valid.eq(1)
        m.d.comb += [
            writer.i_record.valid.eq(Mux(settings.solve, scale_valid, reduction.o.valid)),
            writer.i_record.payload.eq(Mux(settings.solve, solver.o_scale, reduction.o.payload)),
            reduction.o.ready.eq(writer.i_record.ready & ~settings.solve),
        ]
        shift = Signal(signed(32))
        m.d.comb += shift.eq(solver.o_shift)
        factor = Cat(solver.o_multiplier, shift)
        if count == 1:
            factor = Mux(second, shift, solver.o_multiplier)
        m.d.comb += [
            self.o_en.eq(Mux(settings.solve, solver.o_done | second, lanes.o_en)),
            self.o_bytes.as_value().eq(Mux(settings.solve, factor, Cat(lanes.o_results))),
            writer.i.valid.eq(self.i.valid),
            writer.i.payload.eq(self.i.payload),
            self.i.ready.eq(writer.i.ready),
        ]

    def _space(self, m, settings):
        """Count free entries of the queue, and rows in progress."""
        collector, writer = m.submodules.collector, m.submodules.writer
        free = Signal(range(self.queue_depth + 1), init=self.queue_depth)
        rows = Signal(range(4))
        reserve, freed = Signal(), Signal()
        limited = settings.emits & ~settings.solve
        m.d.comb += [
            reserve.eq(collector.o_step_en & limited),
            freed.eq(writer.i.valid & writer.i.ready & limited),
            # a row may start when the number of the row before the previous one has been written,
            # or when the previous row of SOLVE has
            collector.i_row_space.eq(Mux(settings.solve, rows == 0,
                                         ~settings.reduces | (rows < 2))),
        ]
        m.d.sync += [
            free.eq(free + freed - reserve),
            collector.i_space.eq(~limited | (free >= SPACE)),
            rows.eq(rows + (collector.o_row_en & (settings.solve | settings.reduces))
                    - (writer.o_row_en & (settings.solve | settings.reduces))),
        ]

