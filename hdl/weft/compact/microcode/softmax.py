"""Microprogram of SOFTMAX, which reads each row three times."""

from ..microinstruction import Operation, Source
from .fields import accept, check_reserved, end
from .vector import table_base

__all__ = ["softmax"]

_SUM_BITS = 12
_NEWTON_STEPS = 3
_ONE = 1 << 29                                      # in Q2.29
_CONSTANT, _SLOPE = 1515870810, 1010580540          # 48/17 and 32/17, in Q2.29
_TOTAL_SHIFT, _MAX_SHIFT = 66, 62


def softmax(u):
    """Emit SOFTMAX."""
    with u.scope():
        _softmax(u)


def _softmax(u):
    """Emit the checks and the loop over rows."""
    u.label("do_SOFTMAX")
    check_reserved(u, "SOFTMAX")
    for part in ("row_fields", "check_rows_a", "check_rows_out"):
        u.call(part)
    accept(u)
    u.copy(0, "mode")
    for name, value in (("zero_point", -128), ("raw_min", 0), ("raw_max", 255),
                        ("clamp_min", -128), ("clamp_max", 127)):
        u.copy(value, name)
    u.label("softmax_row")
    _greatest(u)
    _total(u)
    _reciprocal(u)
    _outputs(u)
    u.call("next_rows")
    u.nonzero("softmax_row")
    end(u)


def _begin(u):
    """Emit P = start of the row and ``left`` = its length in bytes."""
    u.load("a_addr")
    u.pointer()
    u.copy("bytes", "left")


def _next(u, loop):
    """Emit a branch to ``loop`` that is taken until all bytes of the row have been processed."""
    u.poll()
    u.decrement("left")
    u.nonzero(loop)


def _greatest(u):
    """Emit the search for the greatest byte of the row, and ``base``.

    For a byte x, ``base`` + x + 128 is the address of the exponential of x minus the greatest byte,
    in table A.
    """
    _begin(u)
    u.copy(0, "base")
    u.label("softmax_greatest")
    u.call("load_byte")
    u.store("other")
    u.sub("base")
    u.no_carry("softmax_smaller")
    u.copy("other", "base")
    u.label("softmax_smaller")
    _next(u, "softmax_greatest")
    u.load(table_base(u) + 255)
    u.sub("base")
    u.store("base")


def _exponential(u):
    """Emit A = the exponential of the byte at P, from table A; P advances."""
    u.call("load_byte")
    u.add("base")
    u.do(Operation.SET_ACC_ADDR)
    u.read_source(Source.ACCUMULATOR)


def _total(u):
    """Emit ``value`` = sum of the exponentials of the row, at least 1."""
    _begin(u)
    u.copy(0, "value")
    u.label("softmax_total")
    _exponential(u)
    u.do(Operation.CLEAR_ROUNDING)
    u.repeat(_SUM_BITS, Operation.SHIFT)
    u.round()
    u.add_to("value")
    _next(u, "softmax_total")
    u.load("value")
    u.nonzero("softmax_some")
    u.copy(1, "value")
    u.label("softmax_some")


def _high_product(u, name):
    """Emit A = (``name`` * M) / 2 ** 31, rounded to nearest."""
    u.load(0)
    u.do(Operation.CLEAR_ROUNDING)
    u.repeat(31, Operation.MULTIPLY, name)
    u.round()


def _reciprocal(u):
    """Emit Newton's method for the reciprocal of the sum ``value``.

    ``scale`` and ``scale_shift`` become multiplier and shift - 31 for the requantisation of the
    exponentials.
    """
    u.copy(_TOTAL_SHIFT - 31, "scale_shift")
    u.load("value")
    u.label("softmax_normal")
    u.negative("softmax_mantissa")
    u.add("value")
    u.store("value")
    u.decrement("scale_shift")
    u.load("value")
    u.go("softmax_normal")
    u.label("softmax_mantissa")
    u.repeat(1, Operation.SHIFT)
    u.and_(0x7FFFFFFF)
    u.store("half")
    u.do(Operation.SET_LOW)
    _high_product(u, -_SLOPE)
    u.add(_CONSTANT)
    u.store("scale")
    u.copy(_NEWTON_STEPS, "left")
    u.label("softmax_newton")
    u.load("half")
    u.do(Operation.SET_LOW)
    _high_product(u, "scale")
    u.store("other")
    u.load(_ONE)
    u.sub("other")
    u.store("other")
    u.load("scale")
    u.do(Operation.SET_LOW)
    _high_product(u, "other")
    u.double(2)
    u.add_to("scale")
    u.decrement("left")
    u.nonzero("softmax_newton")
    u.load("scale")
    u.add("scale")
    u.positive("softmax_scaled")
    u.load(0x7FFFFFFF)
    u.label("softmax_scaled")
    u.store("scale")
    u.load("scale_shift")
    u.sub(_MAX_SHIFT - 31)
    u.negative("softmax_shift")
    u.copy(_MAX_SHIFT - 31, "scale_shift")
    u.label("softmax_shift")


def _outputs(u):
    """Emit the loop that requantises the exponentials of the row and writes the bytes."""
    _begin(u)
    u.copy("a_addr", "a_byte")
    u.copy("out_addr", "out_byte")
    u.label("softmax_output")
    u.load("a_byte")
    u.pointer()
    u.increment("a_byte")
    _exponential(u)
    u.store("value")
    u.load("scale")
    u.do(Operation.SET_LOW)
    u.copy("scale_shift", "shift")
    u.call("write_output")
    _next(u, "softmax_output")
