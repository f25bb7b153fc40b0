"""Parts of the forward pass: rotation, norms, activations, attention."""

import math

import numpy as np
import pytest

from golden.language_model.attention import attend, softmax
from golden.language_model.feed_forward import gelu_tanh, silu
from golden.language_model.norms import layer_norm, rms_norm
from golden.language_model.parameters import NormParameters, Rotation
from golden.language_model.rotation import rotate
from support.seeds import seed


@pytest.fixture
def rng():
    return np.random.default_rng(seed(121))


@pytest.mark.parametrize("rotated", [8, 4])
def test_both_orders_of_pairs_are_the_same_rotation(rng, rotated):
    x = rng.normal(size=(5, 2, 8))
    positions = np.array([0, 1, 7, 100, 100000])
    frequencies = 10000.0 ** (-np.arange(0, rotated, 2) / rotated)
    order = [*range(0, rotated, 2), *range(1, rotated, 2), *range(rotated, 8)]
    halves = rotate(x[..., order], positions, Rotation(pairs="halves", frequencies=frequencies))
    neighbours = rotate(x, positions, Rotation(pairs="neighbours", frequencies=frequencies))
    assert np.abs(neighbours[..., order] - halves).max() < 1e-12
    assert (neighbours[0] == x[0]).all() and (neighbours[..., rotated:] == x[..., rotated:]).all()
    assert np.allclose((neighbours**2).sum(-1), (x**2).sum(-1))


def test_scores_of_rotated_heads_depend_on_the_distance_alone(rng):
    rotation = Rotation(pairs="halves", frequencies=np.array([1.0, 0.1, 0.01, 0.001]))
    q, k = rng.normal(size=(2, 1, 1, 8))

    def score(at, to):
        a, b = (rotate(v, np.array([p]), rotation) for v, p in ((q, at), (k, to)))
        return (a * b).sum()

    assert score(17, 5) == pytest.approx(score(1012, 1000), abs=1e-9)
    assert score(17, 5) != pytest.approx(score(17, 6), abs=1e-3)


def test_rms_norm_scales_the_mean_square_to_one(rng):
    x = rng.normal(size=(3, 64)) * 100
    y = rms_norm(x, NormParameters(gain=np.ones(64)), 0.0)
    assert np.allclose((y * y).mean(-1), 1)
    assert np.allclose(rms_norm(np.full((1, 4), 3.0), NormParameters(gain=np.arange(4.0)), 16.0),
                       [[0, 0.6, 1.2, 1.8]])


def test_layer_norm_gives_mean_and_deviation(rng):
    x = rng.normal(size=(3, 64)) * 100 + 7
    y = layer_norm(x, NormParameters(gain=np.full(64, 2.0), offset=np.full(64, 5.0)), 0.0)
    assert np.allclose(y.mean(-1), 5) and np.allclose(y.std(-1), 2)


def test_activations_at_known_points():
    x = np.array([-1000.0, -1.0, 0.0, 1.0, 1000.0])
    logistic = 1 / (1 + math.exp(-1))
    assert np.allclose(silu(x), [0, -(1 - logistic), 0, logistic, 1000])
    exact = [v * 0.5 * (1 + math.erf(v / math.sqrt(2))) for v in x]
    assert np.allclose(gelu_tanh(x), exact, atol=2e-4)      # it is an approximation
    assert np.isfinite(silu(x.astype(np.float32))).all()


def test_softmax_of_large_numbers_is_finite():
    assert np.allclose(softmax(np.array([[1e4, 1e4, -1e4]])), [[0.5, 0.5, 0]])


def test_attention_of_one_position_is_its_value(rng):
    q, k, v = rng.normal(size=(1, 4, 8)), rng.normal(size=(1, 2, 8)), rng.normal(size=(1, 2, 8))
    assert np.allclose(attend(q, k, v), np.repeat(v, 2, axis=1).reshape(1, 32))
