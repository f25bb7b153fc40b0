"""The rounding laws as hardware: division by a power of two on sign and magnitude.

All laws of the requantiser divide ``P`` by ``2**s``. Written on ``|P|`` they differ in one bit,
the increment of the truncated quotient, and in what happens to an exact half:

====================  ================================  =============================
law                   increment                         an exact half
====================  ================================  =============================
TFL1, TFL2 (s < 32)   ``guard & (~negative | sticky)``  rounds up, to the right
AWAY                  ``guard``                         rounds away from zero
TFL2 (s >= 32)        ``guard | ones & half``           away, after a first rounding
====================  ================================  =============================

``guard`` is the highest bit that the division drops, ``sticky`` tells that a lower one is set. With
TFL2 and s >= 32 the low 31 bits go in a first rounding, to the right; ``half`` is its increment,
and ``ones`` tells that all bits between it and ``guard`` are set, so that the increment carries as
far as ``guard``. The page on numerics derives them.
"""

from amaranth.hdl import Cat, Const, Mux

__all__ = ["SHIFT_FIRST", "magnitude", "rounds_right", "Shifted", "clamp"]

SHIFT_FIRST = 31
"""Bits that the first of TFL2's two roundings drops."""


def magnitude(value):
    """``|value|`` of a signed value, as unsigned of the same width; -2^(w-1) is exact, too."""
    negative = value[-1]
    return ((value.as_unsigned() ^ negative.replicate(len(value))) + negative)[:len(value)]


def rounds_right(negative, guard, sticky):
    """Whether ``|P|`` rounds up where a half goes to the right: up for P > 0, down for P < 0."""
    return guard & (~negative | sticky)


class Shifted:
    """A magnitude on its way through a shifter that remembers what the law needs.

    Bit 0 of ``value`` is the guard bit; the quotient so far lies above it. Each stage is to be
    registered by the caller.

    Parameters
    ----------
    value : unsigned
        Twice the quotient, plus the guard bit.
    over : 1 bit
        A set bit has left ``value`` at the top: the quotient is larger than it can show.
    sticky, ones : 1 bit each
        See the table above. A law without ties to the right starts with ``sticky`` set, one
        without a first rounding with ``ones`` clear.
    """

    def __init__(self, value, over, sticky, ones):
        self.value = value
        self.over = over
        self.sticky = sticky
        self.ones = ones

    def shift(self, amount, *, step, width):
        """The next stage: shifted right by ``amount * step`` and cut to ``width`` bits.

        Parameters
        ----------
        amount : unsigned
            Number of steps.
        step : :class:`int`
            Bits of a step.
        width : :class:`int`
            Bits that are kept; a set bit above them sets ``over``.
        """
        count = 1 << len(amount)
        size = len(self.value)
        padded = Cat(self.value, Const(0, max(0, (count - 1) * step + width - size)))
        kept = [padded[i * step:i * step + width] for i in range(count)]
        lost = [self.value[min(size, i * step + width):].any() for i in range(count)]
        anything = [self.value[:i * step].any() for i in range(count)]
        everything = [self.value[:i * step].all() for i in range(count)]
        # an empty slice has any() = 0 and all() = 1, as it should
        return Shifted(_select(amount, kept), self.over | _select(amount, lost),
                       self.sticky | _select(amount, anything),
                       self.ones & _select(amount, everything))

    def increment(self, negative):
        """What to add to the quotient, 0 or 1."""
        return rounds_right(negative, self.value[0], self.sticky) | self.ones


def _select(index, choices):
    """``choices[index]`` as a tree of two-way choices."""
    choices = list(choices)
    for bit in index:
        choices = [Mux(bit, high, low) for low, high in zip(choices[::2], choices[1::2])]
    return choices[0]


def clamp(value, low, high):
    """``value`` limited to ``low`` ... ``high``; the result fits their shape."""
    width = len(high)
    return Mux(value < low, low, Mux(value > high, high, value[:width].as_signed()))
