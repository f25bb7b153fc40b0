"""Random networks of all operators, compiled for the emulator and compared with the reference."""

import os

import numpy as np
import pytest

from support.compiled import assert_compiled_exact
from support.models import random_input
from support.networks import random_network
from support.seeds import seed
from weft.spec.integers import ceil_div
from weft.spec.presets import preset
from weft_host.tflite_writer import ModelWriter

NETWORKS = int(os.environ.get("WEFT_NETWORKS", 40))
BLOCKS = 4
REGRESSIONS = (59, 395, 1575)
"""Seeds of networks that once compiled wrongly: a tensor that is read in two shapes, and a halo
around the output of a SOFTMAX."""


@pytest.mark.parametrize("name", ("tiny", "small", "wide", "tall", "ulx3s"))
@pytest.mark.parametrize("block", range(BLOCKS))
def test_random_networks_equal_the_reference(name, block):
    numbers = [seed(number) for number in range(block, NETWORKS, BLOCKS)]
    for number in (*numbers, *REGRESSIONS[block:block + 1]):
        model = random_network(number)
        assert_compiled_exact(model, random_input(model, number), preset(name),
                              f"network {number}")


@pytest.mark.parametrize("name", ("tiny", "small", "tall"))
@pytest.mark.parametrize("size, channels, depth, kernel, stride", [
    ((9, 14), 20, 1, (3, 3), 1), ((9, 14), 20, 1, (5, 3), 2), ((30, 9), 3, 2, (3, 3), 1),
    ((25, 5), 64, 1, (3, 3), 1), ((8, 40), 1, 8, (10, 8), 2), ((40, 3), 6, 1, (23, 1), 1),
    ((6, 6), 5, 7, (3, 3), 2), ((7, 18), 8, 1, (1, 9), 3),
])
def test_depthwise_shapes_are_exact(name, size, channels, depth, kernel, stride):
    rng = np.random.default_rng([seed(), *size, channels, depth, *kernel, stride])
    m = ModelWriter()
    x = m.input("x", (1, *size, channels), scale=0.05, zero_point=3)
    outputs = channels * depth
    w = m.constant("w", rng.integers(-127, 128, (1, *kernel, outputs)).astype(np.int8),
                   scale=list(rng.uniform(0.002, 0.02, outputs)), zero_point=[0] * outputs, axis=3)
    b = m.constant("b", rng.integers(-2000, 2000, outputs).astype(np.int32),
                   scale=list(np.full(outputs, 0.001)), zero_point=[0] * outputs)
    shape = (1, ceil_div(size[0], stride), ceil_div(size[1], stride), outputs)
    y = m.tensor("y", shape, scale=0.3, zero_point=-5)
    m.operator("DEPTHWISE_CONV_2D", [x, w, b], [y], padding="SAME", stride_h=stride,
               stride_w=stride, depth_multiplier=depth)
    m.output(y)
    values = rng.integers(-128, 128, (1, *size, channels)).astype(np.int8)
    assert_compiled_exact(m.finish(), [values], preset(name),
                          f"{size} {channels} x {depth} {kernel} / {stride}")


@pytest.mark.parametrize("name", ("tiny", "small"))
def test_elementwise_operators_on_tensors_larger_than_the_scratchpad_are_exact(name):
    rng = np.random.default_rng(seed(5))
    shape = (1, 37, 41, 33)
    m = ModelWriter()
    x, y = (m.input(text, shape, scale=scale, zero_point=zero)
            for text, scale, zero in (("x", 0.1, 4), ("y", 0.03, -9)))
    row = m.constant("row", rng.integers(-128, 128, (1, 1, 1, 33)).astype(np.int8), scale=0.02,
                     zero_point=0)
    added = m.tensor("added", shape, scale=0.12, zero_point=1)
    scaled = m.tensor("scaled", shape, scale=0.2, zero_point=0)
    squashed = m.tensor("squashed", shape, scale=1 / 256, zero_point=-128)
    m.operator("ADD", [x, y], [added])
    m.operator("MUL", [added, row], [scaled])
    m.operator("LOGISTIC", [scaled], [squashed])
    m.output(squashed)
    inputs = [rng.integers(-128, 128, shape).astype(np.int8) for _ in range(2)]
    assert_compiled_exact(m.finish(), inputs, preset(name), "elementwise")


@pytest.mark.parametrize("name", ("tiny", "small", "ulx3s"))
@pytest.mark.parametrize("pads, kernel, stride, folds", [
    ((1, 1, 1, 1), (3, 3), 2, True), ((0, 1, 0, 1), (3, 3), 2, True),
    ((3, 2, 1, 4), (5, 4), 1, True),
    ((2, 2, 2, 2), (1, 1), 1, True), ((1, 1, 1, 1), (3, 3), 1, False),
])
def test_a_pad_is_folded_into_the_convolutions_behind_it(name, pads, kernel, stride, folds):
    top, bottom, left, right = pads
    rng = np.random.default_rng([seed(), *pads, *kernel])
    m = ModelWriter()
    quantisation = dict(scale=0.05, zero_point=11)
    x = m.input("x", (1, 9, 8, 6), **quantisation)
    shape = (1, 9 + top + bottom, 8 + left + right, 6)
    padded = m.tensor("padded", shape, **quantisation)
    m.operator("PAD", [x, m.constant("pads", np.array(
        [[0, 0], [top, bottom], [left, right], [0, 0]], np.int32))], [padded])
    for kind, channels in (("CONV_2D", 10), ("DEPTHWISE_CONV_2D", 6)):
        size = (channels, *kernel, 6) if kind == "CONV_2D" else (1, *kernel, 6)
        w = m.constant("w", rng.integers(-127, 128, size).astype(np.int8), scale=0.01)
        b = m.constant("b", rng.integers(-999, 999, channels).astype(np.int32), scale=0.0005)
        out = (1, *((full - taps) // stride + 1 for full, taps in zip(shape[1:3], kernel)))
        y = m.tensor("y", (*out, channels), scale=0.2, zero_point=-7)
        m.operator(kind, [padded, w, b], [y], padding="VALID", stride_h=stride, stride_w=stride)
        m.output(y)
    if not folds:           # another operator reads the padded tensor, too
        z = m.tensor("z", shape, scale=1 / 128, zero_point=0)
        m.operator("TANH", [padded], [z])
        m.output(z)
    inputs = [rng.integers(-128, 128, (1, 9, 8, 6)).astype(np.int8)]
    program = assert_compiled_exact(m.finish(), inputs, preset(name), f"{pads} {kernel}")
    assert any("PAD" in layer["name"] for layer in program.meta["layers"]) != folds
