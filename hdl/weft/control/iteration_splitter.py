"""Splitting of an instruction with ``each`` into its next iteration and the remaining ones."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..spec import isa
from ..spec.iterations import OUTER_LOOPS
from .unit_interface import INSTRUCTION_SHAPE

__all__ = ["IterationSplitter"]


def _outer_loop(unit):
    """Return the first instruction of ``unit`` that has the field ``each``, and its outer loop.

    Assert that all such instructions of ``unit`` have the same outer loop, at the same bits.
    """
    first, *others = (isa.BY_NAME[name] for name in OUTER_LOOPS if isa.BY_NAME[name].unit == unit)
    loop = OUTER_LOOPS[first.name]
    names = {"each", "apart", loop.count, loop.sets}
    for increment in loop.increments:
        names |= {increment.field, increment.step, increment.flag}
    for other in others:
        assert OUTER_LOOPS[other.name] == loop, (first.name, other.name)
        for field in first.fields:
            if field.name in names:
                twin = other.field(field.name)
                assert (twin.offset, twin.width) == (field.offset, field.width), field.name
    return first, loop


def _without_each(config, known):
    """Return the low four bits of the opcodes in which the bit of ``each`` has another meaning.

    Opcodes of the instructions of one unit differ in these bits.
    """
    of_unit = [other for other in isa.instructions(config) if other.unit == known.unit]
    assert len({other.opcode & 0xF for other in of_unit}) == len(of_unit)
    return [other.opcode & 0xF for other in of_unit if "each" not in other.by_name
            and not other.reserved_mask >> known.field("each").offset & 1]


class IterationSplitter(wiring.Component):
    """Splitter of an instruction into its first iteration and the remaining ones.

    The table :data:`weft.spec.iterations.OUTER_LOOPS` defines the iterations. An instruction
    without ``each`` has a single iteration, which is the instruction itself.

    ``o_iteration`` depends on ``i_word`` of the same cycle. ``o_more`` and ``o_rest`` are registers
    that depend on ``i_word`` of the cycle before.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
    unit : :class:`int`
        Unit that executes the instructions.

    Members
    -------
    i_word : :py:`In(256)`
        A validated instruction, or what remains of it: an earlier ``o_rest``.
    i_valid : :py:`In(1)`
        ``i_word`` is valid.
    o_iteration : :py:`Out(256)`
        First iteration, as an instruction with a loop count of 1.
    o_more : :py:`Out(1)`
        The instruction has further iterations.
    o_rest : :py:`Out(256)`
        With ``o_more``: the instruction without its first iteration. Only the bits ``changing``
        are driven; the others are those of ``i_word``.

    Attributes
    ----------
    changing : list of :class:`int`
        Bits in which ``o_rest`` may differ from ``i_word``, ascending.
    """

    def __init__(self, config, unit):
        self.config = config
        self.instruction, self.loop = _outer_loop(unit)
        self.others = _without_each(config, self.instruction)
        names = {self.loop.count, self.loop.sets,
                 *(increment.field for increment in self.loop.increments)}
        self.changing = sorted(
            bit for field in self.instruction.fields if field.name in names
            for bit in range(field.offset, field.offset + field.width))
        super().__init__({
            "i_word": In(INSTRUCTION_SHAPE),
            "i_valid": In(1),
            "o_iteration": Out(INSTRUCTION_SHAPE),
            "o_more": Out(1),
            "o_rest": Out(INSTRUCTION_SHAPE),
        })

    def elaborate(self, platform):
        m = Module()
        loop = self.loop
        iteration, rest = self._fields(self.o_iteration), self._fields(self.o_rest)
        current = self._fields(self.i_word)
        each = current("each")
        if self.others:
            each = Signal()
            m.d.comb += each.eq(current("each") & ~self.i_word[:4].matches(*self.others))

        m.d.comb += self.o_iteration.eq(self.i_word)
        with m.If(each):
            m.d.comb += iteration(loop.count).eq(1)

        def update(name, value):
            register = Signal(self.instruction.field(name).width, name=f"rest_{name}",
                              reset_less=True)
            m.d.sync += register.eq(value)
            m.d.comb += rest(name).eq(register)

        update(loop.count, current(loop.count) - 1)
        for increment in loop.increments:
            step = self.config.cols if increment.step == "cols" else current(increment.step)
            if increment.flag:
                step = Mux(current(increment.flag) == increment.value, step, 0)
            update(increment.field, current(increment.field) + step)
        if loop.sets:
            update(loop.sets, current(loop.sets) | ~current("apart"))
        m.d.sync += self.o_more.eq(self.i_valid & each & (current(loop.count) != 1))
        return m

    def _fields(self, word):
        """Return a function that maps the name of a field to its bits of ``word``."""
        def select(name):
            field = self.instruction.field(name)
            return word[field.offset:field.offset + field.width]
        return select
