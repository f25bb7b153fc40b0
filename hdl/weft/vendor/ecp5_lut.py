"""A multiplier of Lattice ECP5's carry chains: about 75 look-up tables a product.

Half a ``CCU2C`` is a four-input table in front of a carry: enough to add two rows of the schoolbook
product at once, ``(act[i] & wgt[j]) + (act[i - 1] & wgt[j + 1])``, without a table of their own for
the rows. Synthesis does not find that, so the primitives are named here. The last row counts
negatively: it is inverted, and a carry comes in below.

Source: Lattice FPGA-DS-02012, "ECP5 and ECP5-5G Family Data Sheet" (ripple mode), and the models
of yosys.
"""

from amaranth.hdl import Cat, Const, Instance, Signal, signed

__all__ = ["LATENCY", "add_products"]

LATENCY = 2

_PAIR = 10              # bits of two rows


def _table(function):
    """The contents of a table of inputs A, B, C and D."""
    return Const(sum(function(*(index >> bit & 1 for bit in range(4))) << index
                     for index in range(16)), 16)


# The table is the carry's propagate; its first four bits, which see A and B only, its generate.
_ADD = _table(lambda a, b, c, d: (a & b) ^ (c & d))
_SUBTRACT = _table(lambda a, b, c, d: (1 - (a & b)) ^ (c & d))
_CARRY = _table(lambda a, b, c, d: 1 - d)        # with D high: generates, propagates nothing


def _chain(m, halves, name):
    """The sum bits of ``halves``, each ``(table, A, B, C, D)``, from the lowest on."""
    total = Signal(len(halves), name=name)
    carry = Const(0)
    for first in range(0, len(halves), 2):
        carry_out = Signal(name=f"{name}_carry{first}")
        ports = {}
        for half in range(2):
            table, *inputs = halves[first + half]
            ports |= {f"p_INIT{half}": table, f"p_INJECT1_{half}": "NO",
                      f"o_S{half}": total[first + half]}
            ports |= {f"i_{port}{half}": value for port, value in zip("ABCD", inputs)}
        m.submodules[f"{name}_{first}"] = Instance("CCU2C", i_CIN=carry, o_COUT=carry_out, **ports)
        carry = carry_out
    return total


def _product(m, act, wgt, name):
    def register(shape, label, value):
        signal = Signal(shape, reset_less=True, name=f"{label}_{name}")
        m.d.sync += signal.eq(value)
        return signal

    # act and its double, extended to the width of a pair
    single = [act[min(bit, 7)] for bit in range(_PAIR)]
    double = [Const(0), *single[:-1]]
    pairs = [
        _chain(m, [(_ADD, one, wgt[first], two, wgt[first + 1])
                   for one, two in zip(single, double)], f"pair{first}_{name}").as_signed()
        for first in (0, 2, 4)]
    # bit 0 of the last pair: nothing is taken from it, so that it is a bit of the act, and what
    # completes the two's complement passes through it
    upper = _chain(m, [(_CARRY, Const(0), Const(0), Const(0), Const(1)),
                       *((_SUBTRACT, two, wgt[7], one, wgt[6])
                         for one, two in zip(single[1:], double[1:]))], f"pair6_{name}")
    pairs.append(Cat(act[0] & wgt[6], upper[1:]).as_signed())

    def join(low, high, shift, width):
        """``low + (high << shift)``; the lowest bits need no adder."""
        return Cat(low[:shift], (low[shift:].as_signed() + high)[:width - shift])

    low = register(signed(12), "low", join(pairs[0], pairs[1], 2, 12))
    high = register(signed(12), "high", join(pairs[2], pairs[3], 2, 12))
    return register(signed(16), "product", join(low, high, 4, 16))


def add_products(m, acts, wgts, *, name):
    """Adds ``act * wgt`` for each pair; see
    :func:`weft.vendor.multiplier.add_multiplier` for the arguments."""
    return [_product(m, act, wgt, f"{name}_{lane}")
            for lane, (act, wgt) in enumerate(zip(acts, wgts))]
