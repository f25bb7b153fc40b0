"""Whole models in integers against floating point and against plain Python.

WEFT_SOAK evaluates all texts of SmolLM2 instead of 40 positions of one.
"""

import dataclasses
import functools
import json
import os

import numpy as np
import pytest

from golden.language_model.forward import forward
from golden.language_model.integer.fixed import Multiplier
from golden.language_model.integer.forward import (
    IntegerCache,
    forward_integers,
    greedy_integers,
    rotate,
)
from golden.language_model.integer.parameters import Gains, HeadNorm
from golden.language_model.integer.quantize import integer_model
from golden.language_model.measures import equal_first_choices, kl_divergence, perplexity
from golden.language_model.parameters import Codes, Linear
from support.language_models import SHAPES, Shape, golden_model, model_of_file, random_tensors
from support.language_models.plain_forward import forward_plainly, rotated
from support.seeds import seed
from support.shared_models import language_model_folder, smollm2_file
from weft_host.compiler.frontend.llm import read_language_model

VOCABULARY = 60
POSITIONS = 24
PROJECTIONS = "q", "k", "v", "output", "gate", "up", "down"


def with_codes(linear):
    """Return a linear layer of 4-bit codes, if its inputs are whole blocks."""
    if linear is None or linear.weight.shape[1] % 32:
        return linear
    blocks = linear.weight.reshape(len(linear.weight), -1, 32)
    m = blocks.min(axis=2)
    d = (blocks.max(axis=2) - m) / 15
    q = np.round((blocks - m[..., None]) / d[..., None]).astype(np.int64)
    weight = (d[..., None] * q + m[..., None]).reshape(linear.weight.shape)
    return Linear(weight=weight, bias=linear.bias, codes=Codes(q=q, d=d, m=m))


@functools.cache
def draw(name):
    rng = np.random.default_rng(seed(31))
    shape = SHAPES[name]
    model = golden_model(shape, random_tensors(shape, VOCABULARY, rng), np.float64)
    return model, integer_model(model, POSITIONS), rng.integers(VOCABULARY, size=POSITIONS)


def model_with_codes(model):
    """Return a model whose projections have 4-bit codes, where their inputs are whole blocks."""
    layers = tuple(dataclasses.replace(layer, **{
        part: with_codes(getattr(layer, part)) for part in PROJECTIONS}) for layer in model.layers)
    return dataclasses.replace(model, layers=layers, head=with_codes(model.head))


def scaled_model(model, part, scale):
    """Return a model with a projection or a norm of all layers multiplied by ``scale``."""
    def scaled(layer):
        old = getattr(layer, part)
        if isinstance(old, Linear):
            new = dataclasses.replace(old, weight=scale * old.weight, bias=None)
        else:
            new = dataclasses.replace(old, gain=scale * old.gain)
        return dataclasses.replace(layer, **{part: new})

    return dataclasses.replace(model, layers=tuple(map(scaled, model.layers)))


@pytest.mark.parametrize("name", SHAPES)
def test_divergence_from_floating_point_is_small(name):
    model, integers, ids = draw(name)
    expected = forward(model, ids)
    found = forward_integers(integers, ids) * 2.0**-integers.logit_fraction
    divergence = kl_divergence(expected, found)
    print(name, divergence.mean(), divergence.max())
    assert divergence.mean() <= 0.004


@pytest.mark.parametrize("name", SHAPES)
def test_divergence_from_floating_point_is_small_with_codes_of_4_bits(name):
    model, _, ids = draw(name)
    model = model_with_codes(model)
    expected = forward(model, ids)
    integers = integer_model(model, POSITIONS)
    found = forward_integers(integers, ids) * 2.0**-integers.logit_fraction
    divergence = kl_divergence(expected, found)
    coded = [part for layer in model.layers for part in PROJECTIONS
             if getattr(layer, part) is not None and getattr(layer, part).codes is not None]
    print(name, len(coded), divergence.mean(), divergence.max())
    assert divergence.mean() <= 0.01


