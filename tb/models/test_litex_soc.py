"""The LiteX example as ``make litex`` runs it: VexRiscv starts Weft, and compares every byte."""

import os
import re
import subprocess
import sys

import pytest
from litex_soc import ROOT, missing_tools

pytestmark = pytest.mark.skipif(
    not os.environ.get("WEFT_LITEX"),
    reason="takes minutes: set WEFT_LITEX=1, as make soak does")


def simulate(*options):
    lacking = missing_tools()
    if lacking:
        pytest.skip("; ".join(lacking) + "; make litex installs what is missing")
    return subprocess.run([sys.executable, ROOT / "scripts" / "litex_soc.py", *options], cwd=ROOT,
                          capture_output=True, text=True)


def test_a_layer_is_bit_exact():
    done = simulate()
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    for how in ("with interrupt", "by polling"):
        before, = re.findall(rf"{how}: before, (\d+) of 512 bytes differ", done.stdout)
        assert int(before) > 256
        cycles, = re.findall(rf"{how}: after, 0 of 512 bytes differ, (\d+) cycles", done.stdout)
        assert int(cycles) > 500
    assert done.stdout.endswith("litex: bit-exact\n")


def test_one_wrong_byte_is_found():
    done = simulate("--damage")
    assert done.returncode == 1
    assert "with interrupt: after, 1 of 512 bytes differ" in done.stdout
    assert re.search(r"output 0, byte 511: expected -?\d+, found -?\d+", done.stdout)
    assert done.stderr.endswith("litex: the firmware did not report bit-exact\n")
