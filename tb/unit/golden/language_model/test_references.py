"""The forward pass against the references of real models.

WEFT_SOAK evaluates all texts and prompts of SmolLM2 instead of a part of them.
"""

import json
import os

import numpy as np
import pytest

from golden.language_model.forward import forward, greedy
from golden.language_model.measures import kl_divergence, log_probabilities, perplexity
from support.language_models import model_of_file
from support.shared_models import language_model_folder, smollm2_file
from weft_host.compiler.frontend.llm import read_language_model

SOAK = bool(os.environ.get("WEFT_SOAK"))
LOGIT = 5e-5        # largest difference of a logit; 1.7e-5 in float32 and 1.5e-5 in float64
LOG_PROBABILITY = 2e-4      # of SmolLM2; the reference is rounded to 1e-4


@pytest.fixture(scope="module")
def stories():
    folder = language_model_folder("stories260k")
    reference = json.loads((folder / "reference.json").read_text())
    return read_language_model(folder / "model.gguf"), reference, np.load(folder / "logits.npz")


@pytest.fixture(scope="module")
def smollm2():
    folder = language_model_folder("smollm2_135m")
    reference = json.loads((folder / "reference.json").read_text())
    return model_of_file(read_language_model(smollm2_file()), np.float32), reference


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logits_and_perplexity_of_stories260k(stories, dtype):
    file, reference, arrays = stories
    ids = reference["perplexity"]["ids"]
    assert arrays["ids"].tolist() == ids
    logits = forward(model_of_file(file, dtype), ids)
    assert np.abs(logits - arrays["logits"]).max() < LOGIT
    assert kl_divergence(arrays["logits"], logits).max() < 1e-9
    assert perplexity(logits, ids) == pytest.approx(reference["perplexity"]["float32"], rel=1e-6)


def test_the_first_200_text_tokens_of_stories260k(stories):
    file, reference, _ = stories
    model = model_of_file(file, np.float32)
    for run in reference["generate"].values():
        assert greedy(model, run["prompt_ids"], 200) == run["greedy_ids"]


def test_likeliest_text_tokens_and_perplexity_of_smollm2(smollm2):
    model, reference = smollm2
    for text in reference["texts"] if SOAK else reference["texts"][:1]:
        count = len(text["ids"]) if SOAK else 16
        logits = forward(model, text["ids"][:count])
        expected = np.array(text["top5_ids"][:count])
        likeliest = np.argsort(-logits, axis=-1, kind="stable")[:, :5]
        assert (likeliest == expected).mean() > 0.98     # near ties may swap
        assert (likeliest[:, 0] == expected[:, 0]).all()
        found = np.take_along_axis(log_probabilities(logits), expected, axis=-1)
        assert np.abs(found - text["top5_logprobs"][:count]).max() < LOG_PROBABILITY
        if SOAK:
            assert perplexity(logits, text["ids"]) == pytest.approx(
                text["float32_perplexity"], rel=1e-5)


def test_greedy_text_tokens_of_smollm2(smollm2):
    model, reference = smollm2
    for run in reference["greedy"] if SOAK else reference["greedy"][:1]:
        count = len(run["greedy_ids"]) if SOAK else 8
        assert greedy(model, run["prompt_ids"], count) == run["greedy_ids"][:count]
