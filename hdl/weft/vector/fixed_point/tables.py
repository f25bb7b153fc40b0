"""Tables of the exponential, the logistic function and GELU's factor."""

import math

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from ..rounding import mux_tree

__all__ = ["FUNCTIONS", "Interpolation", "function_table"]

ENTRIES = 256           # steps of 1/16; a table has one entry more
ONE = 1 << 15
PART = 16               # bits of the position between two entries
SLOPE = 11              # bits of the magnitude of a slope


def _logistic(x):
    return 1 / (1 + math.exp(-x))


FUNCTIONS = (
    lambda x: math.exp(-x),
    _logistic,
    lambda x: _logistic(2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)),
)
"""Functions of EXPONENTIAL, SIGMOID and GELU_GATE, in the order of their numbers."""


def function_table(function):
    """Return the entries of a function for 0 to 16, with 15 fraction bits."""
    return [math.floor(function(entry / 16) * ONE + 0.5) for entry in range(ENTRIES + 1)]


class Interpolation(wiring.Component):
    """Pipeline that finds the operands of a linear interpolation.

    The value of the function is ``round_shift(addend +- slope * part, 16)``, where the product is
    subtracted if ``o_negative`` is high. The argument is ``b - a`` for EXPONENTIAL, at least 0. For
    the other functions, it is the magnitude of ``a``; for a negative ``a``, the result is 2^15
    minus the value.

    Members
    -------
    i_a, i_b : :py:`In(signed(32))` each
        Operands.
    i_exponential, i_function, i_fraction : :py:`In(1)`, :py:`In(2)`, :py:`In(5)`
        EXPONENTIAL, the index of the function in :data:`FUNCTIONS`, and the fraction bits of the
        argument minus 4, from 0 to 20. They must not change while an argument is in progress.
    o_slope, o_part, o_addend, o_negative
        Results, ``LATENCY`` cycles after the operands: a magnitude of 11 bits, 16 bits,
        ``signed(34)``, and 1 bit.
    """

    LATENCY = 5

    def __init__(self):
        super().__init__({
            "i_a": In(signed(32)),
            "i_b": In(signed(32)),
            "i_exponential": In(1),
            "i_function": In(2),
            "i_fraction": In(5),
            "o_slope": Out(SLOPE),
            "o_part": Out(PART),
            "o_addend": Out(signed(34)),
            "o_negative": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        # stage 1: b - a, or |a|
        minus = self.i_exponential | self.i_a[-1]
        s1_x = Signal(signed(33), reset_less=True)
        mirrored = [Signal(name=f"s{n}_mirrored", reset_less=True) for n in range(1, 6)]
        first = Mux(self.i_exponential, self.i_b, 0).as_signed()
        other = (self.i_a.as_unsigned() ^ minus.replicate(32)).as_signed()
        m.d.sync += [
            s1_x.eq((Cat(minus, first).as_signed() + Cat(minus, other).as_signed()) >> 1),
            mirrored[0].eq(~self.i_exponential & self.i_a[-1]),
            [later.eq(earlier) for earlier, later in zip(mirrored, mirrored[1:])],
        ]

        # stages 2 and 3: a multiple of 2^-16 steps of the table
        s2_value, s2_over = Signal(31, reset_less=True), Signal(2, reset_less=True)
        fixed = Cat(Const(0, PART), s1_x[:32])
        choices = [Cat(fixed[8 * n:], Const(0, 8 * n)) for n in range(3)]
        chosen = Signal(48)
        m.d.comb += chosen.eq(Mux(s1_x[-1], 0, mux_tree(
            self.i_fraction[3:], [*choices, choices[2]])))
        m.d.sync += [s2_value.eq(chosen), s2_over.eq(Cat(chosen[31:40].any(), chosen[40:].any()))]
        s3_value, s3_over = Signal(24, reset_less=True), Signal(reset_less=True)
        fine = self.i_fraction[:3]
        m.d.sync += [
            s3_value.eq(mux_tree(fine, [s2_value[n:n + 24] for n in range(8)])),
            s3_over.eq(s2_over.any() | mux_tree(fine, [s2_value[n + 24:].any() for n in range(8)])),
        ]

        # stages 4 and 5: entry and slope
        entry_layout = data.StructLayout({"entry": 16, "slope": SLOPE})
        rows = []
        for function in FUNCTIONS:
            table = function_table(function)
            rows += [{"entry": low, "slope": abs(high - low)}
                     for low, high in zip(table, table[1:])]
        # every address has a row: other instructions select any function
        m.submodules.rows = storage = memory.Memory(
            shape=entry_layout, depth=1 << (len(rows) - 1).bit_length(), init=rows)
        port = storage.read_port()
        m.d.comb += [port.en.eq(1), port.addr.eq(Cat(s3_value[PART:], self.i_function))]
        s4_over, s4_part = Signal(reset_less=True), Signal(PART, reset_less=True)
        s5_over, s5_entry = Signal(reset_less=True), Signal(16, reset_less=True)
        last = Mux(self.i_exponential, 0, ONE)
        m.d.sync += [
            s4_over.eq(s3_over), s4_part.eq(s3_value[:PART]),
            s5_over.eq(s4_over), self.o_part.eq(Mux(s4_over, 0, s4_part)),
            s5_entry.eq(Mux(s4_over, last, port.data.entry)), self.o_slope.eq(port.data.slope),
        ]
        # 2^15 - (entry + floor(x + 1/2)) is floor(2^15 - entry - x + 1/2) without its last unit
        entry = Cat(s5_entry, 0, 0).as_signed()
        m.d.comb += [
            self.o_addend.eq(Cat(mirrored[4].replicate(PART), Mux(
                mirrored[4], ONE + ~entry, entry)[:18])),
            self.o_negative.eq(self.i_exponential ^ mirrored[4]),
        ]
        return m
