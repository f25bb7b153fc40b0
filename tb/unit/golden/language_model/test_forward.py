"""The forward pass against a second formulation: plain loops over Python's numbers."""

import cmath
import math

import numpy as np
import pytest

from golden.language_model.forward import Cache, forward, greedy
from support.language_models import SHAPES, golden_model, random_tensors
from support.seeds import seed

VOCABULARY = 60


def draw(name, dtype=np.float64):
    rng = np.random.default_rng(seed(111))
    shape = SHAPES[name]
    tensors = random_tensors(shape, VOCABULARY, rng)
    return shape, tensors, golden_model(shape, tensors, dtype), rng


class Naive:
    """A model evaluated position by position from canonical tensors, one number at a time.

    Rotations are products of complex numbers; a softmax is a quotient of exponentials.
    """

    def __init__(self, shape, tensors):
        self.shape = shape
        self.tensors = {name: tensor.tolist() for name, tensor in tensors.items()}
        self.keys = [[] for _ in range(shape.layers)]
        self.values = [[] for _ in range(shape.layers)]

    def project(self, name, x):
        rows = self.tensors[name]
        bias = self.tensors.get(f"{name}.bias", [0.0] * len(rows))
        return [math.fsum(w * v for w, v in zip(row, x)) + b for row, b in zip(rows, bias)]

    def norm(self, name, x):
        gain = self.tensors[name]
        if self.shape.norm == "layer" and not name.endswith(("q_norm", "k_norm")):
            mean = math.fsum(x) / len(x)
            variance = math.fsum((v - mean) ** 2 for v in x) / len(x)
            return [(v - mean) / math.sqrt(variance + 1e-5) * g + b
                    for v, g, b in zip(x, gain, self.tensors[f"{name}.bias"])]
        square = math.fsum(v * v for v in x) / len(x)
        return [v / math.sqrt(square + 1e-5) * g for v, g in zip(x, gain)]

    def rotated(self, head, position):
        if self.shape.family == "gpt2":
            return head
        half = self.shape.head_size // 2
        turned = [complex(head[i], head[i + half]) * cmath.exp(1j * position * frequency)
                  for i, frequency in enumerate(self.shape.frequencies().tolist())]
        return [z.real for z in turned] + [z.imag for z in turned]

    def heads(self, layer, role, x, position):
        size = self.shape.head_size
        flat = self.project(f"{layer}.{role}", x)
        found = [flat[at:at + size] for at in range(0, len(flat), size)]
        if role == "v":
            return found
        if self.shape.family == "qwen3":
            found = [self.norm(f"{layer}.{role}_norm", head) for head in found]
        return [self.rotated(head, position) for head in found]

    def attention(self, layer, x, position):
        queries = self.heads(layer, "q", x, position)
        self.keys[layer].append(self.heads(layer, "k", x, position))
        self.values[layer].append(self.heads(layer, "v", x, position))
        out = []
        for index, query in enumerate(queries):
            shared = index // (self.shape.heads // self.shape.kv_heads)
            weights = [math.exp(math.fsum(a * b for a, b in zip(query, key[shared]))
                                / math.sqrt(self.shape.head_size)) for key in self.keys[layer]]
            total = math.fsum(weights)
            out += [math.fsum(w * value[shared][i] for w, value in zip(
                weights, self.values[layer])) / total for i in range(self.shape.head_size)]
        return self.project(f"{layer}.output", out)

    def feed_forward(self, layer, x):
        up = self.project(f"{layer}.up", x)
        if self.shape.gated:
            gate = self.project(f"{layer}.gate", x)
            hidden = [g / (1 + math.exp(-g)) * u for g, u in zip(gate, up)]
        else:
            hidden = [u / 2 * (1 + math.tanh(math.sqrt(2 / math.pi) * (u + 0.044715 * u * u * u)))
                      for u in up]
        return self.project(f"{layer}.down", hidden)

    def step(self, token, position):
        x = list(self.tensors["embedding"][token])
        if self.shape.family == "gpt2":
            x = [a + b for a, b in zip(x, self.tensors["positions"][position])]
        for layer in range(self.shape.layers):
            h = self.attention(layer, self.norm(f"{layer}.attention_norm", x), position)
            x = [a + b for a, b in zip(x, h)]
            h = self.feed_forward(layer, self.norm(f"{layer}.feed_forward_norm", x))
            x = [a + b for a, b in zip(x, h)]
        head = "embedding" if self.shape.tied else "head"
        return self.project(head, self.norm("final_norm", x))


@pytest.mark.parametrize("name", SHAPES)
def test_equals_the_model_written_as_loops(name):
    shape, tensors, model, rng = draw(name)
    ids = rng.integers(0, VOCABULARY, 5).tolist()
    naive = Naive(shape, tensors)
    expected = [naive.step(token, position) for position, token in enumerate(ids)]
    assert np.abs(forward(model, ids) - expected).max() < 1e-11


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("parts", [(1,) * 16, (7, 9), (1, 14, 1)])
def test_steps_with_a_cache_give_the_logits_of_the_whole_sequence(name, parts):
    _, _, model, rng = draw(name)
    ids = rng.integers(0, VOCABULARY, 16).tolist()
    cache, at, found = Cache(), 0, []
    for size in parts:
        found.append(forward(model, ids[at:at + size], cache))
        at += size
    assert cache.length == 16
    assert np.abs(np.concatenate(found) - forward(model, ids)).max() < 1e-11


@pytest.mark.parametrize("name", ["llama", "qwen3", "gpt2"])
def test_float32_is_near_float64(name):
    _, _, model, rng = draw(name)
    ids = rng.integers(0, VOCABULARY, 16).tolist()
    single = forward(draw(name, np.float32)[2], ids)
    assert single.dtype == np.float32 and forward(model, ids).dtype == np.float64
    assert np.abs(single - forward(model, ids)).max() < 1e-4


@pytest.mark.parametrize("name", SHAPES)
def test_later_text_tokens_change_no_earlier_logits(name):
    _, _, model, rng = draw(name)
    ids = rng.integers(0, VOCABULARY, 8).tolist()
    changed = [*ids[:-1], (ids[-1] + 1) % VOCABULARY]
    a, b = forward(model, ids), forward(model, changed)
    assert np.abs(a[:-1] - b[:-1]).max() < 1e-12 and np.abs(a[-1] - b[-1]).max() > 1e-3


def test_greedy_continues_with_the_likeliest_text_token():
    _, _, model, rng = draw("llama")
    ids = rng.integers(0, VOCABULARY, 4).tolist()
    found = greedy(model, ids, 6)
    logits = forward(model, ids + found)
    assert found == logits[3:-1].argmax(axis=-1).tolist()


def test_no_text_tokens_are_refused():
    with pytest.raises(ValueError, match="^A forward pass needs at least one text token$"):
        forward(draw("llama")[2], [])


def test_positions_beyond_the_learned_ones_are_refused():
    model = draw("gpt2")[2]
    forward(model, [0] * 64)
    with pytest.raises(ValueError, match="^Position 64 is beyond the 64 learned positions$"):
        forward(model, [0] * 65)
