"""Portable SPRAM compared with the primitive, in Icarus with yosys' Verilog model of it."""

import pytest

from support.primitive import compare_with_primitive
from support.seeds import seed
from weft.vendor.spram import Spram

ACCESSES = 20_000

# Few addresses, so that written words are read again. Each is written first, because its contents
# are undefined at power-on. The output after a write is undefined: only outputs of reads are
# compared, in the next cycle and after idle cycles.
BENCH = """
`timescale 1ns / 1ps
module bench;
    reg clk = 0, en, was_read = 0;
    reg [1:0] write;
    reg [13:0] addr;
    reg [15:0] data;
    wire [15:0] portable, ice40;
    integer cycle, seed = SEED, seen = 0, bad = 0;
    portable a(.clk(clk), .rst(1'b0), .i_en(en), .i_write(write), .i_addr(addr), .i_data(data),
               .o_data(portable));
    ice40 b(.clk(clk), .rst(1'b0), .i_en(en), .i_write(write), .i_addr(addr), .i_data(data),
            .o_data(ice40));
    initial begin
        for (cycle = 0; cycle < ACCESSES; cycle = cycle + 1) begin
            en = cycle < 64 || $urandom(seed) % 4 != 0;
            write = cycle < 64 ? 2'b11 : $urandom(seed) % 3 ? 2'b00 : $urandom(seed);
            // scattered over all address bits
            addr = (cycle < 64 ? cycle : $urandom(seed) % 64) * 14'd1733;
            data = $urandom(seed);
            #1 clk = 1; #1 clk = 0;
            if (en) was_read = write == 0;
            if (was_read) begin
                seen = seen + 1;
                if (portable !== ice40) bad = bad + 1;
            end
        end
        $display("seen %0d bad %0d", seen, bad);
    end
endmodule
"""


def compare(folder, change=lambda text: text):
    bench = BENCH.replace("ACCESSES", str(ACCESSES)).replace("SEED", str(seed(1)))
    return compare_with_primitive(Spram, bench, folder, change)


def test_model_agrees_with_the_primitive(tmp_path):
    seen, bad = compare(tmp_path)
    assert seen > ACCESSES // 2 and bad == 0


@pytest.mark.parametrize("old, new", [
    (".MASKWREN({ i_write[1], i_write, i_write[0] })", ".MASKWREN(4'hf)"),
    (".STANDBY(1'h0)", ".STANDBY(i_write[0])"),
    (".CHIPSELECT(i_en)", ".CHIPSELECT(1'h1)"),
    (".POWEROFF(1'h1)", ".POWEROFF(1'h0)"),
])
def test_comparison_finds_a_wrong_connection(old, new, tmp_path):
    def change(text):
        if "SB_SPRAM256KA" not in text:
            return text
        assert old in text, text
        return text.replace(old, new)
    seen, bad = compare(tmp_path, change)
    assert seen > 1000 and bad > 0
