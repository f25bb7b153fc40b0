"""Operators on the host: byte for byte as the reference computes them."""

import numpy as np
import pytest

from golden.softmax import softmax as golden_softmax
from support.litert import outputs
from weft_host import HostStep, ProgramError, Tensor
from weft_host.host_operators import dequantize, quantize, run_steps, softmax
from weft_host.tflite_writer import ModelWriter


def edge(op, shape, scale, zero):
    """A model of QUANTIZE or DEQUANTIZE alone."""
    m = ModelWriter()
    about = [dict(dtype="float32"), dict(scale=scale, zero_point=zero)]
    about = about if op == "QUANTIZE" else about[::-1]
    x, y = m.input("x", shape, **about[0]), m.tensor("y", shape, **about[1])
    m.operator(op, [x], [y])
    m.output(y)
    return m.finish()


def assert_equal(expected, found, about):
    wrong = np.flatnonzero(expected.ravel() != found.ravel())
    assert expected.dtype == found.dtype and expected.shape == found.shape
    assert not len(wrong), (
        f"{about}: {len(wrong)} differ, first at {wrong[0]}: expected "
        f"{expected.ravel()[wrong[0]]}, got {found.ravel()[wrong[0]]}"
    )


@pytest.mark.parametrize("seed", range(40))
def test_floats_next_to_every_half_are_quantised_as_the_reference_does(seed):
    draw = np.random.default_rng(seed)
    scale = float(np.float32(2.0 ** draw.uniform(-10, 3)))
    zero = int(draw.choice([-128, 127, 0, draw.integers(-128, 128)]))
    halves = ((np.arange(-300, 300) + 0.5) * scale).astype(np.float32)
    sides = (np.nextafter(halves, np.float32(way)) for way in (-np.inf, np.inf))
    random = draw.normal(0, 100 * scale, 500).astype(np.float32)
    x = np.concatenate([halves, *sides, random])[None]
    (expected,) = outputs(edge("QUANTIZE", x.shape, scale, zero), [x])
    assert_equal(expected, quantize(x, scale, zero), f"seed {seed}, scale {scale!r}, zero {zero}")


def test_floats_beyond_an_int32_are_quantised_as_the_reference_does():
    x = np.array([[np.inf, -np.inf, np.nan, 3e38, -3e38, 5e9, 2.0**31, -(2.0**31), 1e-45, 0, -0.0]])
    x = x.astype(np.float32)
    for scale in (1e-3, 1.0, 1e3):
        for zero in (-128, -1, 0, 127):
            (expected,) = outputs(edge("QUANTIZE", x.shape, scale, zero), [x])
            assert_equal(expected, quantize(x, scale, zero), f"scale {scale}, zero {zero}")


def test_every_byte_becomes_the_references_float():
    bytes_ = np.arange(-128, 128).astype(np.int8).reshape(1, 16, 16, 1)
    for seed in range(60):
        draw = np.random.default_rng(seed)
        scale = float(np.float32(2.0 ** draw.uniform(-30, 20)))
        zero = int(draw.integers(-128, 128))
        (expected,) = outputs(edge("DEQUANTIZE", bytes_.shape, scale, zero), [bytes_])
        found = dequantize(bytes_, scale, zero)
        assert_equal(expected, found, f"seed {seed}, scale {scale!r}, zero {zero}")


def steps_program(*steps):
    """A program that the device has no part in: x (float32) to q (int8) to y (float32)."""
    tensors = [
        Tensor(name="x", shape=(2, 3), dtype="float32"),
        Tensor(name="q", shape=(6,), scale=0.5, zero_point=-3),
        Tensor(name="y", shape=(6,), dtype="float32"),
    ]

    class Steps:
        host_steps = steps

        @staticmethod
        def tensor(name):
            return next(t for t in tensors if t.name == name)

    return Steps()


def test_steps_quantise_before_the_device_and_dequantise_after_it():
    program = steps_program(
        HostStep(kind="QUANTIZE", inputs=["x"], outputs=["q"], when="before"),
        HostStep(kind="DEQUANTIZE", inputs=["q"], outputs=["y"]),
    )
    arrays = {"x": np.array([[0, 0.25, -0.25], [1.4, 500, -500]], np.float32)}
    run_steps(program, "before", arrays)
    assert "y" not in arrays
    assert arrays["q"].tolist() == [-3, -2, -4, 0, 127, -128]
    run_steps(program, "after", arrays)
    assert arrays["y"].tolist() == [0, 0.5, -0.5, 1.5, 65, -62.5]


def test_a_steps_own_scale_and_zero_point_come_first():
    own = {"scale": 1.0, "zero_point": 7}
    program = steps_program(
        HostStep(kind="QUANTIZE", inputs=["x"], outputs=["q"], parameters=own, when="before")
    )
    arrays = {"x": np.array([[0, 1, 2], [3, 4, 5]], np.float32)}
    run_steps(program, "before", arrays)
    assert arrays["q"].tolist() == [7, 8, 9, 10, 11, 12]


@pytest.mark.parametrize(
    "kind, source, target, message",
    [
        ("QUANTIZE", "q", "q", "QUANTIZE on the host is for float32 to int8, not int8 to int8"),
        ("DEQUANTIZE", "x", "y", "DEQUANTIZE on the host is for int8 to float32, not float32 to"),
        ("CONV_2D", "x", "y", "no host step 'CONV_2D'; there are DEQUANTIZE, QUANTIZE, RESHAPE"),
    ],
)
def test_steps_of_other_types_or_kinds_are_refused(kind, source, target, message):
    program = steps_program(HostStep(kind=kind, inputs=[source], outputs=[target]))
    with pytest.raises(ProgramError, match=f"^{message}"):
        run_steps(program, "after", {})


@pytest.mark.parametrize("seed", range(5))
def test_softmax_equals_the_reference(seed):
    draw = np.random.default_rng(seed)
    for _ in range(60):
        scale = float(np.float32(10 ** draw.uniform(-4, 1.5)))
        beta = float(draw.choice([1.0, 0.5, 2.0]))
        shape = (int(draw.integers(1, 4)), int(draw.integers(1, 40)))
        values = draw.integers(-128, 128, shape, dtype=np.int8)
        expected = golden_softmax(values, s_in=scale, beta=beta)
        wrong = np.argwhere(softmax(values, scale, beta) != expected)
        assert not len(wrong), f"seed {seed}, scale {scale}, beta {beta}: first at {wrong[0]}"


def test_softmax_at_the_corners():
    for values in ([[-128]], [[127, -128]], [[5] * 300], [list(range(-128, 128))]):
        values = np.array(values, np.int8)
        for scale in (1e-6, 0.00390625, 0.125, 1.0, 1000.0):
            assert (softmax(values, scale) == golden_softmax(values, s_in=scale)).all(), scale
