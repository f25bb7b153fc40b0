"""Reduction of the results of a row to one number."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...spec.fixed_point_instructions import NUMBER_BYTES

__all__ = ["NUMBER", "RowReduction"]

NUMBER = 8 * NUMBER_BYTES   # bits of a result: 2^16 squares of 63 bits, and a sign
VALUE = 64


class RowReduction(wiring.Component):
    """Sum, or greatest number, of the values of all steps of a row.

    One step of ``lanes`` values enters per cycle. There is no back-pressure at the input: a row may
    start only when the number of the row before the previous one has been taken from ``o``.

    Parameters
    ----------
    lanes : :class:`int`
        Values of a step, a power of two.

    Members
    -------
    i_magnitude, i_greatest : :py:`In(1)` each
        Use the magnitudes of the values; find the greatest value instead of the sum. They must not
        change while a row is in progress.
    i_en, i_first, i_last : :py:`In(1)` each
        A step, which is the first one or the last one of its row.
    i_used : :py:`In(lanes)`
        Values of the step that belong to the row; the first one always does.
    i_values : :py:`In(ArrayLayout(signed(64), lanes))`
        Values.
    o : :py:`Out(stream.Signature(signed(80)))`
        Numbers of the rows, in order.
    """

    def __init__(self, lanes):
        self.lanes = lanes
        super().__init__({
            "i_magnitude": In(1),
            "i_greatest": In(1),
            "i_en": In(1),
            "i_first": In(1),
            "i_last": In(1),
            "i_used": In(lanes),
            "i_values": In(data.ArrayLayout(signed(VALUE), lanes)),
            "o": Out(stream.Signature(signed(NUMBER))),
        })

    def elaborate(self, platform):
        m = Module()
        flags = data.StructLayout({"en": 1, "first": 1, "last": 1})
        at = Signal(flags, name="s0_flags")
        m.d.comb += [at.en.eq(self.i_en), at.first.eq(self.i_first), at.last.eq(self.i_last)]

        def advance(name):
            later = Signal(flags, name=f"{name}_flags")
            m.d.sync += later.eq(at)
            return later

        values = []
        for lane in range(self.lanes):
            value = Signal(signed(VALUE), name=f"s1_value_{lane}", reset_less=True)
            minus = self.i_magnitude & self.i_values[lane][-1]
            number = ((self.i_values[lane] ^ minus.replicate(VALUE)) + minus)[:VALUE].as_signed()
            # beyond the row: 0 in a sum, and the least number otherwise
            unused = Mux(self.i_greatest, -(1 << VALUE - 1), 0)
            m.d.sync += value.eq(Mux(self.i_used[lane], number, unused) if lane else number)
            values.append(value)
        at = advance("s1")

        stage = 1
        while len(values) > 1:
            stage += 1
            pairs = list(zip(values[::2], values[1::2]))
            values = [Signal(signed(NUMBER), name=f"s{stage}_value_{n}", reset_less=True)
                      for n in range(len(pairs))]
            m.d.sync += [value.eq(self._combined(a, b)) for value, (a, b) in zip(values, pairs)]
            at = advance(f"s{stage}")

        number = Signal(signed(NUMBER), reset_less=True)
        complete = Signal()
        taken = Signal()
        m.d.comb += taken.eq(complete & (~self.o.valid | self.o.ready))
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(taken):
            m.d.sync += [self.o.valid.eq(1), self.o.payload.eq(number), complete.eq(0)]
        with m.If(at.en):
            m.d.sync += [
                number.eq(Mux(at.first, values[0], self._combined(number, values[0]))),
                complete.eq(at.last),
            ]
        return m

    def _combined(self, a, b):
        """Return the sum of two numbers, or the greater one; both take one adder."""
        a, b = (Cat(value, value[-1].replicate(NUMBER + 1 - len(value))) for value in (a, b))
        minus = self.i_greatest
        total = (Cat(minus, a) + Cat(minus, b ^ minus.replicate(len(b))))[1:len(a) + 1]
        return Mux(minus, Mux(total[-1], b, a), total)[:NUMBER].as_signed()
