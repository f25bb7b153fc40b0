"""Settings of a fixed-point instruction, which hold until it is done."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...control.instruction_layout import instruction_layout
from ...control.unit_interface import INSTRUCTION_SHAPE
from ...spec.fixed_point_instructions import (
    ComputeOp,
    InputType,
    OperandType,
    OutputType,
    Reduction,
    Scale,
    SolveOp,
)

__all__ = ["FIXED_POINT_NAMES", "InstructionKind", "Settings", "SettingsDecoder", "lane_count"]

FIXED_POINT_NAMES = ("DRAIN_PLANES", "COMPUTE", "SOLVE")
"""Instructions of this package."""

InstructionKind = data.StructLayout(dict.fromkeys(FIXED_POINT_NAMES, 1))
"""One-hot kind of an instruction."""

STEP = 4                # fraction bits of an argument that select an entry of a table
INTERPOLATED_SHIFT = 16
RECORD_WORDS = 4        # a record is read like a row of int32


def lane_count(config):
    """Return the number of elements that are computed per cycle: one per int32 of the ports."""
    return config.vector_port_bytes // 4


class Settings(data.StructLayout):
    """Layout of the decoded fields of an instruction.

    ``linear`` is set for ADD and SUBTRACT, ``interpolates`` for EXPONENTIAL, SIGMOID and GELU_GATE.
    ``b_vector``, ``b_row`` and ``b_factor`` state the form of operand b; with none of them, it is
    1. ``a_half`` and ``b_half`` are set for vectors of 16 bits. ``old`` is set if the int32 at the
    output is added, ``emits`` if results are written, ``channels`` if each channel has a
    multiplier, a shift and a bias, and ``exact`` if the reduction is of results before they are
    limited. ``last_used`` is the index of the last lane that the last step of a row uses.
    """

    def __init__(self, config):
        lanes = lane_count(config)
        super().__init__({
            "drain": 1, "solve": 1,
            "rotate": 1, "linear": 1, "subtract": 1, "maximum": 1,
            "interpolates": 1, "exponential": 1, "function": 2, "fraction": 5,
            "a_type": 2, "out_type": 3,
            "a_half": 1, "b_vector": 1, "b_half": 1, "b_row": 1, "b_factor": 1, "b_int32": 1,
            "squares": 1, "reduces": 1, "greatest": 1, "magnitude": 1, "exact": 1, "emits": 1,
            "row_shift": 1, "exponent": 1, "old": 1, "channels": 1,
            "shift": signed(7), "pre_shift": 6,
            "solve_op": 3, "constant": 64,
            "last_used": range(lanes),
        })


class SettingsDecoder(wiring.Component):
    """Decoder of the fields of an instruction into :class:`Settings`.

    Parameters
    ----------
    config : :class:`Config`

    Members
    -------
    i_start : :py:`In(1)`
        Store the settings of the instruction in ``i_instruction``.
    i_instruction, i_kind : :py:`In(256)`, :py:`In(InstructionKind)`
        A validated instruction.
    o : :py:`Out(Settings(config))`
        Settings from the cycle after ``i_start`` to the next ``i_start``.
    o_elements, o_results : :py:`Out(16)` each
        Elements to read, and results to write, for each row of the instruction in
        ``i_instruction``, in the same cycle.
    """

    def __init__(self, config):
        self.config = config
        super().__init__({
            "i_start": In(1),
            "i_instruction": In(INSTRUCTION_SHAPE),
            "i_kind": In(InstructionKind),
            "o": Out(Settings(config)),
            "o_elements": Out(16),
            "o_results": Out(16),
        })

    def elaborate(self, platform):
        m = Module()
        compute, solve, drain = (
            data.View(instruction_layout(name), self.i_instruction)
            for name in ("COMPUTE", "SOLVE", "DRAIN_PLANES"))
        is_compute, is_solve, is_drain = (
            self.i_kind.COMPUTE, self.i_kind.SOLVE, self.i_kind.DRAIN_PLANES)
        lane_bits = (lane_count(self.config) - 1).bit_length()

        single = (solve.op == SolveOp.MEAN) | (solve.op == SolveOp.EXPONENT)
        m.d.comb += [
            self.o_elements.eq(Mux(is_compute, compute.elements_count,
                                   Mux(is_solve, Const(RECORD_WORDS, 16), drain.channels))),
            self.o_results.eq(Mux(is_solve, Mux(single, 1, 2), self.o_elements)),
        ]
        def op(*names):
            return is_compute & Cat(compute.op == ComputeOp[name] for name in names).any()

        new = Signal(Settings(self.config))
        linear, interpolates = op("ADD", "SUBTRACT"), op("EXPONENTIAL", "SIGMOID", "GELU_GATE")
        scaled = is_drain & (drain.scale != Scale.NONE)
        m.d.comb += [
            new.drain.eq(is_drain),
            new.solve.eq(is_solve),
            new.rotate.eq(op("ROTATE")),
            new.linear.eq(linear),
            new.subtract.eq(op("SUBTRACT")),
            new.maximum.eq(op("MAXIMUM")),
            new.interpolates.eq(interpolates),
            new.exponential.eq(op("EXPONENTIAL")),
            new.function.eq(compute.op - ComputeOp.EXPONENTIAL),
            new.fraction.eq((compute.shift - STEP).as_unsigned()),
            new.a_type.eq(Mux(is_compute, compute.a_type, InputType.INT32)),
            new.out_type.eq(Mux(is_compute, compute.out_type, OutputType.INT32)),
            new.b_int32.eq(Mux(is_compute, compute.b_type == OperandType.INT32,
                               is_drain & (drain.scale == Scale.CHANNELS))),
            new.a_half.eq(is_compute & ((compute.a_type == InputType.UINT16)
                                        | (compute.a_type == InputType.INT16))),
            new.b_half.eq(Mux(is_compute, compute.b_type == OperandType.UINT16,
                              is_drain & (drain.scale == Scale.VECTOR))),
            new.b_vector.eq(Mux(is_compute, (compute.b_type == OperandType.INT32)
                                | (compute.b_type == OperandType.UINT16),
                                is_drain & (drain.scale != Scale.NONE))),
            new.b_row.eq(is_compute & ((compute.b_type == OperandType.ROW)
                                       | (compute.b_type == OperandType.FACTOR))),
            new.b_factor.eq(is_compute & (compute.b_type == OperandType.FACTOR)),
            new.squares.eq(is_compute & (compute.reduce == Reduction.SQUARES)),
            new.reduces.eq(is_compute & (compute.reduce != Reduction.NONE)),
            new.greatest.eq((compute.reduce == Reduction.MAXIMUM)
                            | (compute.reduce == Reduction.MAGNITUDE)),
            new.magnitude.eq(compute.reduce == Reduction.MAGNITUDE),
            new.exact.eq((compute.reduce == Reduction.MAGNITUDE)
                         | (compute.reduce == Reduction.SQUARES)),
            new.emits.eq(~is_compute | (compute.out_type != OutputType.NONE)),
            new.row_shift.eq(is_compute & compute.row_shift),
            new.exponent.eq(is_drain & drain.exponent),
            new.old.eq(is_drain & drain.add),
            new.channels.eq(is_drain & (drain.scale == Scale.CHANNELS)),
            # the shift of functions is that of the interpolation
            new.shift.eq(Mux(is_drain, Mux(scaled, drain.shift, 0), Mux(
                interpolates, INTERPOLATED_SHIFT,
                Mux(linear | op("MAXIMUM"), 0, compute.shift)))),
            new.pre_shift.eq(drain.pre_shift),
            new.solve_op.eq(solve.op),
            new.constant.eq(solve.constant),
            new.last_used.eq((self.o_elements - 1)[:lane_bits]),
        ]
        with m.If(self.i_start):
            m.d.sync += self.o.eq(new)
        return m

