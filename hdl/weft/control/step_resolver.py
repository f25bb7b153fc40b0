"""Replacement of an instruction that uses step registers by one without them."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from ..spec import isa
from ..spec.step_instructions import STEP_BIT, STEP_COUNTS, STEP_REGISTERS
from .step_registers import StepRead
from .unit_interface import INSTRUCTION_SHAPE

__all__ = ["StepResolver"]

_OPCODE_BIT = STEP_BIT.bit_length() - 1
_REGISTER_BITS = exact_log2(STEP_REGISTERS)
_COPIES = [instruction for instruction in isa.STEP_INSTRUCTIONS
           if "host_step" in instruction.by_name]
_HOST, _HOST_STEP, _COUNT_STEP = (_COPIES[0].field(name) for name in (
    "host_addr", "host_step", "count_step"))


def _counts():
    """Return the offset of the count field, and the opcodes of the instructions with it."""
    found = {}
    for instruction in isa.STEP_INSTRUCTIONS:
        base = isa.BY_OPCODE[instruction.opcode & ~STEP_BIT]
        field = base.field(STEP_COUNTS[base.name])
        assert field.width == 16, base.name
        found.setdefault(field.offset, []).append(instruction.opcode)
    return found


_COUNTS = _counts()


class StepResolver(wiring.Component):
    """Replacement of a variant with the bit :data:`STEP_BIT` by the instruction that is executed.

    The owner stores an instruction in a register and reports this with ``i_load``. While
    ``o_update`` is high, it replaces the bits ``changing`` of the register by those of ``o_word``.
    When ``o_busy`` is low, the register contains the result. That is one cycle after ``i_load`` for
    an instruction that is no variant, ``COUNT_CYCLES`` more for a variant with a count, and
    ``COPY_CYCLES`` more for a variant of a copy, unless the registers are busy.

    Attributes
    ----------
    changing : list of :class:`slice`
        Bits in which ``o_word`` may differ from ``i_word``.

    Members
    -------
    i_load : :py:`In(1)`, ``i_opcode`` : :py:`In(8)`
        An instruction with this opcode will be in the register from the next cycle on.
    i_word : :py:`In(256)`
        The register.
    steps : :py:`Out(StepRead())`
        Step registers.
    o_busy : :py:`Out(1)`
        The instruction is being replaced.
    o_update : :py:`Out(1)`, ``o_word`` : :py:`Out(256)`
        Next value of the register.
    o_skip : :py:`Out(1)`
        Stable from the fall of ``o_busy`` to the next ``i_load``: the count of the variant is 0.
    """

    COUNT_CYCLES = 2
    COPY_CYCLES = 3

    def __init__(self):
        self.changing = [slice(offset, offset + 16) for offset in _COUNTS] + [
            slice(field.offset, field.offset + field.width)
            for field in (_HOST, _HOST_STEP, _COUNT_STEP)] + [slice(_OPCODE_BIT, _OPCODE_BIT + 1)]
        super().__init__({
            "i_load": In(1),
            "i_opcode": In(8),
            "i_word": In(INSTRUCTION_SHAPE),
            "steps": Out(StepRead()),
            "o_busy": Out(1),
            "o_update": Out(1),
            "o_word": Out(INSTRUCTION_SHAPE),
            "o_skip": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        word = self.i_word
        is_copy = Signal()
        at = {offset: Signal(name=f"count_at{offset}") for offset in _COUNTS}
        field = Signal(16)                      # the count field of the variant
        from_register = Signal()
        m.d.comb += from_register.eq(~is_copy | word[_COUNT_STEP.offset])
        for offset, opcodes in _COUNTS.items():
            with m.If(self.i_load):
                m.d.sync += at[offset].eq(self.i_opcode.matches(*opcodes))
            with m.If(at[offset]):
                m.d.comb += field.eq(word[offset:offset + 16])
        with m.If(self.i_load):
            m.d.sync += [
                is_copy.eq(self.i_opcode.matches(*(copy.opcode for copy in _COPIES))),
                self.o_busy.eq(self.i_opcode.matches(
                    *(instruction.opcode for instruction in isa.STEP_INSTRUCTIONS))),
                self.o_skip.eq(0),
            ]

        count, most = Signal(16), Signal(16 - _REGISTER_BITS)
        limited = Signal()
        m.d.comb += [
            most.eq(field[_REGISTER_BITS:]),
            limited.eq((most != 0) & (self.steps.value[:16] > most)),
            count.eq(Mux(from_register, Mux(limited, most, self.steps.value), field)),
            self.o_word.eq(word),
        ]
        with m.FSM():
            with m.State("READ_COUNT"):
                m.d.comb += self.steps.index.eq(field)
                with m.If(self.o_busy & ~self.steps.busy):
                    m.d.comb += self.steps.en.eq(1)
                    m.next = "COUNT"
            with m.State("COUNT"):
                m.d.comb += [
                    self.steps.en.eq(1),
                    self.steps.index.eq(word[_HOST_STEP.offset:]),
                    self.o_update.eq(1),
                ]
                for offset, selected in at.items():
                    with m.If(selected):
                        m.d.comb += self.o_word[offset:offset + 16].eq(count)
                m.d.sync += self.o_skip.eq(count == 0)
                with m.If(is_copy):
                    m.next = "HOST"
                with m.Else():
                    m.d.comb += self.o_word[_OPCODE_BIT].eq(0)
                    m.d.sync += self.o_busy.eq(0)
                    m.next = "READ_COUNT"
            with m.State("HOST"):
                host = slice(_HOST.offset, _HOST.offset + _HOST.width)
                m.d.comb += [
                    self.o_update.eq(1),
                    self.o_word[host].eq(word[host] + self.steps.value),
                    self.o_word[_OPCODE_BIT].eq(0),
                    *(self.o_word[field.offset:field.offset + field.width].eq(0)
                      for field in (_HOST_STEP, _COUNT_STEP)),
                ]
                m.d.sync += self.o_busy.eq(0)
                m.next = "READ_COUNT"
        return m
