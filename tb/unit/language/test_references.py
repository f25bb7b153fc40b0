"""Ids of the references: stories260k, and SmolLM2 where its package is installed."""

import json

import pytest

from support.shared_models import language_model_folder, smollm2_file
from weft_host.compiler.frontend.llm import read_language_model
from weft_host.language import Tokenizer

CHAT = ("<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face"
        "<|im_end|>\n<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n")


@pytest.fixture(scope="module")
def smollm2():
    reference = json.loads((language_model_folder("smollm2_135m") / "reference.json").read_text())
    return Tokenizer.from_model(read_language_model(smollm2_file())), reference


def test_ids_of_stories260k():
    folder = language_model_folder("stories260k")
    reference = json.loads((folder / "reference.json").read_text())
    tokenizer = Tokenizer.from_model(read_language_model(folder / "model.gguf"))
    for prompt, run in reference["generate"].items():
        assert tokenizer.encode(prompt) == run["prompt_ids"]
        assert tokenizer.decode(run["prompt_ids"]) == prompt
        whole = tokenizer.decode(run["prompt_ids"] + run["greedy_ids"])
        assert whole == prompt + tokenizer.decode(run["greedy_ids"], continuation=True)
    run = reference["perplexity"]
    assert tokenizer.encode(run["text"]) == run["ids"] and tokenizer.end_ids == {2}


def test_ids_of_smollm2(smollm2):
    tokenizer, reference = smollm2
    for text in reference["texts"]:
        assert tokenizer.encode(text["text"]) == text["ids"]
        assert tokenizer.decode(text["ids"]) == text["text"]
    for run in reference["greedy"]:
        prompt = CHAT.format(run["prompt"]) if run["kind"] == "chat" else run["prompt"]
        assert tokenizer.encode(prompt) == run["prompt_ids"]
        assert tokenizer.decode(run["prompt_ids"], special=True) == prompt
        assert run["text"] == tokenizer.decode(run["greedy_ids"], special=True, continuation=True)
    assert tokenizer.end_ids == {0, 2}
