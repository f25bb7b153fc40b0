"""The Verilog that is handed to others: complete contents of memories, no X from the start."""

import re
import shutil
import subprocess

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from weft.presets import preset
from weft.sram.weights import WeightBuffer
from weft.verilog import to_verilog


class Table(wiring.Component):
    """Reads a memory, and derives ``o_flag`` from a register that is not written for long."""

    def __init__(self, depth, init):
        self.depth, self.init = depth, init
        super().__init__({"i_addr": In(8), "o": Out(8), "o_flag": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.table = table = memory.Memory(shape=8, depth=self.depth, init=self.init)
        read = table.read_port()
        still = Signal(2)
        with m.If(self.i_addr == 255):
            m.d.sync += still.eq(self.i_addr)
        m.d.comb += [read.addr.eq(self.i_addr), self.o.eq(read.data)]
        with m.Switch(still):
            with m.Case(1):
                m.d.comb += self.o_flag.eq(1)
            with m.Case(2):
                m.d.comb += self.o_flag.eq(still[1])
        return m


def icarus(tmp_path, design, bench):
    if shutil.which("iverilog") is None:
        pytest.fail("Icarus Verilog is missing: install the Debian package iverilog")
    (tmp_path / "design.v").write_text(design)
    (tmp_path / "bench.v").write_text(bench)
    subprocess.run(["iverilog", "-g2005", "-Wall", "-o", "sim", "design.v", "bench.v"],
                   cwd=tmp_path, check=True)
    return subprocess.run(["vvp", "-n", "sim"], cwd=tmp_path, check=True, capture_output=True,
                          text=True).stdout.split()


BENCH = """
module bench;
  reg clk = 0, rst = 1; reg [7:0] i_addr; wire [7:0] o; wire o_flag; integer n;
  table_top dut(.clk(clk), .rst(rst), .i_addr(i_addr), .o(o), .o_flag(o_flag));
  initial begin
    i_addr = 0; #1 $display("%b", o_flag);
    rst = 0;
    for (n = 0; n < 100; n = n + 1) begin i_addr = n; #1 clk = 1; #1 clk = 0; $display("%d", o); end
  end
endmodule
"""


@pytest.mark.parametrize("init", [[], [0] * 99 + [7], [5] * 100])
def test_every_word_of_a_memory_has_its_first_value(tmp_path, init):
    words = icarus(tmp_path, to_verilog(Table(100, init), "table_top"), BENCH)
    assert words == ["0", *map(str, init or [0] * 100)]


def test_contents_of_zeros_take_a_line():
    text = to_verilog(WeightBuffer(preset("tiny")), "top")
    assert text.count("initial for") == 4
    assert not re.search(r"\[\d+\] = 8'h00;", text)


def test_text_is_the_same_on_every_run():
    component = preset("tiny")
    assert to_verilog(WeightBuffer(component), "top") == to_verilog(WeightBuffer(component), "top")
