"""Portable multiplier pair compared with the primitive, in Icarus with yosys' model of it."""

import pytest

from support.primitive import compare_with_primitive
from support.seeds import seed
from weft.vendor.multiplier_pair import MultiplierPair

CYCLES = 20_000

# operands are loaded before the first comparison, because they are undefined at power-on
BENCH = """
`timescale 1ns / 1ps
module bench;
    reg clk = 0, act_en, wgt_en;
    reg [15:0] act, wgt;
    wire [15:0] low_a, high_a, low_b, high_b;
    integer cycle, seed = SEED, seen = 0, bad = 0;
    portable a(.clk(clk), .rst(1'b0), .i_act(act), .i_wgt(wgt), .i_act_en(act_en),
               .i_wgt_en(wgt_en), .o_low(low_a), .o_high(high_a));
    ice40 b(.clk(clk), .rst(1'b0), .i_act(act), .i_wgt(wgt), .i_act_en(act_en),
            .i_wgt_en(wgt_en), .o_low(low_b), .o_high(high_b));
    initial begin
        for (cycle = 0; cycle < CYCLES; cycle = cycle + 1) begin
            act_en = cycle == 0 || $urandom(seed) % 2;
            wgt_en = cycle == 0 || $urandom(seed) % 4 == 0;
            act = $urandom(seed) % 8 ? $urandom(seed) : 16'h8080;
            wgt = $urandom(seed) % 8 ? $urandom(seed) : 16'h8080;
            #1 clk = 1; #1 clk = 0;
            if (cycle > 1) begin
                seen = seen + 1;
                if (low_a !== low_b || high_a !== high_b || ^{low_a, high_a} === 1'bx)
                    bad = bad + 1;
            end
        end
        $display("seen %0d bad %0d", seen, bad);
    end
endmodule
"""


def compare(folder, change=lambda text: text):
    bench = BENCH.replace("CYCLES", str(CYCLES)).replace("SEED", str(seed(1)))
    return compare_with_primitive(MultiplierPair, bench, folder, change)


def test_model_agrees_with_the_primitive(tmp_path):
    seen, bad = compare(tmp_path)
    assert seen > CYCLES - 3 and bad == 0


@pytest.mark.parametrize("old, new", [
    (".A_SIGNED(1'h1)", ".A_SIGNED(1'h0)"),
    (".TOP_8x8_MULT_REG(1'h1)", ".TOP_8x8_MULT_REG(1'h0)"),
    (".B(i_wgt)", ".B({i_wgt[7:0], i_wgt[15:8]})"),
    (".CHOLD(1'h0)", ".CHOLD(1'h0), .BHOLD(1'h0)"),
])
def test_comparison_finds_a_wrong_connection(old, new, tmp_path):
    def change(text):
        if "BHOLD(1'h0)" in new and "SB_MAC16" in text:
            lines = [line for line in text.split("\n") if ".BHOLD(" not in line]
            text = "\n".join(lines)
        assert "SB_MAC16" not in text or old in text
        return text.replace(old, new)

    _, bad = compare(tmp_path, change)
    assert bad


def test_rejects_an_unknown_form():
    with pytest.raises(ValueError, match="^form of a multiplier pair must be one of portable, "
                                         "ice40, not 'ecp5'$"):
        MultiplierPair("ecp5")
