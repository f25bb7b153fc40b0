"""Random configurations, and extreme ones, each from Verilog to a matrix product on the RTL."""

import dataclasses
import os
import re

import numpy as np
import pytest

from support.configurations import CORNERS, random_config
from support.programs import MEMORY_BYTES, random_program
from weft.accelerator import Accelerator
from weft.spec.config import Config
from weft.verilog import to_verilog
from weft_host import compile_gemm
from weft_host.compiler.gemm import gemm_reference
from weft_host.device import EmulatorDevice, RtlDevice, rtl_build

COUNT = int(os.environ.get("WEFT_CONFIGS", "2"))
SEED = int(os.environ.get("WEFT_SEED", "1"))
# a build takes a quarter of a minute, so `make test` has a few of the corners; soak has all
SOME = ("minimum of every parameter", "two columns, eight banks, one lane")


@pytest.fixture(autouse=True)
def quick_builds(monkeypatch):
    """Each simulator runs for a second only: the compiler's time is what counts."""
    monkeypatch.setattr(rtl_build, "_FLAGS", (
        "-O1", *(flag for flag in rtl_build._FLAGS if flag != "-O3")))


def corners():
    return [name for name in CORNERS if COUNT >= 25 or name in SOME]


def assert_gemm(device, m, k, n, seed, raw):
    draw = np.random.default_rng([seed, m, k, n])
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


def assert_works(config, seed):
    print(config)
    text = to_verilog(Accelerator(config), "weft")
    # one module of the name that SoCs instantiate, and nothing of the design lost on the way
    assert len(re.findall(r"^module weft\(", text, re.MULTILINE)) == 1
    assert len(text.splitlines()) > 1000
    if config.multiplier in ("ecp5", "ecp5_lut", "ice40"):
        # the simulator has no vendor cells; tb/unit/vendor/test_multiplier.py shows that they multiply
        config = dataclasses.replace(config, multiplier="lut", dsp_cells=None)
    with RtlDevice(config, memory_bytes=MEMORY_BYTES, stalls="both", seed=seed) as rtl:
        rows, cols = config.rows, config.cols
        assert_gemm(rtl, 1, 1, 1, seed, True)
        assert_gemm(rtl, 5, rows + 1, cols + 1, seed, False)
        assert_gemm(rtl, 37, 2 * rows + 3, cols, seed, True)
        emulator = EmulatorDevice(config, memory_bytes=MEMORY_BYTES)
        for number in range(20):
            program = random_program(config, seed + number)
            data = np.random.default_rng(seed + number)
            inputs = [data.integers(-128, 128, tensor.shape, dtype=np.int8)
                      for tensor in program.inputs]
            expected = emulator.run(program, inputs).outputs["after"]
            found = rtl.run(program, inputs, limit=5_000_000).outputs["after"]
            wrong = np.flatnonzero(expected != found)
            assert not len(wrong), (
                f"{config}: random program {seed + number}: {len(wrong)} bytes differ, first "
                f"{wrong[0]}")


@pytest.mark.parametrize("number", range(COUNT))
def test_a_random_configuration_works(number):
    seed = 100 * SEED + number
    assert_works(random_config(seed), seed)


@pytest.mark.parametrize("name", corners())
def test_an_extreme_configuration_works(name):
    assert_works(Config(name=name, **CORNERS[name]), SEED)


def test_draws_reach_the_ends_of_every_range():
    configs = [random_config(seed) for seed in range(2000)]
    for field, ends in {"rows": (4, 64), "cols": (2, 64), "spad_bytes": (256, 65536),
                        "spad_banks": (1, 8), "vector_lanes": (1, 32), "bus_width": (32, 256),
                        "addr_width": (16, 32), "queue_depth": (2, 64), "max_burst": (1, 256),
                        "outstanding": (1, 64), "acc_rows": (8, 1024)}.items():
        drawn = {getattr(config, field) for config in configs}
        assert {*ends} <= drawn, field
