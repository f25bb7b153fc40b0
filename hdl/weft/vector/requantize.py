"""Requantiser, a pipeline that converts one int32 per cycle to an int8."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .rounding import FIRST_SHIFT, ShiftStage, clamp, magnitude, rounds_half_up

__all__ = ["Requantizer"]

HALF = 16               # bits of half an operand, which fits the multipliers of all FPGAs
COARSE = 16             # step of the first stage of the shifter, in bits
PRODUCT = 62            # bits of a product
QUOTIENT = 8            # bits; 255 plus any zero point is at least every clamp_max
WINDOW = QUOTIENT + 1 + COARSE - 1


class Requantizer(wiring.Component):
    """Pipeline that multiplies by ``multiplier * 2**-shift``, rounds, adds the zero point, clamps.

    The pipeline never stalls: a result leaves ``LATENCY`` cycles after its value enters. The other
    inputs are sampled a number of cycles after the value that they belong to, to save registers.
    The result is exact for all values, multipliers below 2^31, shifts from 0 to 63 and rounding
    laws; the page on numerics defines the laws.

    Parameters
    ----------
    fixed_point : :class:`bool`
        The fixed-point instructions use the multiplier, too.

    Members
    -------
    i_value : :py:`In(signed(32))`
        The value.
    i_multiplier : :py:`In(31)`
        Multiplier, ``MULTIPLIER_AT`` cycles after its value.
    i_shift : :py:`In(6)`
        Shift, ``SHIFT_AT`` cycles after its value.
    i_double, i_away : :py:`In(1)` each
        Rounding law TFL2, or AWAY, or TFL1 if neither is high; ``SHIFT_AT`` cycles after the value.
    i_zero_point : :py:`In(signed(8))`
        Zero point, ``ZERO_POINT_AT`` cycles after the value.
    i_clamp_min, i_clamp_max : :py:`In(signed(8))` each
        Smallest and largest result, ``CLAMP_AT`` cycles after the value.
    o_result : :py:`Out(signed(8))`
        Result, ``LATENCY`` cycles after the value.
    o_product : :py:`Out(63)`
        Only with ``fixed_point``: magnitude of the product, ``PRODUCT_AT`` cycles after the value.
        ``i_multiplier`` then has 32 bits, and its largest value is 2^31.
    """

    MULTIPLIER_AT = 1
    PRODUCT_AT = 4
    SHIFT_AT = 5
    ZERO_POINT_AT = 9
    CLAMP_AT = 10
    LATENCY = 11

    def __init__(self, *, fixed_point=False):
        self.fixed_point = fixed_point
        super().__init__({
            "i_value": In(signed(32)),
            "i_multiplier": In(32 if fixed_point else 31),
            "i_shift": In(6),
            "i_double": In(1),
            "i_away": In(1),
            "i_zero_point": In(signed(8)),
            "i_clamp_min": In(signed(8)),
            "i_clamp_max": In(signed(8)),
            "o_result": Out(signed(8)),
            **({"o_product": Out(PRODUCT + 1)} if fixed_point else {}),
        })

    def elaborate(self, platform):
        m = Module()
        # registers have no reset, because results of undefined values are not used
        negative = [_signal(1, f"s{n}_negative") for n in range(1, 9)]
        m.d.sync += negative[0].eq(self.i_value[-1])
        m.d.sync += [new.eq(old) for old, new in zip(negative, negative[1:])]

        product = self._multiply(m)
        if self.fixed_point:
            m.d.comb += self.o_product.eq(product)
            product = product[:PRODUCT]

        # stage 5: tests on the bits of |P| that the coarse shift drops
        s5_product = _signal(len(product), "s5_product")
        s5_any_low, s5_any_mid, s5_any_high, s5_all_high, s5_half = (
            _signal(1, f"s5_{name}") for name in
            ("any_low", "any_mid", "any_high", "all_high", "half"))
        s5_over = _signal(3, "s5_over")
        low, mid, top = product[:15], product[15:FIRST_SHIFT - 1], product[FIRST_SHIFT - 1]
        high = product[FIRST_SHIFT:3 * COARSE - 1]
        above = [product[n * COARSE + WINDOW - 1:(n + 1) * COARSE + WINDOW - 1] for n in range(3)]
        m.d.sync += [
            s5_product.eq(product),
            s5_any_low.eq(low.any()),
            s5_any_mid.eq(mid.any()),
            s5_any_high.eq(high.any()),
            s5_all_high.eq(high.all()),
            s5_half.eq(rounds_half_up(negative[3], top, low.any() | mid.any())),
            s5_over.eq(Cat(part.any() for part in above)),
        ]

        # stage 6: shift right by 0, 16, 32 or 48, with a guard bit below bit 0
        coarse = self.i_shift[4:]
        doubled = Cat(0, s5_product)
        s6 = _stage(6, WINDOW)
        two_steps = Signal()
        m.d.comb += two_steps.eq(self.i_double & coarse[1])
        to_32 = s5_any_low | s5_any_mid | s5_product[FIRST_SHIFT - 1]
        to_48 = to_32 | s5_any_high
        m.d.sync += [
            s6.value.eq(Mux(
                coarse[1],
                Mux(coarse[0], doubled[3 * COARSE:][:WINDOW], doubled[2 * COARSE:][:WINDOW]),
                Mux(coarse[0], doubled[COARSE:][:WINDOW], doubled[:WINDOW]))),
            s6.over.eq(Mux(coarse[1],
                           Mux(coarse[0], 0, s5_over[2]),
                           Mux(coarse[0], s5_over[1:].any(), s5_over.any()))),
            s6.sticky.eq(self.i_away | two_steps | Mux(
                coarse[1], Mux(coarse[0], to_48, to_32), coarse[0] & s5_any_low)),
            s6.ones.eq(two_steps & s5_half & (~coarse[0] | s5_all_high)),
        ]

        # stages 7 and 8: shift right by 0, 4, 8 or 12, then by 0 to 3
        s6_fine, s7_fine = _signal(4, "s6_fine"), _signal(2, "s7_fine")
        m.d.sync += [s6_fine.eq(self.i_shift), s7_fine.eq(s6_fine)]
        s7 = _stage(7, QUOTIENT + 1 + 3)
        s8 = _stage(8, QUOTIENT + 1)
        m.d.sync += _assign(s7, s6.shift(s6_fine[2:], step=4, width=QUOTIENT + 1 + 3))
        m.d.sync += _assign(s8, s7.shift(s7_fine, step=1, width=QUOTIENT + 1))

        # stages 9 and 10: sign, with -(q + i) = ~q + (1 - i), zero point and clamp
        s9_quotient = _signal(QUOTIENT, "s9_quotient")
        s9_carry, s9_negative = _signal(1, "s9_carry"), _signal(1, "s9_negative")
        s10_result = _signal(signed(QUOTIENT + 2), "s10_result")
        m.d.sync += [
            s9_quotient.eq((s8.value[1:] | s8.over.replicate(QUOTIENT))
                           ^ negative[7].replicate(QUOTIENT)),
            s9_carry.eq(s8.increment(negative[7]) ^ negative[7]),
            s9_negative.eq(negative[7]),
            s10_result.eq(Cat(s9_quotient, s9_negative).as_signed() + self.i_zero_point
                          + s9_carry),
            self.o_result.eq(clamp(s10_result, self.i_clamp_min, self.i_clamp_max)),
        ]
        return m

    def _multiply(self, m):
        """Return ``|P|``, the magnitude of the product, in stage 4.

        It has 62 bits, because the largest magnitude is 2^31 * (2^31 - 1), or with ``fixed_point``
        63 bits.
        """
        width = PRODUCT + self.fixed_point
        s1_value = _signal(32, "s1_value")
        value = s1_value[:HALF], s1_value[HALF:]
        multiplier = self.i_multiplier[:HALF], self.i_multiplier[HALF:]
        s2 = [[_signal(2 * HALF, f"s2_product_{i}{j}") for j in range(2)] for i in range(2)]
        # |value| <= 2^31, so each inner product is below 2^31 and their sum fits
        s3_inner = _signal(2 * HALF, "s3_inner")
        s3_outer = _signal(width, "s3_outer")
        s4_product = _signal(width, "s4_product")
        m.d.sync += s1_value.eq(magnitude(self.i_value))
        m.d.sync += [s2[i][j].eq(value[i] * multiplier[j]) for i in range(2) for j in range(2)]
        m.d.sync += [
            s3_inner.eq(s2[0][1] + s2[1][0]),
            s3_outer.eq(Cat(s2[0][0], s2[1][1])),
            s4_product.eq(Cat(s3_outer[:HALF], s3_outer[HALF:] + s3_inner)),
        ]
        return s4_product


def _signal(shape, name):
    return Signal(shape, name=name, reset_less=True)


def _stage(number, width):
    return ShiftStage(_signal(width, f"s{number}_value"), _signal(1, f"s{number}_over"),
                   _signal(1, f"s{number}_sticky"), _signal(1, f"s{number}_ones"))


def _assign(stage, new):
    return [stage.value.eq(new.value), stage.over.eq(new.over), stage.sticky.eq(new.sticky),
            stage.ones.eq(new.ones)]
