"""Multiplier form for the carry chains of Lattice ECP5, with about 75 LUTs per product.

One half of a ``CCU2C`` is a four-input LUT in front of a carry. It computes and adds two rows of
partial products at once, ``(act[i] & wgt[j]) + (act[i - 1] & wgt[j + 1])``. Synthesis does not
infer this, so the primitives are instantiated here. The row of the weight's sign bit is subtracted:
it is inverted, with a carry into its lowest bit.

Source: Lattice FPGA-DS-02012, "ECP5 and ECP5-5G Family Data Sheet" (ripple mode), and the models
of yosys.
"""

from amaranth.hdl import Cat, Const, Instance, Signal, signed

from .form_logic import add_each, register

__all__ = ["LATENCY", "add_products"]

LATENCY = 2

_PAIR = 10              # width of the sum of two rows


def _lut(function):
    """Return the contents of a LUT that computes ``function`` of its inputs A, B, C and D."""
    return Const(sum(function(*(index >> bit & 1 for bit in range(4))) << index
                     for index in range(16)), 16)


# The LUT is the propagate signal of the carry; its first four bits, a function of A and B alone,
# are the generate signal.
_ADD = _lut(lambda a, b, c, d: (a & b) ^ (c & d))
_SUBTRACT = _lut(lambda a, b, c, d: (1 - (a & b)) ^ (c & d))
_CARRY = _lut(lambda a, b, c, d: 1 - d)          # D high: generates a carry, propagates none


def _chain(m, halves, name):
    """Add a carry chain and return its sum bits.

    ``halves`` are the halves of its primitives: for each bit, the contents and the inputs of the
    LUT, ``(lut, A, B, C, D)``.
    """
    total = Signal(len(halves), name=name)
    carry = Const(0)
    for first in range(0, len(halves), 2):
        carry_out = Signal(name=f"{name}_carry{first}")
        ports = {}
        for half in range(2):
            lut, *inputs = halves[first + half]
            ports |= {f"p_INIT{half}": lut, f"p_INJECT1_{half}": "NO",
                      f"o_S{half}": total[first + half]}
            ports |= {f"i_{port}{half}": value for port, value in zip("ABCD", inputs)}
        m.submodules[f"{name}_{first}"] = Instance("CCU2C", i_CIN=carry, o_COUT=carry_out, **ports)
        carry = carry_out
    return total


def _product(m, act, wgt, name):
    # act and twice act, extended to the width of the sum of two rows
    single = [act[min(bit, 7)] for bit in range(_PAIR)]
    double = [Const(0), *single[:-1]]
    pairs = [
        _chain(m, [(_ADD, one, wgt[first], two, wgt[first + 1])
                   for one, two in zip(single, double)], f"pair{first}_{name}").as_signed()
        for first in (0, 2, 4)]
    # Bit 0 of the last pair is act[0] & wgt[6], because nothing is subtracted from it. Its half of
    # the primitive generates the carry that completes the two's complement.
    upper = _chain(m, [(_CARRY, Const(0), Const(0), Const(0), Const(1)),
                       *((_SUBTRACT, two, wgt[7], one, wgt[6])
                         for one, two in zip(single[1:], double[1:]))], f"pair6_{name}")
    pairs.append(Cat(act[0] & wgt[6], upper[1:]).as_signed())

    def join(low, high, shift, width):
        """Return ``low + (high << shift)``; the lowest bits need no adder."""
        return Cat(low[:shift], (low[shift:].as_signed() + high)[:width - shift])

    low = register(m, signed(12), f"low_{name}", join(pairs[0], pairs[1], 2, 12))
    high = register(m, signed(12), f"high_{name}", join(pairs[2], pairs[3], 2, 12))
    return register(m, signed(16), f"product_{name}", join(low, high, 4, 16))


def add_products(m, acts, wgts, *, name):
    """Add one multiplier for each pair of ``acts`` and ``wgts``, and return the products.

    See :func:`weft.vendor.multiplier.add_multiplier` for the arguments.
    """
    return add_each(m, _product, acts, wgts, name=name)
