"""The requantiser, a value at a time, and the parameters that it takes."""

from ..microinstruction import Operation, Source

__all__ = ["PARAMETERS", "clamps", "requantize", "shift_from"]

PARAMETERS = 3
"""Registers of a channel: bias, multiplier, shift less 31."""

_FULL = 31          # bits of a multiplier
_LARGE = 1 << 30


def shift_from(u):
    """A = A less the bits that the multiplication shifts."""
    u.sub(_FULL)


def clamps(u):
    """What :func:`requantize` compares with: the clamps less the zero point."""
    for name in ("min", "max"):
        u.load(f"clamp_{name}")
        u.sub("zero_point")
        u.store(f"raw_{name}")


def requantize(u):
    """Emit the subroutine: A = the byte for ``value``, M, ``shift`` and ``mode``.

    A product is made by 31 times adding or not, and shifting right; so it comes shifted by 31
    already. What the last shift threw away, and whether anything before it was not 0, rounds.
    """
    u.label("requantize")
    u.load("shift")
    u.negative("requantize_long")
    u.load("mode")
    u.zero("requantize_double")
    u.sub(1)
    u.zero("requantize_single")
    _product(u)
    u.count("shift", Operation.SHIFT)
    u.round_away()
    u.go("clamp")
    u.label("requantize_single")
    _product(u)
    u.count("shift", Operation.SHIFT)
    u.round()
    u.go("clamp")
    u.label("requantize_double")
    _product(u)
    u.round()
    u.do(Operation.FORGET)
    u.count("shift", Operation.SHIFT)
    u.round_away()

    u.label("clamp")
    u.store("double")
    u.sub("raw_max")
    u.not_less("clamp_high")
    u.load("double")
    u.sub("raw_min")
    u.less("clamp_low")
    u.load("double")
    u.add("zero_point")
    u.back()
    u.label("clamp_high")
    u.load("clamp_max")
    u.back()
    u.label("clamp_low")
    u.load("clamp_min")
    u.back()
    _long(u)


def _product(u):
    u.load(0)
    u.do(Operation.FORGET)
    u.count(_FULL, Operation.MULTIPLY, "value")


def _long(u):
    """Shifts below 31: the result may have more than 32 bits, all of which clamp the same."""
    u.label("requantize_long")
    u.add(_FULL + 1)            # M has a bit that belongs to no product below it
    u.store("shift")
    _product(u)
    u.do(Operation.FORGET)
    u.count("shift", Operation.SHIFT_LONG)
    u.store("double")
    u.take(Source.LOW)
    u.store("shift")
    u.load("double")
    u.zero("long_positive")
    u.add(1)
    u.zero("long_negative")
    u.load("double")
    u.negative("clamp_low")
    u.go("clamp_high")
    u.label("long_positive")
    u.load("shift")
    u.negative("clamp_high")
    u.sub(_LARGE)
    u.positive("clamp_high")
    u.go("long_round")
    u.label("long_negative")
    u.load("shift")
    u.positive("clamp_low")
    u.label("long_round")
    u.load("mode")
    u.sub(2)
    u.zero("long_away")
    u.load("shift")
    u.round()
    u.go("clamp")
    u.label("long_away")
    u.load("shift")
    u.round_away()
    u.go("clamp")
