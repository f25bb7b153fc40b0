"""Second names of signals: removed unless something uses them, so that CXXRTL finds no loop."""

import os

import pytest

from weft.instance import make_accelerator
from weft.spec.presets import PRESETS, preset
from weft.verilog import to_rtlil
from weft_host.device import rtl_build
from weft_host.device.cxxrtl import drop_aliases

LOOP = "converged = false"      # CXXRTL evaluates a design with a loop repeatedly
# The output of a multiplexer, of which cells use four bits by each of two names.
TWO_NAMES = r"""
module \weft
  wire width 8 \a
  wire width 8 \b
  wire width 8 \first
  wire input 1 \clk
  wire width 8 input 2 \x
  wire width 8 input 3 \y
  wire input 4 \select
  wire width 8 output 5 \o
  wire width 8 output 6 \copy
  cell $mux $1
    parameter \WIDTH 8
    connect \A \x
    connect \B \y
    connect \S \select
    connect \Y { \a [7:4] \b [3:0] }
  end
  cell $dff $2
    parameter \CLK_POLARITY 1
    parameter \WIDTH 8
    connect \CLK \clk
    connect \D { \a [7:5] \a [4] \b [3:0] }
    connect \Q \first
  end
  connect \o \first
  connect { \copy [7:4] \copy [3:0] } { \b [7:4] \a [3:0] }
  connect \a [3:0] \b [3:0]
  connect \b [7:4] \a [7:4]
end
"""


def convert(rtlil):
    return rtl_build._run_yosys(rtlil, "weft", "write_cxxrtl -O6 -g0")


def without_copy(rtlil):
    return "".join(line for line in rtlil.splitlines(keepends=True) if "copy" not in line)


def test_two_names_of_one_signal_are_no_loop():
    rtlil = without_copy(TWO_NAMES)
    assert LOOP in convert(rtlil)
    dropped = drop_aliases(rtlil)
    assert LOOP not in convert(dropped)
    assert [line for line in rtlil.splitlines() if line not in dropped.splitlines()] == [
        r"  connect \a [3:0] \b [3:0]", r"  connect \b [7:4] \a [7:4]"]


@pytest.mark.parametrize("output", [
    r"connect \o \first", r"connect { \copy [7:4] \copy [3:0] } { \b [7:4] \a [3:0] }"])
def test_connections_of_outputs_remain(output):
    assert f"  {output}\n" in drop_aliases(TWO_NAMES)


@pytest.mark.parametrize("bits, use, kept", [
    ("[3:0]", r"\a [3:0]", True), ("[3:0]", r"\a", True), ("[3:0]", r"\a [3]", True),
    ("[3:0]", r"{ \x [1:0] \a [7:3] }", True), ("[3:0]", r"\a [7:4]", False),
    ("[3:0]", r"{ \a [7] \a [5:4] }", False), ("[3:0]", r"\aa [3:0]", False),
    ("[2]", r"\a [3]", False), ("[2]", r"\a [2]", True)])
def test_a_connection_of_bits_that_a_cell_uses_remains(bits, use, kept):
    rtlil = "\n".join((r"module \weft", "  cell $not $1", f"    connect \\A {use}", "  end",
                       f"  connect \\a {bits} \\b {bits}", "end", ""))
    assert (f"  connect \\a {bits} " in drop_aliases(rtlil)) == kept


def configurations():
    """Return the presets with fixed-point instructions, with one and two lines per cycle.

    ``make test`` converts the smallest one, because it takes minutes for all. The tests that
    simulate other configurations check the same.
    """
    found = []
    for name, config in PRESETS.items():
        if not config.compact:
            found += [preset(name, fixed_point=True, tile_lines=lines)
                      for lines in (1, 2) if config.rows >= 8 or lines == 1]
    return found if os.environ.get("WEFT_SOAK") else found[:1]


@pytest.mark.parametrize("config", configurations(), ids=lambda config: config.name)
def test_simulators_with_fixed_point_instructions_evaluate_a_cycle_once(config):
    rtlil = rtl_build.tie_reset_low(to_rtlil(make_accelerator(config, observe=True), "weft"),
                                    "weft")
    design = rtl_build._convert(rtlil, "weft", trace=False)
    assert LOOP not in design and "negedge_" not in design
