"""Microprogram of the requantiser, which processes one value per call."""

from ..microinstruction import Operation, Source

__all__ = ["PARAMETERS", "raw_clamps", "requantize", "subtract_product_bits"]

PARAMETERS = 3
"""Number of registers per parameter slot: bias, multiplier, and shift - 31."""

_PRODUCT_BITS = 31  # width of a multiplier; a product is already shifted right by it
_LARGE = 1 << 30


def subtract_product_bits(u):
    """Emit A = A - 31: from a field ``shift`` to the shift that remains after a multiplication."""
    u.sub(_PRODUCT_BITS)


def raw_clamps(u):
    """Emit ``raw_min`` and ``raw_max``, the clamps minus the zero point."""
    for name in ("min", "max"):
        u.load(f"clamp_{name}")
        u.sub("zero_point")
        u.store(f"raw_{name}")


def requantize(u):
    """Emit ``requantize``: A = ``value`` requantised with multiplier M, ``shift`` and ``mode``.

    ``shift`` is the field of the instruction minus 31. A multiplication takes 31 steps, each of
    which adds ``value`` or 0 and shifts right by one; its result is therefore the product shifted
    right by 31. The rounding depends on the bit that was shifted out last, and on whether any
    earlier bit was 1.
    """
    u.label("requantize")
    u.load("shift")
    u.negative("requantize_long")
    u.load("mode")
    u.zero("requantize_double")
    u.sub(1)
    u.zero("requantize_single")
    _product(u)
    u.repeat("shift", Operation.SHIFT)
    u.round_away()
    u.go("clamp")
    u.label("requantize_single")
    _product(u)
    u.repeat("shift", Operation.SHIFT)
    u.round()
    u.go("clamp")
    u.label("requantize_double")
    _product(u)
    u.round()
    u.do(Operation.CLEAR_ROUNDING)
    u.repeat("shift", Operation.SHIFT)
    u.round_away()

    u.label("clamp")
    u.store("temporary")
    u.sub("raw_max")
    u.not_less("clamp_high")
    u.load("temporary")
    u.sub("raw_min")
    u.less("clamp_low")
    u.load("temporary")
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
    """Emit {A, M} = ``value`` * M; A is the product shifted right by 31."""
    u.load(0)
    u.do(Operation.CLEAR_ROUNDING)
    u.repeat(_PRODUCT_BITS, Operation.MULTIPLY, "value")


def _long(u):
    """Emit the part of ``requantize`` for total shifts below 31.

    The result may exceed 32 bits; it is then clamped without rounding.
    """
    u.label("requantize_long")
    u.add(_PRODUCT_BITS + 1)    # one more: bit 0 of M is still a bit of the multiplier
    u.store("shift")
    _product(u)
    u.do(Operation.CLEAR_ROUNDING)
    u.repeat("shift", Operation.SHIFT_LONG)
    u.store("temporary")
    u.read_source(Source.LOW)
    u.store("shift")
    u.load("temporary")
    u.zero("long_positive")
    u.add(1)
    u.zero("long_negative")
    u.load("temporary")
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
