"""Golden SOFTMAX against the reference kernel."""

import numpy as np
import pytest

from golden import evaluators, softmax
from support import seeds
from support.exact import assert_exact, mismatches
from weft_host.tflite_writer import ModelWriter


def softmax_model(shape, scale, beta=1.0, zero_point=5):
    m = ModelWriter()
    x = m.input("x", shape, scale=scale, zero_point=zero_point)
    y = m.tensor("y", shape, scale=1 / 256, zero_point=-128)
    m.operator("SOFTMAX", [x], [y], beta=beta)
    m.output(y)
    return m.finish()


@pytest.mark.parametrize("block", range(2))
def test_random_rows_are_exact(block):
    for seed in range(block * 60, block * 60 + 60):
        rng = np.random.default_rng(seed)
        shape = (int(rng.integers(1, 8)), int(rng.integers(1, 60)))
        scale = float(np.float32(2.0 ** rng.uniform(-8, 3)))
        model = softmax_model(shape, scale, beta=float(rng.choice([0.3, 1.0, 2.0])))
        # rows with a small spread, too, have large sums and outputs inside the range
        x = rng.integers(-128, 128, shape) >> rng.integers(0, 8, (shape[0], 1))
        assert_exact(model, [x.astype(np.int8)], f"seed {seed}")


@pytest.mark.parametrize("scale", [1 / 256, 0.02, 0.0625, 0.1758, 0.5, 1.0, 7.3, 31.0])
def test_every_difference_is_exact(scale):
    # 127 against every value; a second 127 in the row halves the results
    others = np.arange(-128, 128).astype(np.int8)
    largest = np.full_like(others, 127)
    model = softmax_model((256, 3), scale)
    for second in (largest, others):
        assert_exact(model, [np.stack([largest, others, second], axis=1)], f"scale {scale}")


def test_rows_of_equal_elements_are_exact():
    for count in (1, 2, 3, 10, 255, 256, 257, 511):
        x = np.full((1, count), -7, np.int8)
        assert_exact(softmax_model((1, count), 0.1), [x], f"{count} elements")


def test_rejects_rows_that_abort_the_kernel():
    with pytest.raises(ValueError, match="^A row's exponentials add up to 512 or more"):
        softmax.softmax(np.full((1, 512), 3, np.int8), s_in=0.1)


def test_last_axis_of_an_image_is_exact():
    x = np.random.default_rng(seeds.seed(1)).integers(-128, 128, (2, 3, 4, 5)).astype(np.int8)
    assert_exact(softmax_model((2, 3, 4, 5), 0.05), [x], "image")


# negative tests: each of these deliberate errors is detected


def test_detects_real_arithmetic(monkeypatch):
    def real(x, *, s_in, beta):
        e = np.exp(np.float64(s_in) * (x - x.max(axis=-1, keepdims=True).astype(np.float64)))
        y = np.floor(256 * e / e.sum(axis=-1, keepdims=True) + 0.5) - 128
        return np.clip(y, -128, 127).astype(np.int8)

    # about one row in a thousand differs
    x = np.random.default_rng(seeds.seed(3)).integers(-128, 128, (20_000, 10)) >> 3
    x = x.astype(np.int8)
    differs = (real(x, s_in=1.0, beta=1.0) != softmax.softmax(x, s_in=1.0)).any(axis=1)
    assert 1 <= differs.sum() < 50
    model, inputs = softmax_model((int(differs.sum()), 10), 1.0), [x[differs]]
    assert not mismatches(model, inputs)
    monkeypatch.setattr(evaluators, "softmax", real)
    assert mismatches(model, inputs)


def test_detects_a_higher_cut_off(monkeypatch):
    # exponentials below the cut-off are not zero: many of them add up
    m, left, diff_min = softmax.scaling(1.0, 1.0)
    x = np.full((1, 300), 127, np.int8)
    x[0, 1:] = 127 + diff_min
    model = softmax_model(x.shape, 1.0)
    assert not mismatches(model, [x])
    monkeypatch.setattr(softmax, "scaling", lambda s, b: (m, left, -3))
    x[0, 1:] = 127 - 4
    assert mismatches(model, [x])
