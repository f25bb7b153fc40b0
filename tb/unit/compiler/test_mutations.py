"""Seeded errors of the arithmetic, each of which the comparison with the reference must detect."""

import numpy as np
import pytest

from support.litert import reference
from support.seeds import seed
from support.shared_models import model_folder
from weft.spec.isa import Mode
from weft.spec.presets import preset
from weft_host.compiler import compile
from weft_host.device import EmulatorDevice
from weft_host.emulator import datapath
from weft_host.tflite_writer import ModelWriter

CONFIG = preset("small")


def biased_model(rng):
    """Return a 1 x 1 convolution with biases up to 2^30, like pruned channels of real networks."""
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


def differing_share(model, inputs, expected):
    """Return the share of the output's elements that differ from ``expected``."""
    program = compile(model, CONFIG)
    actual, = EmulatorDevice(CONFIG).run(program, inputs).outputs.values()
    return float((actual != expected).mean())


def use_single_rounding(monkeypatch):
    """Replace the double rounding of mode TFL2 by the single rounding of TFL1."""
    requantize = datapath.requantize
    monkeypatch.setattr(datapath, "requantize", lambda value, multiplier, shift, mode: requantize(
        value, multiplier, shift, Mode.TFL1 if mode == Mode.TFL2 else mode))


def test_accumulators_of_24_bits_are_detected(monkeypatch):
    rng = np.random.default_rng(seed(1))
    model = biased_model(rng)
    inputs = [rng.integers(-128, 128, (1, 16, 16, 8)).astype(np.int8)]
    expected = list(reference(model, inputs).values())[-1]
    assert differing_share(model, inputs, expected) == 0
    wrap32 = datapath.wrap32

    def wrap24(values):
        return (wrap32(values) + (1 << 23)) % (1 << 24) - (1 << 23)

    monkeypatch.setattr(datapath, "wrap32", wrap24)
    assert differing_share(model, inputs, expected) > 0.5


def test_single_rounding_is_detected(monkeypatch):
    rng = np.random.default_rng(seed(2))
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
    assert differing_share(model, inputs, expected) == 0
    use_single_rounding(monkeypatch)
    # a few elements of a thousand
    assert 0.0002 < differing_share(model, inputs, expected) < 0.02


@pytest.mark.parametrize("network", ["mlperf_resnet8_ic_int8", "mlperf_dscnn_kws_int8"])
def test_single_rounding_is_detected_in_a_real_network(network, monkeypatch):
    folder = model_folder(network)
    case = np.load(sorted(folder.glob("*.npz"))[0])
    program = compile(folder / "model.tflite", CONFIG, keep_tensors=True)
    use_single_rounding(monkeypatch)
    actual = EmulatorDevice(CONFIG).run(program, [case["in0"]], all_tensors=True).tensors
    wrong = sum(not np.array_equal(case[f"t{tensor.tensor_id}"], actual[tensor.name])
                for tensor in program.tensors if f"t{tensor.tensor_id}" in case.files)
    assert wrong > 0
