"""Subroutines of the microprogram that the instructions of VECTOR share."""

from ..microinstruction import Operation, Source
from .fields import load_field, load_fields
from .requantize import raw_clamps

__all__ = ["check_rows", "table_base", "vector"]

_MAX_SHIFT = 62


def vector(u):
    """Emit the subroutines."""
    for part in (_output, _scale, _rows, _byte):
        part(u)


def table_base(u):
    """Return the address of the first entry of table A, in the memory of the accumulators."""
    return u.config.acc_rows * u.config.cols


def _output(u):
    """Emit ``output_fields``, which loads and checks the output fields of DRAIN and MAP.

    These fields have the same offsets in both instructions.
    """
    u.label("output_fields")
    for part in ("zero_point", "clamp_min", "clamp_max"):
        load_field(u, "DRAIN", part)
        u.store(part)
    u.sub("clamp_min")
    u.less("bad_field")
    raw_clamps(u)
    u.load("i0")
    u.shift_bytes(2)
    u.and_(3)
    u.store("mode")
    u.back()


def _scale(u):
    """Emit ``scale_fields``, which loads and checks multiplier and shift of PARAMS and TABLE.

    These fields have the same offsets in both instructions.
    """
    u.label("scale_fields")
    load_field(u, "TABLE", "multiplier")
    u.store("multiplier")
    u.negative("bad_field")
    load_field(u, "TABLE", "shift")
    u.store("shift")
    u.sub(_MAX_SHIFT + 1)
    u.carry("bad_field")
    u.back()


def check_rows(u, which):
    """Emit the check that all rows of operand ``which`` are in the scratchpad."""
    u.copy(f"{which}_pitch", "pitch")
    u.load(f"{which}_addr")
    u.call("check_rows")


def _rows(u):
    """Emit the subroutines for the rows of bytes of MAP and SOFTMAX.

    ``row_fields`` loads the fields, which have the same offsets in both instructions,
    ``check_rows_a`` and ``check_rows_out`` check the operand and the output, and ``next_rows``
    advances to the next row.
    """
    u.label("row_fields")
    load_fields(u, "MAP", "out_addr", "a_addr", "count", "out_pitch", "a_pitch", "bytes")
    u.back()
    for which in ("a", "out"):
        u.label(f"check_rows_{which}")
        u.copy(f"{which}_pitch", "pitch")
        u.load(f"{which}_addr")
        if which == "a":
            u.go("check_rows")
    u.label("check_rows")
    u.store("fault_addr")
    u.add("bytes")
    u.store("extent_end")
    u.less_one("count")
    u.go("check_extent_spad")
    u.label("next_rows")        # advance to the next row; A is 0 after the last row
    for which in ("a", "out"):
        u.load(f"{which}_pitch")
        u.add_to(f"{which}_addr")
    u.decrement("count")
    u.back()


def _byte(u):
    """Emit ``load_byte``, which reads a byte, and ``write_output``, which requantises a value."""
    u.label("load_byte")        # A = byte at P, as a signed number, + 128; P advances
    u.repeat(1, Operation.READ_BYTES)
    u.read_source(Source.SHIFTER)
    u.shift_bytes(3)
    u.xor(0x80)
    u.back()
    u.label("write_output")     # byte at out_byte = requantised value; out_byte advances
    u.call("requantize")
    u.store("other")
    u.load("out_byte")
    u.pointer()
    u.increment("out_byte")
    u.load("other")
    u.write_byte()
    u.back()
