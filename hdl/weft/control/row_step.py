"""An instruction with ``each`` in front of its unit: the row that goes, and those behind it."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..spec import isa
from ..spec.rows import ROWS
from .unit_interface import INSTRUCTION_SHAPE

__all__ = ["RowStep"]


def _law(unit):
    """How ``unit``'s instructions fall into rows, and one that does; all others do alike."""
    first, *others = (isa.BY_NAME[name] for name in ROWS if isa.BY_NAME[name].unit == unit)
    law = ROWS[first.name]
    names = {"each", "apart", law.count, law.sets}
    for advance in law.advances:
        names |= {advance.field, advance.step, advance.flag}
    for other in others:
        assert ROWS[other.name] == law, (first.name, other.name)
        for field in first.fields:
            if field.name in names:
                place = other.field(field.name)
                assert (place.offset, place.width) == (field.offset, field.width), field.name
    return first, law


class RowStep(wiring.Component):
    """Takes the first row from an instruction, and says what the instruction is without it.

    What a row is says :data:`weft.spec.rows.ROWS`. An instruction without ``each`` is one row.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
    unit : :class:`int`
        Whose instructions.

    Members
    -------
    i_word : :py:`In(256)`
        A validated instruction, or what ``o_rest`` said of it.
    i_valid : :py:`In(1)`
        There is one.
    o_row : :py:`Out(256)`
        Its first row, as an instruction of its own.
    o_more : :py:`Out(1)`
        There are rows behind the first.
    o_rest : :py:`Out(256)`
        The bits ``changing`` of the instruction without its first row, if there are more.

    ``o_more`` and ``o_rest`` are registers, and of the ``i_word`` of the cycle before.

    Attributes
    ----------
    changing : list of :class:`int`
        Bits in which ``o_rest`` may differ from ``i_word``.
    """

    def __init__(self, config, unit):
        self.config = config
        self.instruction, self.law = _law(unit)
        names = {self.law.count, self.law.sets, *(advance.field for advance in self.law.advances)}
        self.changing = sorted(
            bit for field in self.instruction.fields if field.name in names
            for bit in range(field.offset, field.offset + field.width))
        super().__init__({
            "i_word": In(INSTRUCTION_SHAPE),
            "i_valid": In(1),
            "o_row": Out(INSTRUCTION_SHAPE),
            "o_more": Out(1),
            "o_rest": Out(INSTRUCTION_SHAPE),
        })

    def elaborate(self, platform):
        m = Module()
        law, word = self.law, self.i_word
        row, rest = self._field(self.o_row), self._field(self.o_rest)
        held = self._field(word)

        m.d.comb += self.o_row.eq(word)
        with m.If(held("each")):
            m.d.comb += row(law.count).eq(1)

        def becomes(name, value):
            register = Signal(self.instruction.field(name).width, name=f"rest_{name}",
                              reset_less=True)
            m.d.sync += register.eq(value)
            m.d.comb += rest(name).eq(register)

        becomes(law.count, held(law.count) - 1)
        for advance in law.advances:
            step = self.config.cols if advance.step == "cols" else held(advance.step)
            if advance.flag:
                step = Mux(held(advance.flag) == advance.value, step, 0)
            becomes(advance.field, held(advance.field) + step)
        if law.sets:
            becomes(law.sets, held(law.sets) | ~held("apart"))
        m.d.sync += self.o_more.eq(self.i_valid & held("each") & (held(law.count) != 1))
        return m

    def _field(self, word):
        def choose(name):
            field = self.instruction.field(name)
            return word[field.offset:field.offset + field.width]
        return choose
