"""Amaranth layouts of the instructions, made from the table in :mod:`weft.control.isa`."""

from amaranth.hdl import Shape
from amaranth.lib import data

from . import isa

__all__ = ["instruction_layout"]


def instruction_layout(name):
    """The 256-bit layout of instruction ``name``, a member for each of its fields."""
    return data.FlexibleLayout(8 * isa.INSTRUCTION_BYTES, {
        field.name: data.Field(Shape(field.width, field.signed), field.offset)
        for field in isa.BY_NAME[name].fields
    })
