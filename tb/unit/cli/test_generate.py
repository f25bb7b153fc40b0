"""``weft generate`` and ``weft perplexity``: results, and requests that are refused."""

import json

import numpy as np
import pytest

from golden.language_model import measures
from support.language_models import SENTENCEPIECE, SHAPES, random_tensors, vocabulary, write_gguf
from support.seeds import seed


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    found = tmp_path_factory.mktemp("model") / "m.gguf"
    words = vocabulary(SENTENCEPIECE)
    tensors = random_tensors(SHAPES["llama"], len(words.tokens), np.random.default_rng(seed(64)))
    write_gguf(found, SHAPES["llama"], tensors, words)
    return found


def test_text_and_json_agree(weft, model):
    arguments = ("generate", model, "--prompt", "the", "--max-tokens", "3")
    facts = json.loads(weft(*arguments, "--json"))
    assert weft(*arguments) == facts["text"] + "\n"
    assert len(facts["ids"]) == 3 and facts["prompt_ids"]
    assert facts["decode"]["cycles"] is None, "the emulator has no clock"
    assert facts["context"] == SHAPES["llama"].context


def test_perplexity_and_comparison_are_those_of_the_logits(weft, model, tmp_path):
    (tmp_path / "ids.json").write_text("[1, 5, 9, 12, 7]")
    out = tmp_path / "logits.npz"
    facts = json.loads(weft("perplexity", model, "--ids", tmp_path / "ids.json", "--logits", out,
                            "--json"))
    with np.load(out) as arrays:
        ids, logits = arrays["ids"], arrays["logits"]
    assert ids.tolist() == [1, 5, 9, 12, 7] and len(logits) == 5
    assert facts["perplexity"] == pytest.approx(measures.perplexity(logits, ids.tolist()))
    other = logits + np.random.default_rng(seed(65)).normal(0, 0.1, logits.shape)
    np.savez(tmp_path / "other.npz", ids=ids, logits=other.astype(np.float32))
    facts = json.loads(weft("perplexity", model, "--ids", tmp_path / "ids.json", "--against",
                            tmp_path / "other.npz", "--json"))
    assert facts["divergence"] == pytest.approx(
        measures.kl_divergence(other, logits).mean(), rel=1e-3)
    assert facts["ratio"] == pytest.approx(
        measures.perplexity(logits, ids.tolist()) / measures.perplexity(other, ids.tolist()),
        rel=1e-3)
    assert facts["equal_first_choices"] == measures.equal_first_choices(other, logits)


@pytest.mark.parametrize("arguments, message", [
    (("generate", "{model}", "--prompt", "the", "--preset", "icebreaker"), "serial engine"),
    (("generate", "{model}", "--prompt", "the", "--preset", "tiny"), "bytes of scratchpad of tiny"),
    (("generate", "{model}", "--prompt", "the", "--context", "65"), "from 1 to 64 positions"),
    (("generate", "{model}", "--prompt", "the", "--context", "1"), "does not fit into the context"),
    (("generate", "{text}", "--prompt", "the"), "is not a GGUF file"),
    (("generate", "{model}", "--prompt", "the", "--set", "fixed_point=2"), "is not true or false"),
    (("perplexity", "{model}"), "either --text or --ids"),
    (("perplexity", "{model}", "--ids", "{text}"), "is not JSON"),
    (("perplexity", "{model}", "--ids", "{short}"), "needs at least two"),
    (("perplexity", "{model}", "--ids", "{wrong}"), "text token 99999 does not exist"),
    (("perplexity", "{model}", "--ids", "{ids}", "--against", "{text}"), "is no file with"),
    (("perplexity", "{model}", "--ids", "{ids}", "--against", "{other}"), "logits of other ids"),
    (("perplexity", "{model}", "--text", "{binary}"), "as UTF-8"),
])
def test_refuses_with_a_sentence(weft, model, tmp_path, arguments, message):
    files = {"text": b"This is a text, and not a model.", "short": b"[1]",
             "wrong": b'{"ids": [1, 99999]}',
             "ids": b"[1, 2, 3]", "binary": bytes([0xFF, 0xFE, 0xC0])}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    np.savez(tmp_path / "other.npz", ids=np.array([1]), logits=np.zeros((1, 3)))
    places = {name: tmp_path / name for name in files} | {
        "model": model, "folder": tmp_path, "other": tmp_path / "other.npz"}
    output = weft(*(str(part).format(**places) for part in arguments), status=2)
    assert message in output and "Traceback" not in output
