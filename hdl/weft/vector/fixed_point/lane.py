"""Lane of the fixed-point instructions: from the operands of a product to a limited result."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...delay_line import delay_line
from ..requantize import Requantizer
from ..rounding import magnitude
from .right_shift import MOST_SHIFT, RightShift, saturated

__all__ = ["FixedPointLane"]


class FixedPointLane(wiring.Component):
    """Pipeline that multiplies, adds, shifts and limits one element per cycle.

    The result is ``limit(sat(sat(round_shift(addend + value * multiplier, amount)) + bias) +
    old)``. With ``i_second``, the addend is the sum of the previous cycle. The product is
    subtracted if ``i_negative`` is high. The amount is ``i_base + i_slot_shift``, limited to 0 to
    63; 63 yields 0.

    The product is computed outside, by the multiplier of a :class:`Requantizer`, from ``o_value``
    and ``o_multiplier``. The pipeline never stalls. The inputs are sampled a number of cycles after
    the value that they belong to.

    Members
    -------
    i_value, i_multiplier, i_negative, i_addend : :py:`In(signed(32))` each, :py:`In(1)`, \
:py:`In(signed(34))`
        Operands, together.
    i_second, i_base, i_slot_shift : :py:`In(1)`, :py:`In(signed(8))`, :py:`In(6)`
        After ``SECOND_AT``, ``BASE_AT`` and ``BASE_AT`` cycles.
    i_bias, i_old : :py:`In(signed(32))` each
        After ``BIAS_AT`` and ``OLD_AT`` cycles.
    i_low, i_high : :py:`In(signed(33))` each
        Limits of the result. They must not change while an element is in progress.
    o_value, o_multiplier : :py:`Out(signed(32))`, :py:`Out(32)`
        The value, and one cycle later the magnitude of the multiplier.
    i_product : :py:`In(63)`
        Magnitude of the product, ``PRODUCT_AT`` cycles after the value.
    o_exact : :py:`Out(signed(64))`
        Shifted sum before it is limited, after ``EXACT_AT`` cycles.
    o_result : :py:`Out(signed(32))`
        Result, after ``LATENCY`` cycles.
    """

    PRODUCT_AT = 1 + Requantizer.PRODUCT_AT
    SECOND_AT = PRODUCT_AT
    BASE_AT = PRODUCT_AT
    EXACT_AT = PRODUCT_AT + 1 + RightShift.LATENCY
    BIAS_AT = EXACT_AT + 1
    OLD_AT = BIAS_AT + 2
    LATENCY = OLD_AT + 2

    def __init__(self):
        super().__init__({
            "i_value": In(signed(32)),
            "i_multiplier": In(signed(32)),
            "i_negative": In(1),
            "i_addend": In(signed(34)),
            "i_second": In(1),
            "i_base": In(signed(8)),
            "i_slot_shift": In(6),
            "i_bias": In(signed(32)),
            "i_old": In(signed(32)),
            "i_low": In(signed(33)),
            "i_high": In(signed(33)),
            "o_value": Out(signed(32)),
            "o_multiplier": Out(32),
            "i_product": In(63),
            "o_exact": Out(signed(64)),
            "o_result": Out(signed(32)),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.shift = shift = RightShift(64)
        m.d.comb += self.o_value.eq(self.i_value)
        m.d.sync += self.o_multiplier.eq(magnitude(self.i_multiplier))

        is_negative = self.i_value[-1] ^ self.i_multiplier[-1] ^ self.i_negative
        negative, addend = delay_line(m, "sum", self.PRODUCT_AT, is_negative, self.i_addend)
        total = Signal(signed(64), reset_less=True)
        before = Signal(signed(64))
        signed_product = (self.i_product ^ negative.replicate(63))
        m.d.comb += before.eq(Mux(self.i_second, total, addend.as_signed()))
        # the carry of the negation enters below bit 0
        m.d.sync += total.eq((Cat(negative, before).as_signed()
                              + Cat(negative, signed_product, negative).as_signed()) >> 1)

        amount = Signal(6, reset_less=True)
        wide = Signal(signed(9))
        m.d.comb += wide.eq(self.i_base + self.i_slot_shift)
        m.d.sync += amount.eq(Mux(wide < 0, 0, Mux(wide > MOST_SHIFT, MOST_SHIFT, wide[:6])))
        m.d.comb += [
            shift.i_value.eq(total),
            shift.i_amount.eq(amount),
            self.o_exact.eq(shift.o_result),
        ]

        s1_result, s3_result = (Signal(signed(32), name=f"s{n}_result", reset_less=True)
                                for n in (1, 3))
        s2_sum, s4_sum = (Signal(signed(33), name=f"s{n}_sum", reset_less=True) for n in (2, 4))
        m.d.sync += [
            s1_result.eq(saturated(shift.o_result, 32)),
            s2_sum.eq(s1_result + self.i_bias),
            s3_result.eq(saturated(s2_sum, 32)),
            s4_sum.eq(s3_result + self.i_old),
            self.o_result.eq(Mux(s4_sum < self.i_low, self.i_low,
                                 Mux(s4_sum > self.i_high, self.i_high, s4_sum))),
        ]
        return m
