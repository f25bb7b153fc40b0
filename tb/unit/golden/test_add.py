"""Golden ADD and SUB against the reference kernels."""

import numpy as np
import pytest

from golden import add, requantize
from support import seeds
from support.exact import assert_exact, mismatches
from support.models import ACTIVATIONS
from weft_host.tflite_writer import ModelWriter

EVERY_PAIR = [
    np.repeat(np.arange(-128, 128), 256).astype(np.int8).reshape(1, 256, 256, 1),
    np.tile(np.arange(-128, 128), 256).astype(np.int8).reshape(1, 256, 256, 1),
]


def add_model(name, shapes, scales, zero_points, activation="NONE"):
    m = ModelWriter()
    a, b = (
        m.input(f"x{i}", shapes[i], scale=scales[i], zero_point=zero_points[i]) for i in (0, 1)
    )
    y = m.tensor("y", np.broadcast_shapes(*shapes), scale=scales[2], zero_point=zero_points[2])
    m.operator(name, [a, b], [y], fused_activation_function=activation)
    m.output(y)
    return m.finish()


@pytest.mark.parametrize("name", ["ADD", "SUB"])
@pytest.mark.parametrize("seed", range(12))
def test_every_pair_of_operands_is_exact(name, seed):
    rng = np.random.default_rng(seed)
    scales = 2.0 ** rng.uniform(-6, 0, 3)
    if seed % 3 == 0:
        scales = 2.0 ** rng.integers(-4, 0, 3)  # exact halves in every step
    scales = [float(np.float32(s)) for s in scales]
    zero_points = rng.integers(-128, 128, 3).tolist()
    activation = ACTIVATIONS[seed % 4]
    shape = (1, 256, 256, 1)
    model = add_model(name, [shape, shape], scales, zero_points, activation)
    assert_exact(model, EVERY_PAIR, f"seed {seed}")


@pytest.mark.parametrize("name", ["ADD", "SUB"])
def test_operands_of_very_different_scales_are_exact(name):
    shape = (1, 256, 256, 1)
    for scales in ((1.0, 2.0**-20, 1.0), (2.0**-12, 0.3, 0.3), (0.01, 0.01, 5.0)):
        model = add_model(name, [shape, shape], scales, [-128, 127, 0])
        assert_exact(model, EVERY_PAIR, f"scales {scales}")


@pytest.mark.parametrize("name", ["ADD", "SUB"])
def test_broadcasting_is_exact(name):
    rng = np.random.default_rng(seeds.seed(2))
    for shapes in ([(1, 4, 5, 6), (1, 1, 1, 6)], [(1, 1, 1, 1), (1, 3, 2, 4)], [(1, 3), (1, 3)]):
        model = add_model(name, shapes, [0.1, 0.07, 0.2], [3, -4, 5])
        inputs = [rng.integers(-128, 128, s).astype(np.int8) for s in shapes]
        assert_exact(model, inputs, f"shapes {shapes}")


# negative tests: each of these deliberate errors is detected


def test_detects_single_rounding(monkeypatch):
    shape = (1, 256, 256, 1)
    model = add_model("ADD", [shape, shape], [0.25, 0.25, 1.0], [0, 0, 0])
    assert not mismatches(model, EVERY_PAIR)
    monkeypatch.setattr(add, "multiply_by_quantized_multiplier", requantize.tfl1)
    assert mismatches(model, EVERY_PAIR)


def test_detects_a_smaller_left_shift(monkeypatch):
    shape = (1, 256, 256, 1)
    model = add_model("ADD", [shape, shape], [0.013, 0.21, 0.17], [5, -3, 7])
    assert not mismatches(model, EVERY_PAIR)
    monkeypatch.setattr(add, "LEFT_SHIFT", 8)
    assert mismatches(model, EVERY_PAIR)
