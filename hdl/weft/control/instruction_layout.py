"""Amaranth layouts of instructions and registers, generated from their tables."""

from amaranth.hdl import Shape
from amaranth.lib import data

from ..spec import isa, register_map

__all__ = ["bit_runs", "instruction_layout", "register_layout"]


def bit_runs(bits):
    """Return slices that cover ``bits``, ascending indices, with one slice per contiguous run.

    Simulators are much slower with one wire per bit.
    """
    found: list[slice] = []
    for bit in bits:
        if found and found[-1].stop == bit:
            found[-1] = slice(found[-1].start, bit + 1)
        else:
            found.append(slice(bit, bit + 1))
    return found


def instruction_layout(name):
    """Return the 256-bit layout of instruction ``name``, one member per field."""
    return data.FlexibleLayout(8 * isa.INSTRUCTION_BYTES, {
        field.name: data.Field(Shape(field.width, field.signed), field.offset)
        for field in isa.BY_NAME[name].fields
    })


def register_layout(name):
    """Return the 32-bit layout of register ``name``, one member per field."""
    return data.FlexibleLayout(32, {
        bits.name: data.Field(bits.width, bits.offset) for bits in register_map.BY_NAME[name].fields
    })
