"""Operators on the host, compared byte by byte with the reference kernels."""

import pathlib
import re

import numpy as np
import pytest

from golden.softmax import softmax as golden_softmax
from support.litert import outputs
from support.seeds import seed
from weft_host import HostStep, ProgramError, Tensor
from weft_host.host_operators import KINDS, dequantize, quantize, run_steps, softmax
from weft_host.tflite_writer import ModelWriter


def conversion_model(op, shape, scale, zero):
    """Return a model with one QUANTIZE or DEQUANTIZE."""
    m = ModelWriter()
    types = [dict(dtype="float32"), dict(scale=scale, zero_point=zero)]
    types = types if op == "QUANTIZE" else types[::-1]
    x, y = m.input("x", shape, **types[0]), m.tensor("y", shape, **types[1])
    m.operator(op, [x], [y])
    m.output(y)
    return m.finish()


def assert_equal(expected, found, description):
    wrong = np.flatnonzero(expected.ravel() != found.ravel())
    assert expected.dtype == found.dtype and expected.shape == found.shape
    assert not len(wrong), (
        f"{description}: {len(wrong)} differ, first at {wrong[0]}: expected "
        f"{expected.ravel()[wrong[0]]}, got {found.ravel()[wrong[0]]}"
    )


@pytest.mark.parametrize("number", range(40))
def test_quantises_floats_beside_every_half_like_the_reference(number):
    draw = np.random.default_rng(seed(number))
    scale = float(np.float32(2.0 ** draw.uniform(-10, 3)))
    zero = int(draw.choice([-128, 127, 0, draw.integers(-128, 128)]))
    halves = ((np.arange(-300, 300) + 0.5) * scale).astype(np.float32)
    sides = (np.nextafter(halves, np.float32(limit)) for limit in (-np.inf, np.inf))
    random = draw.normal(0, 100 * scale, 500).astype(np.float32)
    x = np.concatenate([halves, *sides, random])[None]
    (expected,) = outputs(conversion_model("QUANTIZE", x.shape, scale, zero), [x])
    assert_equal(expected, quantize(x, scale, zero),
                 f"seed {seed(number)}, scale {scale!r}, zero {zero}")


def test_quantises_floats_beyond_an_int32_like_the_reference():
    x = np.array([[np.inf, -np.inf, np.nan, 3e38, -3e38, 5e9, 2.0**31, -(2.0**31), 1e-45, 0, -0.0]])
    x = x.astype(np.float32)
    for scale in (1e-3, 1.0, 1e3):
        for zero in (-128, -1, 0, 127):
            (expected,) = outputs(conversion_model("QUANTIZE", x.shape, scale, zero), [x])
            assert_equal(expected, quantize(x, scale, zero), f"scale {scale}, zero {zero}")


def test_dequantises_every_byte_like_the_reference():
    bytes_ = np.arange(-128, 128).astype(np.int8).reshape(1, 16, 16, 1)
    for number in range(60):
        draw = np.random.default_rng(seed(number))
        scale = float(np.float32(2.0 ** draw.uniform(-30, 20)))
        zero = int(draw.integers(-128, 128))
        (expected,) = outputs(conversion_model("DEQUANTIZE", bytes_.shape, scale, zero), [bytes_])
        found = dequantize(bytes_, scale, zero)
        assert_equal(expected, found, f"seed {seed(number)}, scale {scale!r}, zero {zero}")


def steps_program(*steps):
    """Return a program without device work: x (float32) to q (int8) to y (float32)."""
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


def test_steps_run_in_their_phase():
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


def test_parameters_of_a_step_override_those_of_its_tensor():
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
        ("QUANTIZE", "q", "q", "QUANTIZE on the host supports float32 to int8, not int8 to int8"),
        ("DEQUANTIZE", "x", "y", "DEQUANTIZE on the host supports int8 to float32, not float32 to "
         "float32"),
        ("CONV_2D", "x", "y", "no host step 'CONV_2D'; there are DEQUANTIZE, QUANTIZE, RESHAPE, "
         "SOFTMAX"),
    ],
)
def test_steps_of_other_types_or_kinds_are_rejected(kind, source, target, message):
    program = steps_program(HostStep(kind=kind, inputs=[source], outputs=[target]))
    with pytest.raises(ProgramError, match=f"^{message}$"):
        run_steps(program, "after", {})


@pytest.mark.parametrize("number", range(5))
def test_softmax_equals_the_reference(number):
    draw = np.random.default_rng(seed(number))
    for _ in range(60):
        scale = float(np.float32(10 ** draw.uniform(-4, 1.5)))
        beta = float(draw.choice([1.0, 0.5, 2.0]))
        shape = (int(draw.integers(1, 4)), int(draw.integers(1, 40)))
        values = draw.integers(-128, 128, shape, dtype=np.int8)
        expected = golden_softmax(values, s_in=scale, beta=beta)
        wrong = np.argwhere(softmax(values, scale, beta) != expected)
        assert not len(wrong), (
            f"seed {seed(number)}, scale {scale}, beta {beta}: first at {wrong[0]}")


def test_softmax_equals_the_reference_for_extreme_rows():
    for values in ([[-128]], [[127, -128]], [[5] * 300], [list(range(-128, 128))]):
        values = np.array(values, np.int8)
        for scale in (1e-6, 0.00390625, 0.125, 1.0, 1000.0):
            assert (softmax(values, scale) == golden_softmax(values, s_in=scale)).all(), scale


def test_the_page_of_programs_lists_every_host_step():
    page = (pathlib.Path(__file__).parents[3] / "docs" / "programs.md").read_text()
    section = page.partition("\n## Host steps\n")[2].partition("\n## ")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == sorted(KINDS)
