"""Requirements on matrix products, copies and simulation speed; see also ``make bench``."""

import time

import numpy as np
import pytest

from support.seeds import seed
from weft.spec.presets import preset
from weft_host import compile_gemm
from weft_host.device import RtlDevice
from weft_host.perf.microbenchmarks import measure_dma, measure_gemm

LATENCY = 20        # cycles of latency of the host memory, at full bandwidth


@pytest.mark.parametrize("name, sizes, ideal, limit", [
    ("small", (256, 256, 256), 262_144, 1.08),
    ("ulx3s", (256, 256, 256), 65_536, 1.08),
    ("ulx3s", (1, 512, 512), 512 * 512 / 16, 1.15),
])
def test_matrix_products_take_at_most_the_required_cycles(name, sizes, ideal, limit):
    with RtlDevice(preset(name), memory_bytes=1 << 21, latency=LATENCY) as device:
        found = measure_gemm(device, *sizes)
    print(f"{name} {sizes}: {found.cycles} cycles, {found.ratio:.4f} of the ideal")
    assert found.ideal_cycles == ideal
    assert 1 <= found.cycles / ideal <= limit


@pytest.mark.parametrize("name", ["small", "ulx3s"])
def test_copies_reach_the_required_share_of_the_bus(name):
    with RtlDevice(preset(name), memory_bytes=1 << 20, latency=LATENCY) as device:
        entries = measure_dma(device, 65536)
    assert len(entries) == 8 and {entry.direction for entry in entries} == {"read", "write"}
    for entry in entries:
        aligned = not entry.host_offset and not entry.local_offset
        print(f"{name} {entry}")
        assert (0.95 if aligned else 0.90) <= entry.ratio <= 1, entry


def test_simulation_speed():
    """The best of three long runs counts, because other processes may slow down a run."""
    config = preset("ulx3s")
    b = np.random.default_rng(seed(1)).integers(-128, 128, (512, 512), dtype=np.int8)
    program = compile_gemm(256, 512, 512, config, b=b, scale=1e-5)
    a = np.random.default_rng(seed(2)).integers(-128, 128, (256, 512), dtype=np.int8)
    rates = []
    with RtlDevice(config, memory_bytes=1 << 21, latency=LATENCY) as device:
        for _ in range(3):
            # processor time, because the requirement is for one core
            begin = time.process_time()
            cycles = device.run(program, [a]).cycles
            rates.append(cycles / (time.process_time() - begin))
            assert cycles > 250_000
            if rates[-1] >= 100_000:
                break
    print("cycles per second:", *map(round, rates))
    assert max(rates) >= 100_000
