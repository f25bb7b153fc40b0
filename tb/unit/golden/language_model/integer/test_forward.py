"""Whole models in integers against floating point: every family, and the real model stories260k."""

import json

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
from support.language_models import SHAPES, golden_model, model_of_file, random_tensors
from support.seeds import seed
from support.shared_models import language_model_folder
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
