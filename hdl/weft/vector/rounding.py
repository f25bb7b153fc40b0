"""Rounding laws in hardware: division by a power of two in sign and magnitude.

All laws of the requantiser divide ``P`` by ``2**s``. Applied to ``|P|``, they differ in the
increment of the truncated quotient, and therefore in the rounding of an exact half:

====================  ================================  ===================================
law                   increment                         an exact half of ``P`` rounds
====================  ================================  ===================================
TFL1, TFL2 (s < 32)   ``guard & (~negative | sticky)``  towards positive infinity
AWAY                  ``guard``                         away from zero
TFL2 (s >= 32)        ``guard | ones & half``           away from zero, after a first rounding
====================  ================================  ===================================

``guard`` is the most significant bit that the division drops. ``sticky`` is the OR of the bits
below it. With TFL2 and s >= 32, a first rounding drops the low 31 bits, an exact half towards
positive infinity: ``half`` is its increment, and ``ones`` is the AND of all bits between it and
``guard``, so that the increment carries up to ``guard``. The page on numerics derives the laws.
"""

from amaranth.hdl import Cat, Const, Mux

__all__ = ["FIRST_SHIFT", "ShiftStage", "clamp", "magnitude", "mux_tree", "rounds_half_up"]

FIRST_SHIFT = 31
"""Number of bits that the first of TFL2's two roundings drops."""


def magnitude(value):
    """Return ``|value|`` of a signed value as an unsigned value of the same width.

    The magnitude of the most negative value, 2^(width - 1), is exact, too.
    """
    negative = value[-1]
    return ((value.as_unsigned() ^ negative.replicate(len(value))) + negative)[:len(value)]


def rounds_half_up(negative, guard, sticky):
    """Return the increment of the quotient of ``|P|`` if an exact half of ``P`` rounds upwards.

    At an exact half, the magnitude is then incremented for a positive ``P``, but not for a negative
    one.
    """
    return guard & (~negative | sticky)


class ShiftStage:
    """Magnitude between two stages of a right shift, with the bits that rounding depends on.

    Bit 0 of ``value`` is the guard bit; the quotient is above it. The caller registers the stages.

    Parameters
    ----------
    value : unsigned
        Twice the quotient, plus the guard bit.
    over : 1 bit
        A bit above ``value`` was set: the quotient exceeds the width of ``value``.
    sticky, ones : 1 bit each
        As in the table of this module. The initial value of ``sticky`` is 1 for a law that rounds
        exact halves away from zero; that of ``ones`` is 0 for a law without a first rounding.
    """

    def __init__(self, value, over, sticky, ones):
        self.value = value
        self.over = over
        self.sticky = sticky
        self.ones = ones

    def shift(self, amount, *, step, width):
        """Return the next stage, shifted right by ``amount * step`` and cut to ``width`` bits.

        Parameters
        ----------
        amount : unsigned
            Number of steps.
        step : :class:`int`
            Number of bits per step.
        width : :class:`int`
            Number of bits to keep. A set bit above them sets ``over``.
        """
        count = 1 << len(amount)
        size = len(self.value)
        padded = Cat(self.value, Const(0, max(0, (count - 1) * step + width - size)))
        kept = [padded[i * step:i * step + width] for i in range(count)]
        lost = [self.value[min(size, i * step + width):].any() for i in range(count)]
        any_dropped = [self.value[:i * step].any() for i in range(count)]
        all_dropped = [self.value[:i * step].all() for i in range(count)]
        # for an empty slice, any() = 0 and all() = 1 are the neutral elements
        return ShiftStage(mux_tree(amount, kept), self.over | mux_tree(amount, lost),
                          self.sticky | mux_tree(amount, any_dropped),
                          self.ones & mux_tree(amount, all_dropped))

    def increment(self, negative):
        """Return the increment of the quotient, 0 or 1, for the sign ``negative`` of ``P``."""
        return rounds_half_up(negative, self.value[0], self.sticky) | self.ones


def mux_tree(index, choices):
    """Return ``choices[index]`` as a tree of 2:1 multiplexers."""
    choices = list(choices)
    for bit in index:
        choices = [Mux(bit, high, low) for low, high in zip(choices[::2], choices[1::2])]
    return choices[0]


def clamp(value, low, high):
    """Return ``value`` limited to the range ``low`` to ``high``, with the width of ``high``."""
    width = len(high)
    return Mux(value < low, low, Mux(value > high, high, value[:width].as_signed()))
