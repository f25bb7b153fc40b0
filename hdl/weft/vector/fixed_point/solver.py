"""Roots and quotients of SOLVE, one bit per cycle."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...spec.fixed_point_instructions import SolveOp
from .reduction import NUMBER

__all__ = ["Solver"]

LARGEST = 32639         # of 16-bit activations
MANTISSA = 31           # bits
SUM = NUMBER + 2        # bits of twice an operand plus a constant, with a sign
DIVISOR = 65            # bits of twice the constant of MEAN
SCALE_SHIFT, SCALE_BITS, SCALE_UNIT = 39, 16, 15
ROOT_SHIFT, SUM_SHIFT = 56, 103     # shifts of the factors, if the normalisation shifts by 0


class Solver(wiring.Component):
    """Computes the results of one row of SOLVE.

    ROOT, SCALE and SUM yield a multiplier and a shift, MEAN and EXPONENT a number as multiplier.
    ``weft_host.numerics.quotients`` defines them. The operand is normalised by up to 8 bits per
    cycle. A root and a quotient take 31 cycles each, except for the quotient of MEAN, which takes
    82. The following numbers are upper bounds, from ``i_start`` to ``o_done``:

    ========  =======
    op        cycles
    ========  =======
    ROOT      80
    SCALE     36
    SUM       50
    MEAN      86
    EXPONENT  20
    ========  =======

    Members
    -------
    i_start : :py:`In(1)`
        Start a computation. Not allowed from the cycle after ``i_start`` until ``o_done``.
    i_op, i_constant : :py:`In(3)`, :py:`In(64)`
        Operation and constant, which must not change until ``o_done``.
    i_operand : :py:`In(signed(80))`
        Operand, in the cycle of ``i_start``.
    o_done : :py:`Out(1)`
        High for one cycle.
    o_multiplier, o_shift, o_scale : :py:`Out(32)`, :py:`Out(signed(8))`, :py:`Out(16)`
        Results, valid from ``o_done`` to the next ``i_start``.
    """

    def __init__(self):
        super().__init__({
            "i_start": In(1),
            "i_op": In(3),
            "i_constant": In(64),
            "i_operand": In(signed(NUMBER)),
            "o_done": Out(1),
            "o_multiplier": Out(32),
            "o_shift": Out(signed(8)),
            "o_scale": Out(SCALE_BITS),
        })

    def elaborate(self, platform):
        m = Module()
        root, scale, total, mean, exponent = (
            self.i_op == SolveOp[name] for name in ("ROOT", "SCALE", "SUM", "MEAN", "EXPONENT"))
        x = Signal(SUM)                     # operand, then the bits to divide and the quotient
        negative = Signal()
        left = Signal(range(SUM + 1))       # bits by which x was shifted
        rest = Signal(DIVISOR + 1)
        divisor = Signal(DIVISOR)           # or root
        bits = Signal(range(SUM + 1))       # iterations that are left
        is_root = Signal()
        multiplier = self.o_multiplier

        operand = Signal(signed(NUMBER))
        m.d.comb += operand.eq(Mux(self.i_operand[-1] & ~mean, 0, self.i_operand))
        addend = Mux(root | mean, self.i_constant, Mux(scale, (1 << SCALE_UNIT) - 1, 0))
        number = Signal(SCALE_BITS)
        m.d.comb += number.eq(self._scale(x))

        # one step of the division, or of the root, whose next bit is 1 if the difference is not
        # negative
        minuend, difference = Signal(DIVISOR + 2), Signal(DIVISOR + 3)
        m.d.comb += [
            minuend.eq(Mux(is_root, Cat(x[-2:], rest), Cat(x[-1], rest))),
            difference.eq(minuend - Mux(is_root, Cat(1, 0, divisor[:MANTISSA]), divisor)),
        ]
        bit = ~difference[-1]

        with m.FSM():
            with m.State("IDLE"):
                with m.If(self.i_start):
                    # a floor of a negative quotient is the complement of that of the complement
                    m.d.sync += [
                        x.eq(Mux(mean, operand << 1, operand) + addend),
                        left.eq(0), rest.eq(0), self.o_shift.eq(0), is_root.eq(0),
                    ]
                    m.next = "PREPARE"
            with m.State("PREPARE"):
                m.d.sync += [negative.eq(0), self.o_scale.eq(number)]
                with m.If(mean):
                    m.d.sync += [
                        negative.eq(x[-1]), x.eq(x ^ x[-1].replicate(SUM)), bits.eq(SUM),
                        divisor.eq(Cat(0, self.i_constant)),
                    ]
                    m.next = "DIVIDE"
                with m.Elif(scale):
                    m.d.sync += [
                        x.eq(Const(127 << 24, MANTISSA) << SUM - MANTISSA), bits.eq(MANTISSA),
                        divisor.eq(number), self.o_shift.eq(SCALE_SHIFT),
                    ]
                    m.next = "DIVIDE"
                with m.Elif(x == 0):
                    m.d.sync += [multiplier.eq(0), self.o_done.eq(1)]
                    m.next = "IDLE"
                with m.Else():
                    m.next = "NORMALISE"
            with m.State("NORMALISE"):
                with m.If(~x[-8:].any()):
                    m.d.sync += [x.eq(x << 8), left.eq(left + 8)]
                with m.Elif(~x[-2:].any()):
                    m.d.sync += [x.eq(x << 2), left.eq(left + 2)]
                with m.Elif(~x[-1] & ~root):
                    m.d.sync += [x.eq(x << 1), left.eq(left + 1)]
                with m.Elif(exponent):
                    m.d.sync += [multiplier.eq(self._exponent(x, left)), self.o_done.eq(1)]
                    m.next = "IDLE"
                with m.Else():
                    mantissa = x[-MANTISSA:]
                    m.d.sync += [
                        bits.eq(MANTISSA), is_root.eq(root),
                        divisor.eq(Mux(root, 0, (mantissa << 7) - mantissa)),
                        self.o_shift.eq(Mux(root, ROOT_SHIFT - left[1:], SUM_SHIFT - left)),
                    ]
                    with m.If(~root):
                        m.d.sync += [rest.eq(1 << 36), x.eq(0)]
                    m.next = "DIVIDE"
            with m.State("DIVIDE"):
                m.d.sync += [
                    rest.eq(Mux(bit, difference, minuend)),
                    bits.eq(bits - 1),
                    x.eq(Mux(is_root, x << 2, Cat(bit, x))),
                ]
                with m.If(is_root):
                    m.d.sync += divisor.eq(Cat(bit, divisor[:MANTISSA - 1]))
                with m.If(bits == 1):
                    m.next = "END"
            with m.State("END"):
                with m.If(is_root):
                    m.d.sync += [is_root.eq(0), rest.eq(LARGEST << 15), x.eq(0),
                                 bits.eq(MANTISSA)]
                    m.next = "DIVIDE"
                with m.Else():
                    m.d.sync += [
                        multiplier.eq(Mux(divisor == 0, 0, x[:32] ^ negative.replicate(32))),
                        self.o_done.eq(1),
                    ]
                    m.next = "IDLE"
        with m.If(self.o_done):
            m.d.sync += self.o_done.eq(0)
        return m

    def _scale(self, x):
        """Return the scale of a vector, from its largest magnitude."""
        over = x[SCALE_UNIT + SCALE_BITS:].any()
        return x[SCALE_UNIT:][:SCALE_BITS] | over.replicate(SCALE_BITS)

    def _exponent(self, x, left):
        """Return the shift that limits a normalised number to 16 bits."""
        top, guard = x[-15:], x[-16]
        over = (top > LARGEST) | (top == LARGEST) & guard
        most = SUM - 15                     # `left` of a number of 15 bits
        return Mux(left > most, 0, most - left + over)
