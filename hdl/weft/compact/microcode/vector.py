"""What the instructions of VECTOR share."""

from ..microinstruction import Operation, Source
from .fields import field, nonzero_fields
from .requantize import PARAMETERS, clamps

__all__ = ["rows_end", "table", "vector"]

_MOST_SHIFT = 62


def vector(u):
    """Emit the subroutines."""
    u.array("parameter", PARAMETERS * u.config.param_channels)
    for name in ("map_multiplier", "map_shift"):
        u.register(name)
    for part in (_output, _scale, _rows, _byte):
        part(u)


def table(u):
    """The row of table A's first entry."""
    return u.config.acc_rows * u.config.cols


def _output(u):
    """``zero_point`` and the clamps, which DRAIN and MAP have in the same places."""
    u.label("output")
    for part in ("zero_point", "clamp_min", "clamp_max"):
        field(u, "DRAIN", part)
        u.store(part)
    u.sub("clamp_min")
    u.less("bad_field")
    clamps(u)
    u.load("i0")
    u.down(2)
    u.and_(3)
    u.store("mode")
    u.back()


def _scale(u):
    """``multiplier`` and ``shift``, which PARAMS and TABLE have in the same places."""
    u.label("scale")
    field(u, "TABLE", "multiplier")
    u.store("multiplier")
    u.negative("bad_field")
    field(u, "TABLE", "shift")
    u.store("shift")
    u.sub(_MOST_SHIFT + 1)
    u.carry("bad_field")
    u.back()


def rows_end(u, which):
    """Refuse rows of ``bytes`` that do not lie in the scratchpad."""
    u.copy(f"{which}_pitch", "pitch")
    u.load(f"{which}_addr")
    u.call("rows_end")


def _rows(u):
    """Rows of bytes, which MAP and SOFTMAX have in the same places."""
    u.label("rows")
    nonzero_fields(u, "MAP", "out_addr", "a_addr", "count", "out_pitch", "a_pitch", "bytes")
    u.back()
    for which in ("a", "out"):
        u.label(f"rows_{which}")
        u.copy(f"{which}_pitch", "pitch")
        u.load(f"{which}_addr")
        if which == "a":
            u.go("rows_end")
    u.label("rows_end")
    u.store("place")
    u.add("bytes")
    u.store("reach")
    u.less_one("count")
    u.go("reach_spad")
    u.label("rows_next")        # the next row: A is 0 behind the last
    for which in ("a", "out"):
        u.load(f"{which}_pitch")
        u.add_to(f"{which}_addr")
    u.decrement("count")
    u.back()


def _byte(u):
    """The byte at P, and that at ``out_byte``."""
    u.label("byte")             # A = the byte plus 128, less 256 if that is more; P moves on
    u.count(1, Operation.READ_BYTES)
    u.take(Source.SHIFTER)
    u.down(3)
    u.xor(0x80)
    u.back()
    u.label("out")              # the byte = ``value``, requantised by M and ``shift``
    u.call("requantize")
    u.store("other")
    u.load("out_byte")
    u.pointer()
    u.increment("out_byte")
    u.load("other")
    u.write_byte()
    u.back()
