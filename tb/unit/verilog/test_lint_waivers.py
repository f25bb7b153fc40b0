"""Waivers: one file, one rule and one message each, with a reason."""

import re

import pytest

from support.verilog_tools import verilator_lint
from weft_host.verilog import lint_waivers
from weft_host.verilog.lint_waivers import are_waivers

BAD = """\
module bad (input wire [3:0] a, output wire b, output wire [1:0] c, output reg d);
  wire undriven;
  assign b = a[0] & undriven;
  assign c = a;
  always @* case (a[1:0]) 2'd0: d = 1'd1; 2'd1: d = 1'd0; default: d = undriven; endcase
  initial d <= 1'd0;
endmodule
"""


def test_every_waiver_has_a_reason_and_is_for_one_message_of_one_file():
    head, *parts = lint_waivers("npu.v", "npu").split("\n\n")
    assert head.startswith("`verilator_config\n// SPDX-License-Identifier: Apache-2.0\n")
    assert len(parts) >= 8
    for part in parts:
        reason = [line for line in part.splitlines() if line.startswith("// ")]
        waivers = part.splitlines()[len(reason):]
        assert reason and reason[-1].endswith(".") and waivers
        for waiver in waivers:
            assert "-rule" in waiver or "PROCASSINIT" in part
            assert re.fullmatch(r'lint_off( -rule [A-Z]+)? -file "(\*/)?npu\.v" -match "[^"]{20,}"',
                                waiver)


@pytest.mark.parametrize("folder", ["", "build"])
@pytest.mark.parametrize("name, silent", [("bad.v", True), ("other_bad.v", False)])
def test_waivers_hold_in_any_folder_and_only_for_the_file(tmp_path, folder, name, silent):
    (tmp_path / folder).mkdir(exist_ok=True)
    path = f"{folder}/{name}".lstrip("/")
    (tmp_path / path).write_text("module bad (input wire a, output wire b, input wire spare);\n"
                                 "  assign b = a;\nendmodule\n")
    (tmp_path / "bad.vlt").write_text(lint_waivers("bad.v", "bad"))
    log = verilator_lint(tmp_path, "bad.vlt", path)
    assert (log == "") == silent
    assert silent or "UNUSEDSIGNAL" in log


def test_defects_are_reported_in_spite_of_the_waivers(tmp_path):
    (tmp_path / "bad.v").write_text(BAD)
    (tmp_path / "bad.vlt").write_text(lint_waivers("bad.v", "bad"))
    log = verilator_lint(tmp_path, "bad.vlt", "bad.v")
    rules = set(re.findall(r"%Warning-(\w+)", log))
    assert {"UNDRIVEN", "WIDTHTRUNC", "INITIALDLY"} <= rules, log


def test_own_files_are_known():
    text = lint_waivers("a.v", "weft")
    assert are_waivers(text.encode())
    assert not are_waivers(b"") and not are_waivers(b"`verilator_config\nlint_off -rule WIDTH\n")
    assert not are_waivers(text.replace("Apache-2.0", "MIT").encode())
