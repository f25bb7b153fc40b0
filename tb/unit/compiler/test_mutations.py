"""Arithmetic that is nearly right is caught: narrower accumulators, one rounding instead of two."""

import numpy as np
import pytest

from support.litert import reference
from support.shared_models import model_folder
from weft.spec.isa import Mode
from weft.spec.presets import preset
from weft_host.compiler import compile
from weft_host.device import EmulatorDevice
from weft_host.emulator import datapath
from weft_host.tflite_writer import ModelWriter

CONFIG = preset("small")


def biased_model(rng):
    """A 1 x 1 convolution whose biases reach 2^30, as pruned channels of real networks have."""
    m = ModelWriter()
    x = m.input("x", (1, 16, 16, 8), scale=0.02, zero_point=-3)
    w = m.constant("w", rng.integers(-127, 128, (8, 1, 1, 8)).astype(np.int8),
                   scale=[1e-9] * 8, zero_point=[0] * 8)
    b = m.constant("b", (rng.choice([-1, 1], 8) * (1 << 30) // np.arange(1, 9)).astype(np.int32),
                   scale=[2e-11] * 8, zero_point=[0] * 8)
    y = m.tensor("y", (1, 16, 16, 8), scale=2e-4, zero_point=2)
    m.operator("CONV_2D", [x, w, b], [y], padding="VALID", stride_h=1, stride_w=1)
    m.output(y)
    return m.finish()


def differing(model, inputs, expected):
    """Share of the output's elements that differ from ``expected``."""
    program = compile(model, CONFIG)
    found, = EmulatorDevice(CONFIG).run(program, inputs).outputs.values()
    return float((found != expected).mean())


def test_accumulators_of_24_bits_are_caught(monkeypatch):
    rng = np.random.default_rng(1)
    model = biased_model(rng)
    inputs = [rng.integers(-128, 128, (1, 16, 16, 8)).astype(np.int8)]
    expected = list(reference(model, inputs).values())[-1]
    assert differing(model, inputs, expected) == 0
    whole = datapath.wrap32

    def wrap24(values):
        return (whole(values) + (1 << 23)) % (1 << 24) - (1 << 23)

    monkeypatch.setattr(datapath, "wrap32", wrap24)
    assert differing(model, inputs, expected) > 0.5


def single_rounding(monkeypatch):
    law = datapath.requantize
    monkeypatch.setattr(datapath, "requantize", lambda value, multiplier, shift, mode: law(
        value, multiplier, shift, Mode.TFL1 if mode == Mode.TFL2 else mode))


def test_one_rounding_instead_of_two_is_caught(monkeypatch):
    rng = np.random.default_rng(2)
    m = ModelWriter()
    x = m.input("x", (1, 64, 64, 16), scale=0.02, zero_point=-3)
    w = m.constant("w", rng.integers(-127, 128, (16, 3, 3, 16)).astype(np.int8), scale=0.01)
    b = m.constant("b", rng.integers(-3000, 3000, 16).astype(np.int32), scale=2e-4)
    y = m.tensor("y", (1, 64, 64, 16), scale=0.11, zero_point=2)
    m.operator("CONV_2D", [x, w, b], [y], padding="SAME", stride_h=1, stride_w=1)
    m.output(y)
    model = m.finish()
    inputs = [rng.integers(-128, 128, (1, 64, 64, 16)).astype(np.int8)]
    expected = list(reference(model, inputs).values())[-1]
    assert differing(model, inputs, expected) == 0
    single_rounding(monkeypatch)
    # a few in a thousand
    assert 0.0002 < differing(model, inputs, expected) < 0.02


@pytest.mark.parametrize("network", ["mlperf_resnet8_ic_int8", "mlperf_dscnn_kws_int8"])
def test_one_rounding_shows_in_a_real_network(network, monkeypatch):
    folder = model_folder(network)
    case = np.load(sorted(folder.glob("*.npz"))[0])
    program = compile(folder / "model.tflite", CONFIG, keep_tensors=True)
    single_rounding(monkeypatch)
    made = EmulatorDevice(CONFIG).run(program, [case["in0"]], all_tensors=True).tensors
    wrong = sum(not np.array_equal(case[f"t{tensor.tensor_id}"], made[tensor.name])
                for tensor in program.tensors if f"t{tensor.tensor_id}" in case.files)
    assert wrong > 0
