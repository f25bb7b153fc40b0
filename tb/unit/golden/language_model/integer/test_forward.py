"""Whole models in integers against floating point: every family, and two real models.

WEFT_SOAK evaluates all texts of SmolLM2 instead of 40 positions of one.
"""

import dataclasses
import json
import os

import numpy as np
import pytest

from golden.language_model.forward import forward
from golden.language_model.integer.forward import (
    IntegerCache,
    forward_integers,
    greedy_integers,
)
from golden.language_model.integer.quantize import integer_model
from golden.language_model.measures import equal_first_choices, kl_divergence, perplexity
from golden.language_model.parameters import Codes, Linear
from support.language_models import SHAPES, golden_model, model_of_file, random_tensors
from support.seeds import seed
from support.shared_models import language_model_folder, smollm2_file
from weft_host.compiler.frontend.llm import read_language_model

VOCABULARY = 60
POSITIONS = 24


def draw(name):
    rng = np.random.default_rng(seed(31))
    shape = SHAPES[name]
    model = golden_model(shape, random_tensors(shape, VOCABULARY, rng), np.float64)
    return model, integer_model(model, POSITIONS), rng.integers(VOCABULARY, size=POSITIONS)


@pytest.mark.parametrize("name", SHAPES)
def test_divergence_from_floating_point_is_small(name):
    model, integers, ids = draw(name)
    expected = forward(model, ids)
    found = forward_integers(integers, ids) * 2.0**-integers.head.fraction
    divergence = kl_divergence(expected, found)
    print(name, divergence.mean(), divergence.max())
    assert divergence.mean() <= 0.004


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


@pytest.mark.parametrize("name", SHAPES)
def test_divergence_from_floating_point_is_small_with_codes_of_4_bits(name):
    model, _, ids = draw(name)
    names = ("q", "k", "v", "output", "gate", "up", "down")
    layers = tuple(dataclasses.replace(layer, **{
        part: with_codes(getattr(layer, part)) for part in names}) for layer in model.layers)
    model = dataclasses.replace(model, layers=layers, head=with_codes(model.head))
    expected = forward(model, ids)
    integers = integer_model(model, POSITIONS)
    found = forward_integers(integers, ids) * 2.0**-integers.head.fraction
    divergence = kl_divergence(expected, found)
    coded = [part for layer in layers for part in names
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
    logits = forward_integers(integers, ids) * 2.0**-integers.head.fraction
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
        found = forward_integers(integers, ids) * 2.0**-integers.head.fraction
        divergence += kl_divergence(expected, found).tolist()
        same += (expected.argmax(axis=-1) == found.argmax(axis=-1)).tolist()
    print(f"KL {np.mean(divergence):.5f}, {np.mean(same):.1%} equal first choices, {len(same)} "
          "positions")
    assert np.mean(divergence) <= 0.010 and np.mean(same) >= 0.93
