"""Compiled matrix products on the emulator, compared with numpy."""

import re

import numpy as np
import pytest

from support.seeds import seed
from weft.spec.presets import preset
from weft_host import InputError
from weft_host.compiler import compile_gemm, gemm_reference, matmul
from weft_host.device import EmulatorDevice

PRESETS = ("tiny", "small", "wide", "tall")


def operands(rng, m, k, n):
    a = rng.integers(-128, 128, (m, k), dtype=np.int8)
    b = rng.integers(-128, 128, (k, n), dtype=np.int8)
    return a, b


def assert_product_exact(device, rng, m, k, n, kind, case):
    """Run one product: as int32 (``kind`` 0), or requantised by one scale (1) or by many (2)."""
    a, b = operands(rng, m, k, n)
    bias = rng.integers(-1 << 14, 1 << 14, n, dtype=np.int32)
    scale = (None, 1 / (4096 * k ** 0.5), rng.random(n) / 4096)[kind]
    zero = 0 if scale is None else int(rng.integers(-128, 128))
    program = compile_gemm(m, k, n, device.config, b=b, bias=bias, scale=scale, zero_point=zero)
    out = device.run(program, [a]).outputs["c"]
    expected = gemm_reference(a, b, bias, scale, zero)
    assert out.dtype == expected.dtype
    np.testing.assert_array_equal(out, expected, err_msg=case)


@pytest.mark.parametrize("name", PRESETS)
def test_random_products_equal_numpy(name):
    device = EmulatorDevice(preset(name))
    for number in range(60):
        key = [seed(number), 40]
        rng = np.random.default_rng(key)
        m, k, n = (int(size) for size in rng.integers(1, 71, 3))
        assert_product_exact(device, rng, m, k, n, number % 3,
                             f"seed {key}: {m} x {k} x {n} on {name}")


@pytest.mark.parametrize("kind", range(3))
@pytest.mark.parametrize("m, k, n", [(1, 1, 1), (1, 512, 70), (300, 1, 1), (1, 1, 300),
                                     (2, 3000, 5), (257, 65, 33)])
def test_extreme_shapes_equal_numpy(m, k, n, kind):
    for name in PRESETS:
        assert_product_exact(EmulatorDevice(preset(name)), np.random.default_rng(seed(41)), m, k,
                             n, kind, name)


def test_matmul_returns_the_exact_int32_product():
    device = EmulatorDevice(preset("tiny"))
    rng = np.random.default_rng(seed(42))
    a, b = operands(rng, 23, 31, 19)
    out = matmul(a, b, device)
    assert out.dtype == np.int32
    np.testing.assert_array_equal(out, a.astype(np.int32) @ b.astype(np.int32))
    a[:], b[:] = -128, -128
    assert (matmul(a, b, device) == 31 << 14).all()


def test_the_reference_equals_products_computed_by_hand():
    a = np.array([[3, -4]], np.int8)
    b = np.array([[1, 2], [5, -6]], np.int8)
    bias = np.array([1, -1], np.int32)
    assert gemm_reference(a, b).tolist() == [[-17, 30]]
    assert gemm_reference(a, b, bias).tolist() == [[-16, 29]]
    # -8.0 and 14.5; TensorFlow Lite's double rounding rounds the tie up
    assert gemm_reference(a, b, bias, 0.5, 3).tolist() == [[-5, 18]]


@pytest.mark.parametrize("change, message", [
    (dict(m=0), "m must be at least 1, not 0"),
    (dict(b=np.zeros((3, 2), np.int8)), "b must be int8 of shape (2, 3), not int8 of shape (3, 2)"),
    (dict(b=np.zeros((2, 3), np.int32)),
     "b must be int8 of shape (2, 3), not int32 of shape (2, 3)"),
    (dict(bias=np.zeros(2, np.int32)), "bias must be int32 of shape (3,), not int32 of shape (2,)"),
    (dict(scale=-1.0), "scale is not supported: a scale ratio of -1.0 cannot be represented; it "
                       "must be finite and not negative"),
])
def test_wrong_operands_are_rejected(change, message):
    given = dict(m=1, k=2, n=3, config=preset("tiny"), b=np.zeros((2, 3), np.int8))
    given.update(change)
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        compile_gemm(**given)


def test_matmul_rejects_anything_but_two_compatible_int8_matrices():
    device = EmulatorDevice(preset("tiny"))
    good = np.zeros((2, 3), np.int8)
    with pytest.raises(InputError, match=r"^a must be an int8 matrix, not float64 of shape "
                                         r"\(2, 2\)$"):
        matmul(np.zeros((2, 2)), good, device)
    with pytest.raises(InputError, match=r"^b must be an int8 matrix, not int8 of shape \(3,\)$"):
        matmul(good, good[0], device)
    with pytest.raises(InputError, match="^a has 3 columns, but b has 2 rows$"):
        matmul(good, good, device)
    with pytest.raises(TypeError, match=(
            r"^device must be a device, such as weft_host.EmulatorDevice\('small'\), not 'tiny'$")):
        matmul(good, good.T, "tiny")
