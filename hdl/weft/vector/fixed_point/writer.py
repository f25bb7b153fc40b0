"""Writer of the fixed-point instructions: results, planes and records."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...control.instruction_layout import instruction_layout
from ...control.unit_interface import INSTRUCTION_SHAPE
from ...spec.fixed_point_instructions import RECORD_BYTES, OutputType, SolveOp
from ...sram.ports import WritePort
from .reduction import NUMBER
from .settings import InstructionKind, Settings, lane_count

__all__ = ["FixedPointWriter"]

SCALE_BYTES = 2


class _Pair:
    """Two steps whose planes are written together.

    A step is held until the next one of its row arrives. Both are taken when their high plane is
    written; their low plane is then in registers.

    Attributes
    ----------
    hold, take : 1 bit
        Hold the next step; take it, and write it with the one that is held. The owner drives them.
    has_held : 1 bit
        A step is held.
    held : array of ``signed(16)``
        Its results.
    is_two, is_last : 1 bit
        The steps that were taken last are two; they end their row.
    """

    def __init__(self, m, payload, last_step):
        self.hold, self.take, self.has_held, self.is_two, self.is_last = (
            Signal(name=f"pair_{name}")
            for name in ("hold", "take", "has_held", "is_two", "is_last"))
        self.held = Signal(data.ArrayLayout(signed(16), len(payload)), reset_less=True)
        with m.If(self.take):
            m.d.sync += [self.has_held.eq(0), self.is_two.eq(self.has_held),
                         self.is_last.eq(last_step)]
        with m.If(self.hold):
            m.d.sync += [self.has_held.eq(1),
                         Cat(self.held).eq(Cat(value[:16] for value in payload))]


class FixedPointWriter(wiring.Component):
    """Writer that moves the results of one instruction from the queue to the scratchpad.

    A step takes one cycle. Planes are written two steps at a time, each plane in one cycle. A
    record takes one cycle for each part as wide as the port. An instruction that writes nothing
    sends a request with all bytes masked, so that the scratchpad reports it as done.

    Parameters
    ----------
    config : :class:`Config`

    Members
    -------
    i_start : :py:`In(1)`
        Start an instruction. Not allowed before the previous one is done.
    i_instruction, i_kind, i_results : :py:`In(256)`, :py:`In(InstructionKind)`, :py:`In(16)`
        The instruction, and its results for each row, in the cycle of ``i_start``.
    i_settings : :py:`In(Settings(config))`
        Settings of the instruction, from the next cycle on.
    i : :py:`In(stream.Signature(ArrayLayout(signed(32), lane_count(config))))`
        Results of the steps, in order.
    i_record : :py:`In(stream.Signature(signed(80)))`
        Records of the rows with a reduction, or scales of SOLVE, in order.
    o_row_en : :py:`Out(1)`
        All results of a row have been taken.
    spad_out : :py:`Out(WritePort(spad_addr_width, vector_port_bytes))`
        Writes of the scratchpad. ``last`` is set for the last write of the instruction.
    """

    def __init__(self, config):
        self.config = config
        lanes = lane_count(config)
        super().__init__({
            "i_start": In(1),
            "i_instruction": In(INSTRUCTION_SHAPE),
            "i_kind": In(InstructionKind),
            "i_results": In(16),
            "i_settings": In(Settings(config)),
            "i": In(stream.Signature(data.ArrayLayout(signed(32), lanes))),
            "i_record": In(stream.Signature(signed(NUMBER))),
            "o_row_en": Out(1),
            "spad_out": Out(WritePort(config.spad_addr_width, config.vector_port_bytes)),
        })

    def elaborate(self, platform):
        m = Module()
        width, port = self.config.spad_addr_width, self.config.vector_port_bytes
        lanes = lane_count(self.config)
        settings = self.i_settings
        addr, x_addr, y_addr, x_pitch, y_pitch, plane_pitch, record_addr, record_pitch = (
            Signal(width, name=name) for name in (
                "addr", "x_addr", "y_addr", "x_pitch", "y_pitch", "plane_pitch", "record_addr",
                "record_pitch"))
        step_bytes = Signal(range(4 * lanes + 1))
        steps, steps_left = Signal(16), Signal(16)      # numbers minus 1
        x_count, xs_left, ys_left = Signal(16), Signal(16), Signal(16)
        has_record, is_scale = Signal(), Signal()
        last_used = Signal(range(lanes))

        parts = -(-RECORD_BYTES // port)
        part = Signal(range(max(parts, 2)))
        active, is_low, in_record = Signal(), Signal(), Signal()
        planes = settings.out_type == OutputType.PLANES
        empty = ~settings.emits & ~has_record
        out = self.spad_out.req
        advance, write = Signal(), Signal()
        ends_step, ends_data, ends_record, ends_row, last = (
            Signal(name=name) for name in
            ("ends_step", "ends_data", "ends_record", "ends_row", "last"))
        last_step = steps_left == 0
        pair = _Pair(m, self.i.payload, last_step)
        hold, take = pair.hold, pair.take
        m.d.comb += [
            advance.eq(~out.valid | out.ready),
            hold.eq(active & self.i.valid & planes & settings.emits & ~in_record & ~pair.has_held
                    & ~last_step & ~(is_low & pair.is_last)),
            write.eq(active & advance & Mux(in_record, self.i_record.valid,
                                            is_low | (self.i.valid & ~hold) | empty)),
            take.eq(write & ~in_record & ~is_low & ~empty),
            ends_step.eq(~in_record & (~planes | is_low)),
            ends_data.eq(ends_step & Mux(is_low, pair.is_last, last_step)),
            ends_record.eq(in_record & (is_scale | (part == parts - 1))),
            ends_row.eq(Mux(in_record, ends_record, ends_data & ~has_record)),
            last.eq(ends_row & (xs_left == 1) & (ys_left == 1) | empty),
            self.i.ready.eq(hold | take),
            self.i_record.ready.eq(write & ends_record),
            self.o_row_en.eq(write & ends_row),
        ]
        record_data, record_mask = self._record(part, is_scale)
        step_data, step_mask = self._step(m, is_low, Mux(last_step, last_used, lanes - 1), pair)
        with m.If(hold | take):
            m.d.sync += steps_left.eq(steps_left - 1)
        record_offset = Mux(is_scale, 0, part * port)
        with m.If(advance):
            m.d.sync += [
                out.valid.eq(write),
                out.payload.addr.eq(Mux(in_record, record_addr + record_offset, Mux(
                    is_low, addr + plane_pitch, addr))),
                Cat(out.payload.data).eq(Mux(in_record, record_data, step_data)),
                out.payload.mask.eq(Mux(in_record, record_mask, Mux(empty, 0, step_mask))),
                out.payload.last.eq(last),
            ]
        with m.If(write):
            m.d.sync += [is_low.eq(~in_record & planes & ~is_low), part.eq(part + 1)]
            with m.If(ends_step):
                m.d.sync += addr.eq(addr + (step_bytes << (is_low & pair.is_two)))
            with m.If(ends_data & has_record):
                m.d.sync += [in_record.eq(1), part.eq(0)]
            with m.If(ends_row):
                following = (x_addr + x_pitch)[:width]
                m.d.sync += [
                    in_record.eq(~settings.emits), part.eq(0), steps_left.eq(steps),
                    record_addr.eq(record_addr + record_pitch),
                    xs_left.eq(xs_left - 1), addr.eq(following), x_addr.eq(following),
                ]
                with m.If(xs_left == 1):
                    following = (y_addr + y_pitch)[:width]
                    m.d.sync += [
                        xs_left.eq(x_count), ys_left.eq(ys_left - 1),
                        addr.eq(following), x_addr.eq(following), y_addr.eq(following),
                    ]
            with m.If(last):
                m.d.sync += active.eq(0)

        compute, solve, drain = (data.View(instruction_layout(name), self.i_instruction)
                                 for name in ("COMPUTE", "SOLVE", "DRAIN_PLANES"))
        is_drain, is_compute, is_solve = (
            self.i_kind.DRAIN_PLANES, self.i_kind.COMPUTE, self.i_kind.SOLVE)
        scale = is_solve & (solve.op == SolveOp.SCALE)
        kind = compute.out_type
        new_record = is_compute & (compute.reduce != 0) | scale
        with m.If(self.i_start):
            m.d.sync += [
                active.eq(1), is_low.eq(0), part.eq(0), has_record.eq(new_record),
                in_record.eq(new_record & ~scale & (kind == OutputType.NONE)), is_scale.eq(scale),
                addr.eq(compute.out_addr), x_addr.eq(compute.out_addr), y_addr.eq(compute.out_addr),
                x_pitch.eq(Mux(is_drain, drain.x_pitch, compute.out_pitch)),
                y_pitch.eq(drain.y_pitch), plane_pitch.eq(compute.plane_pitch),
                record_addr.eq(Mux(is_solve, solve.b_addr, compute.row_addr)),
                record_pitch.eq(Mux(is_solve, solve.b_pitch, Const(RECORD_BYTES))),
                *self._counts(step_bytes, steps, steps_left, last_used, x_count, xs_left, ys_left),
            ]
        return m

    def _counts(self, step_bytes, steps, steps_left, last_used, x_count, xs_left, ys_left):
        """Return the assignments of counters at the start."""
        compute, drain = (data.View(instruction_layout(name), self.i_instruction)
                          for name in ("COMPUTE", "DRAIN_PLANES"))
        is_drain, lanes = self.i_kind.DRAIN_PLANES, lane_count(self.config)
        count, last = Mux(is_drain, drain.x_count, compute.count), (self.i_results - 1)[:16]
        element_bytes = Mux(self.i_kind.COMPUTE, self._element_bytes(compute.out_type), 4)
        return [
            step_bytes.eq(element_bytes * lanes),
            steps.eq(last // lanes), steps_left.eq(last // lanes),
            last_used.eq(last[:(lanes - 1).bit_length()]),
            x_count.eq(count), xs_left.eq(count), ys_left.eq(Mux(is_drain, drain.y_count, 1)),
        ]

    def _element_bytes(self, kind):
        """Return the bytes of an element of an output type; of one plane, if it has two."""
        is_byte = (kind == OutputType.INT8) | (kind == OutputType.PLANES)
        is_half = (kind == OutputType.UINT16) | (kind == OutputType.INT16)
        return Mux(is_byte, 1, Mux(is_half, 2, 4))

    def _record(self, part, is_scale):
        """Return bytes and mask of a part of a record, or of a scale."""
        port = self.config.vector_port_bytes
        record = self.i_record.payload
        extended = Cat(record, record[-1].replicate(8 * max(port, RECORD_BYTES) - NUMBER))
        mask = (1 << min(port, RECORD_BYTES)) - 1
        if port >= RECORD_BYTES:
            return extended, Mux(is_scale, (1 << SCALE_BYTES) - 1, mask)
        return (extended.word_select(part, 8 * port),
                Mux(is_scale, (1 << SCALE_BYTES) - 1, mask))

    def _step(self, m, is_low, last_lane, pair):
        """Return the bytes of a step, and their mask; planes include those of the step before."""
        lanes = lane_count(self.config)
        values = self.i.payload
        step_data, mask = Signal(32 * lanes), Signal(4 * lanes)
        used = Signal(lanes)
        m.d.comb += [used[lane].eq(last_lane >= lane) for lane in range(lanes)]

        def assign(size, numbers):
            m.d.comb += [step_data.eq(Cat(numbers)),
                         mask.eq(Cat(bit.replicate(size) for bit in used))]

        with m.Switch(self.i_settings.out_type):
            with m.Case(OutputType.UINT16, OutputType.INT16):
                assign(2, [value[:16] for value in values])
            with m.Case(OutputType.INT8):
                assign(1, [value[:8] for value in values])
            with m.Case(OutputType.PLANES):
                low, high, low_mask = Signal(16 * lanes), Signal(16 * lanes), Signal(2 * lanes)
                # in front, the step that is held; without one, the second half is masked
                both = ([Mux(pair.has_held, old, new[:16]) for old, new in zip(pair.held, values)]
                        + [new[:16] for new in values])
                high_mask = Mux(pair.has_held, Cat(Const(-1, lanes), used), used)
                m.d.comb += [
                    high.eq(Cat((value[8:16] + value[7])[:8] for value in both)),
                    step_data.eq(Mux(is_low, low, high)),
                    mask.eq(Mux(is_low, low_mask, high_mask)),
                ]
                with m.If(pair.take):
                    m.d.sync += [low.eq(Cat(value[:8] for value in both)), low_mask.eq(high_mask)]
            with m.Default():
                assign(4, [value.as_unsigned() for value in values])
        return step_data, mask