@pytest.mark.parametrize("name", SHAPES)
def test_steps_equal_all_positions_at_once(name):
    _, integers, ids = draw(name)
    cache, steps = IntegerCache(), []
    for part in (ids[:5], ids[5:6], ids[6:]):
        steps.append(forward_integers(integers, part, cache))
    assert cache.length == POSITIONS
    assert (np.concatenate(steps) == forward_integers(integers, ids)).all()


@pytest.mark.parametrize("name", ["llama", "qwen3", "gpt2"])
@pytest.mark.parametrize("part, scale", [
    *((part, scale) for scale in (0.0, 1e-12)
      for part in ("q", "k", "v", "output", "up", "down", "attention_norm", "feed_forward_norm")),
    # larger scores would choose one position, which an int8 cache cannot decide as float64 does
    *((part, 30.0) for part in ("v", "output", "up", "down", "feed_forward_norm"))])
@pytest.mark.filterwarnings("error")
def test_projections_of_zeros_and_of_extreme_sizes_work(name, part, scale):
    model, _, ids = draw(name)
    model = scaled_model(model, part, scale)
    expected = forward(model, ids)
    integers = integer_model(model, POSITIONS)
    found = forward_integers(integers, ids) * 2.0**-integers.logit_fraction
    assert kl_divergence(expected, found).mean() <= 0.03


@pytest.mark.parametrize("codes", [False, True])
@pytest.mark.parametrize("name", SHAPES)
def test_equals_the_laws_in_plain_python(name, codes):
    model, integers, ids = draw(name)
    if codes:
        integers = integer_model(model_with_codes(model), POSITIONS)
    assert forward_integers(integers, ids[:9]).tolist() == forward_plainly(integers, ids[:9])


@pytest.mark.parametrize("name", ["llama", "qwen3", "gpt2"])
@pytest.mark.parametrize("part, scale", [
    ("q", 1e3), ("k", 1e-3), ("v", 1e4), ("output", 1e5), ("up", 1e3), ("down", 1e5),
    ("attention_norm", 100.0), ("feed_forward_norm", 100.0), ("gate", 1e3)])
def test_equals_the_laws_in_plain_python_for_large_and_small_weights(name, part, scale):
    model, _, ids = draw(name)
    if getattr(model.layers[0], part) is None:
        part = "up"
    integers = integer_model(scaled_model(model, part, scale), POSITIONS)
    assert forward_integers(integers, ids[:6]).tolist() == forward_plainly(integers, ids[:6])


@pytest.mark.parametrize("name", ["llama", "qwen3", "gpt2"])
def test_equals_the_laws_in_plain_python_where_every_number_saturates(name):
    model, integers, ids = draw(name)
    rng = np.random.default_rng(seed(38))

    def enlarged(parameters):
        """Return parameters with factors that are up to 2^9 times as large."""
        if dataclasses.is_dataclass(parameters):
            return dataclasses.replace(parameters, **{
                field.name: enlarged(getattr(parameters, field.name))
                for field in dataclasses.fields(parameters)})
        if isinstance(parameters, Multiplier):
            return parameters._replace(
                shift=np.maximum(parameters.shift - rng.integers(10), 0))
        if isinstance(parameters, Gains):
            return parameters._replace(shift=max(parameters.shift - int(rng.integers(10)), 0))
        if isinstance(parameters, HeadNorm):
            return parameters._replace(gains=enlarged(parameters.gains))
        return parameters

    for _ in range(6):
        changed = dataclasses.replace(
            enlarged(integers), layers=tuple(map(enlarged, integers.layers)))
        assert forward_integers(changed, ids[:6]).tolist() == forward_plainly(changed, ids[:6])
    saturated = dataclasses.replace(integers, embedding_factor=Multiplier(
        integers.embedding_factor.multiplier, integers.embedding_factor.shift - 18))
    assert forward_integers(saturated, ids[:6]).tolist() == forward_plainly(saturated, ids[:6])


