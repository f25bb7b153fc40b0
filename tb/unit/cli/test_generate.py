"""``weft generate`` and ``weft perplexity``: results, and requests that are refused."""

import json

import numpy as np
import pytest

from golden.language_model import measures
from support.language_models import SENTENCEPIECE, SHAPES, random_tensors, vocabulary, write_gguf
from support.seeds import seed
from weft_host import LanguageModel
from weft_host.cli import main
from weft_host.compiler.frontend.llm import read_language_model
from weft_host.device import EmulatorDevice


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


def test_figures_of_a_device_with_a_clock(weft, model, monkeypatch, capsys):
    class Clocked(EmulatorDevice):
        def counters(self):
            return super().counters() | {"CYCLES": 10_000}

    monkeypatch.setattr("weft_host.cli.language.make_device",
                        lambda where, config, *, memory_bytes, latency, bandwidth: Clocked(
                            config, memory_bytes=memory_bytes))
    arguments = ("generate", model, "--prompt", "the", "--max-tokens", "3", "--on", "rtl",
                 "--clock", "50", "--bandwidth", "0.5")
    facts = json.loads(weft(*arguments, "--json"))
    count = len(facts["prompt_ids"])
    assert facts["prefill"]["cycles"] == count * 10_000
    assert facts["decode"] | {"bandwidth_share": 0} == {
        "text_tokens": 2, "cycles": 20_000, "text_tokens_per_second": 5000, "bandwidth_share": 0}
    running = LanguageModel(model)
    read = sum(running.timing_step(count + index)["BYTES_READ"] for index in range(2))
    assert facts["decode"]["bandwidth_share"] == pytest.approx(read / 20_000 / 8 / 0.5)
    with pytest.raises(SystemExit):
        main([str(argument) for argument in arguments])
    assert "5000.00 text tokens per second at 50 MHz, " in capsys.readouterr().err


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


def damaged_logits(folder, vocabulary):
    """Write files that are no logits of the ids 1, 2 and 3, and return their paths by name."""
    ids, logits = np.array([1, 2, 3]), np.zeros((3, vocabulary))
    paths = {name: folder / f"{name}.npz" for name in ("cut", "flipped", "nan", "words")}
    np.savez(paths["nan"], ids=ids, logits=logits + np.nan)
    np.savez(paths["words"], ids=ids, logits=logits.astype("U4"))
    intact = paths["nan"].read_bytes()
    paths["cut"].write_bytes(intact[:len(intact) // 2])
    middle = len(intact) // 2
    paths["flipped"].write_bytes(
        intact[:middle] + bytes([intact[middle] ^ 255]) + intact[middle + 1:])
    np.save(folder / "array.npy", ids)
    return paths | {"array": folder / "array.npy"}


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
    (("perplexity", "{model}", "--ids", "{ids}", "--against", "{array}"), "is no file with"),
    (("perplexity", "{model}", "--ids", "{ids}", "--against", "{cut}"), "is no file with"),
    (("perplexity", "{model}", "--ids", "{ids}", "--against", "{flipped}"), "is no file with"),
    (("perplexity", "{model}", "--ids", "{ids}", "--against", "{nan}"), "no finite numbers"),
    (("perplexity", "{model}", "--ids", "{ids}", "--against", "{words}"), "no finite numbers"),
    (("generate", "{model}", "--prompt", "the", "--set", "fixed_point=false"),
     "language models need the fixed-point instructions"),
    (("generate", "{model}", "--prompt", "the", "--set", "wgt_bytes=128"),
     "small+wgt_bytes=128 cannot run language models: wgt_bytes of 128 is less than four bursts"),
    (("perplexity", "{model}", "--text", "{binary}"), "as UTF-8"),
])
def test_refuses_with_a_sentence(weft, model, tmp_path, arguments, message):
    files = {"text": b"This is a text, and not a model.", "short": b"[1]",
             "wrong": b'{"ids": [1, 99999]}',
             "ids": b"[1, 2, 3]", "binary": bytes([0xFF, 0xFE, 0xC0])}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    np.savez(tmp_path / "other.npz", ids=np.array([1]), logits=np.zeros((1, 3)))
    damaged = damaged_logits(tmp_path, len(read_language_model(model).vocabulary.tokens))
    places = {name: tmp_path / name for name in files} | damaged | {
        "model": model, "folder": tmp_path, "other": tmp_path / "other.npz"}
    output = weft(*(str(part).format(**places) for part in arguments), status=2)
    assert message in output and "Traceback" not in output
