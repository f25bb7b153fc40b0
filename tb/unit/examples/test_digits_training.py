"""Training and quantisation of the digits network, without a complete training."""

import sys
from pathlib import Path

import numpy as np
import pytest

from golden import graph as golden_graph
from support.exact import assert_exact
from support.litert import outputs

DIGITS = Path(__file__).resolve().parents[3] / "examples" / "digits"


@pytest.fixture
def network(monkeypatch):
    monkeypatch.syspath_prepend(str(DIGITS))
    import network

    yield network
    for name in ("network", "quantise", "train"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("kind", ["same", "valid", "max", "average", "dense"])
def test_gradients_equal_difference_quotients(network, kind):
    rng = np.random.default_rng(5)
    layer = {
        "same": lambda: network.Conv(rng, 2, 3, padding="SAME"),
        "valid": lambda: network.Conv(rng, 2, 3, padding="VALID"),
        "max": network.MaxPool,
        "average": network.AveragePool,
        "dense": lambda: network.Dense(rng, 32, 4),
    }[kind]()
    # in doubles, because rounding in float32 exceeds a small step
    layer.parameters = [p.astype(np.float64) for p in layer.parameters]
    layer.gradients = [g.astype(np.float64) for g in layer.gradients]
    x = rng.normal(size=(2, 4, 4, 2))
    weight = rng.normal(size=layer.forward(x).shape)

    def loss():
        return float((layer.forward(x) * weight).sum())

    loss()
    by_input = layer.backward(weight)
    for values, gradient in [(x, by_input), *zip(layer.parameters, layer.gradients)]:
        for index in rng.permutation(values.size)[:12]:
            position = np.unravel_index(index, values.shape)
            before = values[position]
            values[position] = before + 1e-6
            above = loss()
            values[position] = before - 1e-6
            below = loss()
            values[position] = before
            assert gradient[position] == pytest.approx((above - below) / 2e-6, abs=1e-4)


def test_quantised_network_approximates_the_float_network(network):
    import quantise

    layers = network.digits_network(np.random.default_rng(6))
    images = np.random.default_rng(7).random((200, 8, 8, 1)).astype(np.float32)
    model = quantise.quantise(layers, images)
    graph = golden_graph.read(model)
    for op in graph.operators:
        if op.name in ("CONV_2D", "FULLY_CONNECTED"):
            weights = graph.tensors[op.inputs[1]]
            assert len(weights.scale) == len(weights.value)
            flat = np.abs(weights.value.reshape(len(weights.value), -1).astype(int))
            assert (flat.max(axis=1) == 127).all(), "a channel does not use the full range"
    logits = graph.tensors[graph.operators[-1].inputs[0]]
    inputs = quantise.quantise_input(images)
    real = network.forward(layers, (inputs.astype(np.float32) + 128) / 255)[-1]
    for number in range(20):
        image = inputs[number][None]
        assert_exact(model, [image], f"image {number}")
        values = golden_graph.run(graph, [image])
        quantised = values[graph.operators[-1].inputs[0]].astype(np.float64)
        quantised = (quantised - logits.zero_point[0]) * logits.scale[0]
        # five layers, each with an error of about half a step
        assert np.abs(quantised - real[number]).max() < 8 * logits.scale[0]
        assert outputs(model, [image])[0].dtype == np.int8


def test_a_short_training_learns_and_is_repeatable(network):
    import quantise

    pytest.importorskip("sklearn", reason="scikit-learn is of the extra `train`")
    import train

    (images, labels), (test_images, test_labels) = train.split()
    assert len(images) == 1437 and len(test_images) == 360
    runs = [
        train.train(images, labels, seed=3, epochs=2, report=lambda _: None) for _ in range(2)
    ]
    predicted = network.forward(runs[0], test_images)[-1].argmax(axis=1)
    assert np.mean(predicted == test_labels) > 0.7
    for first, second in zip(*runs):
        for p, q in zip(first.parameters, second.parameters):
            np.testing.assert_array_equal(p, q)
    with np.load(DIGITS / "digits.npz") as stored:
        np.testing.assert_array_equal(stored["images"], quantise.quantise_input(test_images))
        np.testing.assert_array_equal(stored["labels"], test_labels)
