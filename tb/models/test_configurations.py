"""Random and extreme configurations: Verilog, matrix products and random programs on the RTL."""

import dataclasses
import os
import re

import numpy as np
import pytest

from support.configurations import CORNERS, random_config
from support.programs import MEMORY_BYTES, random_program
from support.seeds import seed
from weft.accelerator import Accelerator
from weft.spec.config import Config
from weft.verilog import to_verilog
from weft_host import compile_gemm
from weft_host.compiler.gemm import gemm_reference
from weft_host.device import EmulatorDevice, RtlDevice, rtl_build

COUNT = int(os.environ.get("WEFT_CONFIGS", "2"))
SEED = seed(1)
# a build takes a quarter of a minute: `make test` runs three corners, `make soak` all
SOME = ("minimum of every parameter", "two columns, eight banks, one lane",
        "two columns, two lines per cycle")


@pytest.fixture(autouse=True)
def quick_builds(monkeypatch):
    """Build with -O1: each simulator runs for a second only, so the build time dominates."""
    monkeypatch.setattr(rtl_build, "_FLAGS", (
        "-O1", *(flag for flag in rtl_build._FLAGS if flag != "-O3")))


def corners():
    return [name for name in CORNERS if COUNT >= 25 or name in SOME]


def assert_gemm(device, m, k, n, number, raw):
    draw = np.random.default_rng([number, m, k, n])
    a = draw.integers(-128, 128, (m, k), dtype=np.int8)
    b = draw.integers(-128, 128, (k, n), dtype=np.int8)
    bias = draw.integers(-1 << 16, 1 << 16, n, dtype=np.int32)
    scale = None if raw else draw.uniform(0.5, 2, n) / (4096 * k ** 0.5)
    program = compile_gemm(m, k, n, device.config, b=b, bias=bias, scale=scale, zero_point=3)
    found = device.run(program, [a], limit=20_000_000).outputs["c"]
    expected = gemm_reference(a, b, bias, scale, 0 if raw else 3)
    wrong = np.argwhere(found != expected)
    assert not len(wrong), (
        f"{device.config}: {m} x {k} x {n}, raw={raw}: {len(wrong)} differ, first at {wrong[0]}: "
        f"expected {expected[tuple(wrong[0])]}, got {found[tuple(wrong[0])]}")


def assert_works(config, first):
    print(config)
    text = to_verilog(Accelerator(config), "weft")
    # one module with the name that SoCs instantiate, and a complete design
    assert len(re.findall(r"^module weft\(", text, re.MULTILINE)) == 1
    assert len(text.splitlines()) > 1000
    if config.multiplier in ("ecp5", "ecp5_lut", "ice40"):
        # the simulator has no vendor cells; tb/unit/vendor/test_multiplier.py verifies them
        config = dataclasses.replace(config, multiplier="lut", dsp_cells=None)
    with RtlDevice(config, memory_bytes=MEMORY_BYTES, stalls="both", seed=first) as rtl:
        rows, cols = config.rows, config.cols
        assert_gemm(rtl, 1, 1, 1, first, True)
        assert_gemm(rtl, 5, rows + 1, cols + 1, first, False)
        assert_gemm(rtl, 37, 2 * rows + 3, cols, first, True)
        emulator = EmulatorDevice(config, memory_bytes=MEMORY_BYTES)
        for number in range(20):
            program = random_program(config, first + number)
            data = np.random.default_rng(first + number)
            inputs = [data.integers(-128, 128, tensor.shape, dtype=np.int8)
                      for tensor in program.inputs]
            expected = emulator.run(program, inputs).outputs["after"]
            found = rtl.run(program, inputs, limit=5_000_000).outputs["after"]
            wrong = np.flatnonzero(expected != found)
            assert not len(wrong), (
                f"{config}: random program {first + number}: {len(wrong)} bytes differ, first "
                f"{wrong[0]}")


@pytest.mark.parametrize("number", range(COUNT))
def test_a_random_configuration_works(number):
    first = 100 * SEED + number
    assert_works(random_config(first), first)


@pytest.mark.parametrize("name", corners())
def test_an_extreme_configuration_works(name):
    assert_works(Config(name=name, **CORNERS[name]), SEED)


def test_random_configurations_reach_the_ends_of_every_range():
    configs = [random_config(number) for number in range(2000)]
    for field, ends in {"rows": (4, 64), "cols": (2, 64), "spad_bytes": (256, 65536),
                        "spad_banks": (1, 8), "vector_lanes": (1, 32), "bus_width": (32, 256),
                        "addr_width": (16, 32), "queue_depth": (2, 64), "max_burst": (1, 256),
                        "outstanding": (1, 64), "acc_rows": (8, 1024),
                        "tile_lines": (1, 2)}.items():
        drawn = {getattr(config, field) for config in configs}
        assert {*ends} <= drawn, field
