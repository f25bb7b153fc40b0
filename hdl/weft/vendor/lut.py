"""Multiplier form for the LUTs of any FPGA: radix-4 Booth, with about 100 four-input LUTs.

The 8 x 8 multipliers that synthesis tools infer need about 300 LUTs. Booth recoding (A. D. Booth,
1951; radix 4: O. L. MacSorley, 1961) recodes the weight as four digits from -2 to 2, so that only
four rows are added. A negative digit inverts its row; the 1 that completes the two's complement is
placed at a bit position that a shifted row leaves free, where it needs no logic.
"""

from amaranth.hdl import Cat, Const, signed

from .form_logic import add_each, register

__all__ = ["LATENCY", "add_products"]

LATENCY = 3


def _booth_row(act, wgt, digit):
    """Return the row of a digit as ``(row, correction bit)``.

    The sum of the two is the product of ``act`` and the digit.
    """
    low = wgt[2 * digit - 1] if digit else Const(0)
    middle, high = wgt[2 * digit], wgt[2 * digit + 1]
    one = middle ^ low
    two = (high & ~middle & ~low) | (~high & middle & low)
    single = Cat(act, act[-1])
    double = Cat(Const(0, 1), act)
    row = Cat((one & s | two & d) ^ high for s, d in zip(single, double))
    return row.as_signed(), high


def _product(m, act, wgt, name):
    rows, carries = [], []
    for digit in range(3):
        row, carry = _booth_row(act, wgt, digit)
        rows.append(register(m, signed(9), f"row{digit}_{name}", row))
        carries.append(register(m, 1, f"carry{digit}_{name}", carry))
    # the correction bit of the last row is added here, because there is no free position for it
    row, carry = _booth_row(act, wgt, 3)
    rows.append(register(m, signed(10), f"row3_{name}", row + carry))

    low = register(m, signed(12), f"low_{name}",
                   rows[0] + Cat(carries[0], Const(0), rows[1]).as_signed())
    high = register(m, signed(12), f"high_{name}",
                    rows[2] + Cat(carries[2], Const(0), rows[3]).as_signed())
    carry = register(m, 1, f"carry_{name}", carries[1])
    return register(m, signed(16), f"product_{name}",
                    low + Cat(Const(0, 2), carry, Const(0), high).as_signed())


def add_products(m, acts, wgts, *, name):
    """Add one multiplier for each pair of ``acts`` and ``wgts``, and return the products.

    See :func:`weft.vendor.multiplier.add_multiplier` for the arguments.
    """
    return add_each(m, _product, acts, wgts, name=name)
