"""A multiplier of look-up tables and carry chains: radix-4 Booth, about 100 four-input tables.

A synthesiser's own 8 x 8 multiplier takes about 300. Booth recoding (A. D. Booth, 1951; radix 4:
O. L. MacSorley, 1961) turns the weight into four digits from -2 to 2, so that only four rows are
to be added. A negative digit inverts its row; the 1 that completes the two's complement goes into
a bit position that a shifted row leaves free, where it costs nothing.
"""

from amaranth.hdl import Cat, Const, Signal, signed

__all__ = ["LATENCY", "add_products"]

LATENCY = 3


def _booth_row(act, wgt, digit):
    """Row ``digit`` as ``(ones' complement row, correction bit)``; their sum is exact."""
    low = wgt[2 * digit - 1] if digit else Const(0)
    middle, high = wgt[2 * digit], wgt[2 * digit + 1]
    one = middle ^ low
    two = (high & ~middle & ~low) | (~high & middle & low)
    single = Cat(act, act[-1])
    double = Cat(Const(0, 1), act)
    row = Cat((one & s | two & d) ^ high for s, d in zip(single, double))
    return row.as_signed(), high


def _product(m, act, wgt, name):
    def register(shape, label, value):
        signal = Signal(shape, reset_less=True, name=f"{label}_{name}")
        m.d.sync += signal.eq(value)
        return signal

    rows, carries = [], []
    for digit in range(3):
        row, carry = _booth_row(act, wgt, digit)
        rows.append(register(signed(9), f"row{digit}", row))
        carries.append(register(1, f"carry{digit}", carry))
    # the correction of the last row finds no free position, so this row is completed at once
    row, carry = _booth_row(act, wgt, 3)
    rows.append(register(signed(10), "row3", row + carry))

    low = register(signed(12), "low", rows[0] + Cat(carries[0], Const(0), rows[1]).as_signed())
    high = register(signed(12), "high", rows[2] + Cat(carries[2], Const(0), rows[3]).as_signed())
    carry = register(1, "carry", carries[1])
    return register(signed(16), "product",
                    low + Cat(Const(0, 2), carry, Const(0), high).as_signed())


def add_products(m, acts, wgts, *, name):
    """Adds ``act * wgt`` for each pair; see
    :func:`weft.vendor.multiplier.add_multiplier` for the arguments."""
    return [_product(m, act, wgt, f"{name}_{lane}")
            for lane, (act, wgt) in enumerate(zip(acts, wgts))]