@pytest.mark.parametrize("pairs", ["neighbours", "halves"])
def test_rotations_equal_the_law_in_plain_python(pairs):
    _, integers, _ = draw("llama_wide_heads")
    rng = np.random.default_rng(seed(47))
    integers = dataclasses.replace(integers, pairs=pairs)
    positions = rng.integers(POSITIONS, size=200)
    x = rng.integers(-1 << 31, 1 << 31, (200, 1, integers.head_size)) >> rng.integers(
        0, 20, (200, 1, 1))
    assert rotate(integers, x, positions).tolist() == [
        [rotated(integers, row, position)] for (row,), position in zip(x.tolist(), positions)]


@pytest.mark.parametrize("pairs", ["neighbours", "halves"])
def test_equals_the_laws_in_plain_python_for_many_inputs_and_several_blocks(pairs):
    rng = np.random.default_rng(seed(39))
    shape = Shape(family="llama", dim=8, layers=1, heads=2, kv_heads=1, head_size=4,
                  feed_forward=700)
    model = golden_model(shape, random_tensors(shape, VOCABULARY, rng), np.float64)
    model = dataclasses.replace(model, rotation=dataclasses.replace(model.rotation, pairs=pairs))
    integers = integer_model(model, 60_000)
    assert integers.layers[0].feed_forward.down.pre_shift and integers.sum_shift
    ids = rng.integers(VOCABULARY, size=270)
    assert forward_integers(integers, ids).tolist() == forward_plainly(integers, ids.tolist())


def test_rejects_no_text_tokens_and_positions_beyond_the_context():
    _, integers, ids = draw(next(iter(SHAPES)))
    with pytest.raises(ValueError, match="at least one text token"):
        forward_integers(integers, [])
    with pytest.raises(ValueError, match="Position 24 is beyond the context of 24"):
        forward_integers(integers, [*ids, 0])


def test_quality_of_stories260k():
    folder = language_model_folder("stories260k")
    reference = json.loads((folder / "reference.json").read_text())
    arrays = np.load(folder / "logits.npz")
    model = model_of_file(read_language_model(folder / "model.gguf"), np.float64)
    integers = integer_model(model, 512)
    ids = reference["perplexity"]["ids"]
    logits = forward_integers(integers, ids) * 2.0**-integers.logit_fraction
    divergence = kl_divergence(arrays["logits"], logits).mean()
    same = equal_first_choices(arrays["logits"], logits)
    ratio = perplexity(logits, ids) / perplexity(arrays["logits"], ids)
    print(f"KL {divergence:.5f}, {same:.1%} equal first choices, perplexity x {ratio:.4f}")
    assert divergence <= 0.004 and same >= 0.98 and abs(ratio - 1) <= 0.01
    run = reference["generate"]["Once upon a time"]
    assert greedy_integers(integers, run["prompt_ids"], 60) == run["greedy_ids"][:60]


def test_quality_of_smollm2_with_the_codes_of_its_file():
    folder = language_model_folder("smollm2_135m")
    reference = json.loads((folder / "reference.json").read_text())
    model = model_of_file(read_language_model(smollm2_file()), np.float32)
    integers = integer_model(model, 2048)
    divergence, same = [], []
    for text in reference["texts"] if os.environ.get("WEFT_SOAK") else reference["texts"][:1]:
        ids = text["ids"] if os.environ.get("WEFT_SOAK") else text["ids"][:40]
        expected = forward(model, ids)
        found = forward_integers(integers, ids) * 2.0**-integers.logit_fraction
        divergence += kl_divergence(expected, found).tolist()
        same += (expected.argmax(axis=-1) == found.argmax(axis=-1)).tolist()
    print(f"KL {np.mean(divergence):.5f}, {np.mean(same):.1%} equal first choices, {len(same)} "
          "positions")
    assert np.mean(divergence) <= 0.010 and np.mean(same) >= 0.93
