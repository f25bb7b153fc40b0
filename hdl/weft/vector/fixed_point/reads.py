"""Address generator of the fixed-point instructions: reads of operands, in order."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from ...control.instruction_layout import instruction_layout
from ...control.unit_interface import INSTRUCTION_SHAPE
from ...spec.fixed_point_instructions import RECORD_BYTES, InputType, OperandType
from .settings import InstructionKind, Settings, lane_count

__all__ = ["OperandRead", "ReadTag", "ReadGenerator"]

WORD = 4                # bytes

ReadTag = data.StructLayout(dict.fromkeys(
    ("row", "shift", "a", "b", "bias", "reads", "odd", "opens", "ends_step", "ends_row"), 1))
"""Purpose of a read. ``row`` is operand b of all elements of a row, and ``shift`` an int32 that
changes the shift of the row; ``a``, ``b`` and ``bias`` are operands of a step. If ``reads`` is low,
nothing is read: a step can be without a read of its own. ``odd`` is set for every second step of a
row, whose operands of 16 bits were read with those of the step before. ``opens`` is set for the
first read of a row, and the other flags for the last one of a step and of a row."""


class OperandRead(data.StructLayout):
    """Layout of a read: its byte address and its tag."""

    def __init__(self, config):
        super().__init__({"addr": config.spad_addr_width, "tag": ReadTag})


class _Operand:
    """Address registers of an operand: current, start of the row, start of the row of rows."""

    def __init__(self, width, step_shape, name):
        self.addr, self.x_addr, self.y_addr, self.x_pitch, self.y_pitch = (
            Signal(width, name=f"{name}_{part}")
            for part in ("addr", "x_addr", "y_addr", "x_pitch", "y_pitch"))
        self.step = Signal(step_shape, name=f"{name}_step")     # bytes


class ReadGenerator(wiring.Component):
    """Generator of the reads of an instruction, one per cycle.

    For each row, it reads the multiplier and the shift that belong to the row, if there are any.
    For each step of ``lane_count(config)`` elements, it reads operand a and then operand b; with 16
    bits, only for every second step, which may read beyond an odd last step; these bytes are
    ignored. A step without a read still takes a cycle. A row
    of DRAIN_PLANES is a position; its operand a is the output, if that is added, and its operand b
    is followed by the biases of the channels. SOLVE reads
    records as rows of four int32.

    Parameters
    ----------
    config : :class:`Config`

    Members
    -------
    i_start : :py:`In(1)`
        Start an instruction. Not allowed before the last read of the previous one is accepted.
    i_instruction, i_kind : :py:`In(256)`, :py:`In(InstructionKind)`
        A validated instruction, in the cycle of ``i_start``.
    i_elements : :py:`In(16)`
        Elements of a row, in the cycle of ``i_start``.
    i_settings : :py:`In(Settings(config))`
        Settings of the instruction, from the next cycle on.
    o : :py:`Out(stream.Signature(OperandRead(config)))`
        Reads.
    """

    def __init__(self, config):
        self.config = config
        super().__init__({
            "i_start": In(1),
            "i_instruction": In(INSTRUCTION_SHAPE),
            "i_kind": In(InstructionKind),
            "i_elements": In(16),
            "i_settings": In(Settings(config)),
            "o": Out(stream.Signature(OperandRead(config))),
        })

    def elaborate(self, platform):
        m = Module()
        width = self.config.spad_addr_width
        lanes = lane_count(self.config)
        settings = self.i_settings
        operands = a, b = [_Operand(width, range(WORD * lanes + 1), name) for name in "ab"]
        bias_offset = Signal(width)     # of the biases of a step from the next operand b
        shift_addr, shift_first = Signal(width), Signal(width)
        steps, steps_left = Signal(16), Signal(16)              # numbers minus 1
        x_count, xs_left, ys_left = Signal(16), Signal(16), Signal(16)

        # reads of a row in this order; `following` is the next one that the instruction has
        of_row = (settings.b_row, settings.b_factor, settings.row_shift | settings.exponent)
        odd = Signal()

        def of_step(odd):
            """Return the reads of a step, and whether operand a is one of them."""
            has_a = (~settings.drain | settings.old) & ~(settings.a_half & odd)
            has_b = settings.b_vector & ~(settings.b_half & odd)
            return (has_a | ~has_b, has_b, settings.channels), has_a

        kinds, has_a = of_step(odd)
        present, following, first = (Signal(len(of_row) + len(kinds), name=name)
                                     for name in ("present", "following", "first"))
        is_first, is_now = Signal.like(present), Signal.like(present, init=1)
        m.d.comb += [present.eq(Cat(*of_row, *kinds)), first.eq(Cat(*of_row, *of_step(0)[0])),
                     following.eq(Cat(0, 0, 0, *of_step(~odd)[0])),
                     is_first.eq(first & -first)]
        after = Signal.like(present)
        later = Signal.like(present)                # reads of the row behind the current one
        m.d.comb += [later.eq(present & ~(is_now | (is_now - 1))), after.eq(later & -later)]
        first_step = Signal.like(present)           # first read of the next step
        m.d.comb += first_step.eq(following & -following)

        active, opens = Signal(), Signal()
        starting = Signal()                         # the settings are valid from this cycle on
        tag, read = self.o.payload.tag, self.o.payload
        ends_step, ends_row, ends_x = Signal(), Signal(), Signal()
        m.d.comb += [
            self.o.valid.eq(active),
            read.addr.eq(Mux(is_now[2], shift_addr, Mux(
                is_now[3], a.addr, b.addr + Mux(is_now[5], bias_offset, 0)))),
            tag.row.eq(is_now[0]), tag.shift.eq(is_now[1] | is_now[2]),
            tag.a.eq(is_now[3]), tag.b.eq(is_now[4]), tag.bias.eq(is_now[5]),
            tag.reads.eq(~is_now[3] | has_a),
            tag.odd.eq(odd),
            tag.opens.eq(opens),
            ends_step.eq(is_now[3:].any() & (later == 0)),
            ends_row.eq(ends_step & (steps_left == 0)),
            ends_x.eq(ends_row & (xs_left == 1)),
            tag.ends_step.eq(ends_step), tag.ends_row.eq(ends_row),
        ]
        m.d.sync += starting.eq(self.i_start)
        with m.If(starting):
            m.d.sync += [active.eq(1), is_now.eq(is_first), opens.eq(1)]
        with m.If(active & self.o.ready):
            m.d.sync += [opens.eq(0), is_now.eq(Mux(ends_step, first_step, after))]
            with m.If(is_now[2]):
                m.d.sync += shift_addr.eq(shift_addr + RECORD_BYTES)
            with m.If(is_now[3] & has_a):
                m.d.sync += a.addr.eq(a.addr + a.step)
            with m.If(is_now[0] | is_now[1] | is_now[4]):
                m.d.sync += b.addr.eq(b.addr + b.step)
            with m.If(ends_step):
                m.d.sync += [steps_left.eq(steps_left - 1), odd.eq(~odd)]
            with m.If(ends_row):
                m.d.sync += [odd.eq(0), opens.eq(1), is_now.eq(is_first), steps_left.eq(steps),
                             xs_left.eq(xs_left - 1)]
                for operand in operands:
                    row = (operand.x_addr + operand.x_pitch)[:width]
                    m.d.sync += [operand.addr.eq(row), operand.x_addr.eq(row)]
            with m.If(ends_x):
                m.d.sync += [xs_left.eq(x_count), ys_left.eq(ys_left - 1),
                             shift_addr.eq(shift_first)]
                for operand in operands:
                    row = (operand.y_addr + operand.y_pitch)[:width]
                    m.d.sync += [operand.addr.eq(row), operand.x_addr.eq(row),
                                 operand.y_addr.eq(row)]
                with m.If(ys_left == 1):
                    m.d.sync += active.eq(0)

        with m.If(self.i_start):
            m.d.sync += [
                steps.eq((self.i_elements - 1)[:16] // lanes),
                steps_left.eq((self.i_elements - 1)[:16] // lanes),
                *self._load(a, b, bias_offset, (shift_addr, shift_first),
                            (x_count, xs_left, ys_left)),
            ]
        return m

    def _load(self, a, b, bias_offset, shift_addrs, counters):
        """Return the assignments of addresses, pitches and counters at the start."""
        x_count, xs_left, ys_left = counters
        lanes = lane_count(self.config)
        compute, drain = (data.View(instruction_layout(name), self.i_instruction)
                          for name in ("COMPUTE", "DRAIN_PLANES"))
        # SOLVE has its operand and its count in the fields of COMPUTE
        is_drain, is_compute = self.i_kind.DRAIN_PLANES, self.i_kind.COMPUTE
        is_byte = is_compute & (compute.a_type == InputType.INT8)
        is_row = is_compute & ((compute.b_type == OperandType.ROW)
                               | (compute.b_type == OperandType.FACTOR))
        a_addr = Mux(is_drain, drain.out_addr, compute.a_addr)
        b_addr = Mux(is_drain, drain.b_addr, compute.b_addr)
        count = Mux(is_drain, drain.x_count, compute.count)
        rows = [
            a.addr.eq(a_addr), a.x_addr.eq(a_addr), a.y_addr.eq(a_addr),
            a.x_pitch.eq(Mux(is_drain, drain.x_pitch, compute.a_pitch)),
            a.y_pitch.eq(drain.y_pitch), a.step.eq(Mux(is_byte, lanes, Const(WORD * lanes))),
            b.addr.eq(b_addr), b.x_addr.eq(b_addr), b.y_addr.eq(b_addr),
            b.x_pitch.eq(Mux(is_drain, 0, compute.b_pitch)),
            b.y_pitch.eq(drain.b_pitch), b.step.eq(Mux(is_row, WORD, Const(WORD * lanes))),
        ]
        # the biases follow the multipliers of all channels; operand b of the step has been read
        rows.append(bias_offset.eq((drain.channels << exact_log2(WORD)) - WORD * lanes))
        shift_addr = Mux(is_drain, drain.row_addr, compute.row_addr)
        return [
            *rows, *(register.eq(shift_addr) for register in shift_addrs),
            x_count.eq(count), xs_left.eq(count),
            ys_left.eq(Mux(is_drain, drain.y_count, 1)),
        ]
