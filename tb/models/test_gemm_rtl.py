"""Matrix products of random sizes on the RTL against numpy."""

import os

import numpy as np
import pytest

from support.exact import first_mismatch
from support.seeds import seed
from weft.spec.presets import preset
from weft_host import compile_gemm
from weft_host.compiler.gemm import gemm_reference
from weft_host.device import RtlDevice

# a short run; `make soak` runs 200 per preset
DRAWS = int(os.environ.get("WEFT_DRAWS", "50"))
SEED = seed(1)
CORNERS = ((1, 1, 1), (1, 70, 1), (70, 1, 70), (70, 70, 70))


def product(number):
    """Draw the operands of a product: ``(a, b, bias, scale, zero_point)``."""
    draw = np.random.default_rng([number, 71])
    m, k, n = CORNERS[number % 100] if number % 100 < len(CORNERS) else draw.integers(1, 71, 3)
    # every tenth product has extreme operands only, for the largest sums
    a, b = (draw.choice(np.array([-128, 127], np.int8), shape) if number % 10 == 5
            else draw.integers(-128, 128, shape, dtype=np.int8) for shape in ((m, k), (k, n)))
    bias = draw.integers(-1 << 20, 1 << 20, n, dtype=np.int32)
    if number % 3 == 0:
        return a, b, bias, None, 0
    scale = draw.uniform(0.2, 4) / (4096 * k ** 0.5)
    if number % 3 == 1:
        scale = scale * draw.uniform(0.1, 2, n)
    return a, b, bias // 32, scale, int(draw.integers(-128, 128))


@pytest.mark.parametrize("name", ["tiny", "small", "wide", "tall"])
def test_random_products_equal_numpy(name):
    with RtlDevice(preset(name), memory_bytes=1 << 18) as device:
        for number in range(100 * SEED, 100 * SEED + DRAWS):
            a, b, bias, scale, zero_point = product(number)
            program = compile_gemm(*a.shape, b.shape[1], device.config, b=b, bias=bias,
                                   scale=scale, zero_point=zero_point)
            found = device.run(program, [a], limit=5_000_000).outputs["c"]
            expected = gemm_reference(a, b, bias, scale, zero_point)
            assert found.dtype == (np.int32 if scale is None else np.int8)
            assert first_mismatch(expected, found) is None, (
                f"seed {number}: {a.shape} @ {b.shape} on {name} (index, expected, actual): "
                f"{first_mismatch(expected, found)}")
