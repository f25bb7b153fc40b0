"""Matrix products on the emulator against numpy."""

import numpy as np
import pytest

from weft.spec.presets import preset
from weft_host import InputError
from weft_host.compiler import compile_gemm, gemm_reference, matmul
from weft_host.device import EmulatorDevice

PRESETS = ("tiny", "small", "wide", "tall")


def operands(rng, m, k, n):
    a = rng.integers(-128, 128, (m, k), dtype=np.int8)
    b = rng.integers(-128, 128, (k, n), dtype=np.int8)
    return a, b


def compared(device, rng, m, k, n, about):
    """Run one product, requantised by one or by many scales, or as int32."""
    a, b = operands(rng, m, k, n)
    bias = rng.integers(-1 << 14, 1 << 14, n, dtype=np.int32)
    scale = (None, 1 / (4096 * k ** 0.5), rng.random(n) / 4096)[rng.integers(3)]
    zero = 0 if scale is None else int(rng.integers(-128, 128))
    program = compile_gemm(m, k, n, device.config, b=b, bias=bias, scale=scale, zero_point=zero)
    out = device.run(program, [a]).outputs["c"]
    expected = gemm_reference(a, b, bias, scale, zero)
    assert out.dtype == expected.dtype
    np.testing.assert_array_equal(out, expected, err_msg=about)


@pytest.mark.parametrize("name", PRESETS)
def test_random_products_equal_numpy(name):
    device = EmulatorDevice(preset(name))
    for seed in range(60):
        rng = np.random.default_rng([seed, 40])
        m, k, n = (int(size) for size in rng.integers(1, 71, 3))
        compared(device, rng, m, k, n, f"seed {[seed, 40]}: {m} x {k} x {n} on {name}")


@pytest.mark.parametrize("m, k, n", [(1, 1, 1), (1, 512, 70), (300, 1, 1), (1, 1, 300),
                                     (2, 3000, 5), (257, 65, 33)])
def test_extreme_shapes(m, k, n):
    for name in PRESETS:
        compared(EmulatorDevice(preset(name)), np.random.default_rng(41), m, k, n, name)


def test_matmul_is_exact_to_int32():
    device = EmulatorDevice(preset("tiny"))
    rng = np.random.default_rng(42)
    a, b = operands(rng, 23, 31, 19)
    out = matmul(a, b, device)
    assert out.dtype == np.int32
    np.testing.assert_array_equal(out, a.astype(np.int32) @ b.astype(np.int32))
    a[:], b[:] = -128, -128
    assert (matmul(a, b, device) == 31 << 14).all()


def test_reference_is_plain_arithmetic():
    a = np.array([[3, -4]], np.int8)
    b = np.array([[1, 2], [5, -6]], np.int8)
    bias = np.array([1, -1], np.int32)
    assert gemm_reference(a, b).tolist() == [[-17, 30]]
    assert gemm_reference(a, b, bias).tolist() == [[-16, 29]]
    # -8.0 and 14.5; TensorFlow Lite's double rounding takes the half up
    assert gemm_reference(a, b, bias, 0.5, 3).tolist() == [[-5, 18]]


@pytest.mark.parametrize("change, message", [
    (dict(m=0), "m must be at least 1, not 0"),
    (dict(b=np.zeros((3, 2), np.int8)), r"b must be int8 of shape \(2, 3\), not int8 of \(3, 2\)"),
    (dict(b=np.zeros((2, 3), np.int32)), r"b must be int8 of shape \(2, 3\), not int32"),
    (dict(bias=np.zeros(2, np.int32)), r"bias must be int32 of shape \(3,\), not int32 of \(2,\)"),
    (dict(scale=-1.0), "scale does not fit: a scale ratio of -1.0"),
])
def test_wrong_operands_are_refused(change, message):
    given = dict(m=1, k=2, n=3, config=preset("tiny"), b=np.zeros((2, 3), np.int8))
    given.update(change)
    with pytest.raises(InputError, match=message):
        compile_gemm(**given)


def test_matmul_refuses_what_is_no_pair_of_int8_matrices():
    device = EmulatorDevice(preset("tiny"))
    good = np.zeros((2, 3), np.int8)
    with pytest.raises(InputError, match="a must be an int8 matrix, not float64"):
        matmul(np.zeros((2, 2)), good, device)
    with pytest.raises(InputError, match=r"b must be an int8 matrix, not int8 of shape \(3,\)"):
        matmul(good, good[0], device)
    with pytest.raises(InputError, match="a has 3 columns, b has 2 rows"):
        matmul(good, good, device)
