"""Reciprocal of a sum, with the integers of the reference kernel of SOFTMAX."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Reciprocal"]

HALF = 16                       # bits of half an operand, which fits the multipliers of all FPGAs
NEWTON_STEPS = 3
ROUNDS = 1 + 2 * NEWTON_STEPS   # one round for each product of two operands
FIRST_SUM, APPLY = 2, 6         # cycles of a round: addition of the first part, use of the product
ONE = 1 << 29                   # in Q2.29
CONSTANT, SLOPE = 1515870810, 1010580540        # 48/17 and 32/17, in Q2.29
TOTAL_SHIFT, MAX_SHIFT = 66, 62


class Reciprocal(wiring.Component):
    """Converter of the sum of a row's exponentials to a multiplier and a shift.

    Let ``D`` in [1/2, 1) be the mantissa of the total, in Q0.31. The first approximation is
    ``x = 48/17 - 32/17 D``. Three Newton steps ``x += 4 * x * (1 - D x)`` follow, in Q2.29, with
    every product rounded. The multiplier is ``2 x``, saturated; the shift is 66 minus the number of
    leading zeros of the total, at most 62. A total of 0 counts as 1. The integers are those of
    ``one_over_one_plus_x_for_x_in_0_1`` in gemmlowp's ``fixedpoint/fixedpoint.h``. Only the last
    step can saturate, because ``D`` is in range.

    The computation takes ``CYCLES`` cycles for any total, with one multiplier of 16 x 16 bits.

    Members
    -------
    i_start : :py:`In(1)`
        Start a computation. Not allowed from the cycle after ``i_start`` until ``o_done``.
    i_total : :py:`In(32)`
        Sum of the exponentials, in the cycle of ``i_start``.
    o_done : :py:`Out(1)`
        High for one cycle, ``CYCLES`` cycles after ``i_start``.
    o_multiplier, o_shift : :py:`Out(31)`, :py:`Out(6)`
        Result, valid from ``o_done`` to the next ``i_start``.
    """

    CYCLES = 6 + ROUNDS * (APPLY + 1)

    def __init__(self):
        super().__init__({
            "i_start": In(1),
            "i_total": In(32),
            "o_done": Out(1),
            "o_multiplier": Out(31),
            "o_shift": Out(6),
        })

    def elaborate(self, platform):
        m = Module()
        mantissa, zeros = Signal(32), Signal(5)
        x, error = Signal(31), Signal(31)
        error_negative = Signal()
        round_ = Signal(range(ROUNDS))
        cycle = Signal(range(APPLY + 1))
        total = Signal(4 * HALF)

        with m.FSM():
            with m.State("IDLE"):
                # loaded in every cycle, because i_start arrives too late for a clock enable
                m.d.sync += [
                    mantissa.eq(Cat(self.i_total[0] | (self.i_total == 0), self.i_total[1:])),
                    round_.eq(0),
                ]
                with m.If(self.i_start):
                    m.next = "NORMALISE"
            with m.State("NORMALISE"):
                with m.Switch(cycle):
                    for number, bit in enumerate(reversed(range(len(zeros)))):
                        amount = 1 << bit
                        with m.Case(number):
                            m.d.sync += zeros[bit].eq(mantissa[-amount:] == 0)
                            with m.If(mantissa[-amount:] == 0):
                                m.d.sync += mantissa.eq(mantissa << amount)
                m.d.sync += cycle.eq(cycle + 1)
                with m.If(cycle == len(zeros) - 1):
                    m.d.sync += cycle.eq(0)
                    m.next = "MULTIPLY"
            with m.State("MULTIPLY"):
                m.d.sync += cycle.eq(cycle + 1)
                with m.If(cycle == APPLY):
                    m.d.sync += [cycle.eq(0), round_.eq(round_ + 1)]
                    with m.If(round_ == ROUNDS - 1):
                        m.d.sync += self.o_done.eq(1)
                        m.next = "IDLE"
        with m.If(self.o_done):
            m.d.sync += self.o_done.eq(0)

        # round 0 multiplies D by 32/17; the others multiply alternately D by x, and x by the
        # magnitude of 1 - D x
        first, improves = Signal(), Signal()
        negative = Signal()
        m.d.comb += [
            first.eq(round_ == 0),
            improves.eq(~round_[0] & ~first),
            negative.eq(first | improves & error_negative),
        ]
        one = Mux(improves, x, mantissa[1:])
        other = Mux(first, Const(SLOPE, 31), Mux(improves, error, x))
        s1_one, s1_other, s2_product = Signal(HALF), Signal(HALF), Signal(2 * HALF)
        m.d.sync += [
            s1_one.eq(Mux(cycle[1], one[HALF:], one[:HALF])),
            s1_other.eq(Mux(cycle[0], other[HALF:], other[:HALF])),
            s2_product.eq(s1_one * s1_other),
        ]
        with m.Switch(cycle):
            with m.Case(0):
                # rounding to nearest, where an exact half of the signed product rounds up
                m.d.sync += total.eq((1 << 30) - negative)
            for part, weight in enumerate((0, 1, 1, 2)):
                with m.Case(FIRST_SUM + part):
                    m.d.sync += total.eq(total + (s2_product << weight * HALF))

        product = total[31:]
        with m.If(cycle == APPLY):
            with m.If(first):
                m.d.sync += x.eq(Const(CONSTANT, 31) - product)
            with m.Elif(improves):
                m.d.sync += x.eq(Mux(negative, x - (product << 2), x + (product << 2)))
            with m.Else():
                m.d.sync += [error_negative.eq(product > ONE),
                             error.eq(Mux(product > ONE, product - ONE, ONE - product))]
        m.d.comb += [
            self.o_multiplier.eq(Mux(x[30], (1 << 31) - 1, x << 1)),
            self.o_shift.eq(Mux(zeros < TOTAL_SHIFT - MAX_SHIFT, MAX_SHIFT, TOTAL_SHIFT - zeros)),
        ]
        return m
