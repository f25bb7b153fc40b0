"""Language models on the emulator: generation, contexts, and requests that are refused."""

import numpy as np
import pytest

from support.language_models import SENTENCEPIECE, SHAPES, random_tensors, vocabulary, write_gguf
from support.seeds import seed
from weft.spec.presets import preset
from weft_host import CapacityError, InputError, LanguageModel
from weft_host.compiler.frontend.llm import TokenType
from weft_host.device import EmulatorDevice
from weft_host.language import Generated, Sampler, language_config

CONTEXT = 12


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    found = tmp_path_factory.mktemp("model") / "m.gguf"
    words = vocabulary(SENTENCEPIECE)
    tensors = random_tensors(SHAPES["llama"], len(words.tokens), np.random.default_rng(seed(63)))
    write_gguf(found, SHAPES["llama"], tensors, words)
    return found


def test_the_greedy_text_is_that_of_the_likeliest_text_tokens(path):
    running = LanguageModel(path, "small", context=CONTEXT)
    prompt = running.prompt_ids("the")
    found = list(running.generate(prompt, max_tokens=4))
    reference = LanguageModel(path, "small", context=CONTEXT)
    logits = reference.logits(prompt)[-1]
    for part in found:
        assert part.id == int(logits.argmax())
        logits = reference.logits([part.id])[-1]
    assert "".join(part.text for part in found) == running.tokenizer.decode(
        [part.id for part in found], continuation=True)
    assert not running.cycles, "the emulator has no clock"


def test_the_text_ends_where_the_context_is_full(path):
    running = LanguageModel(path, "small", context=CONTEXT)
    prompt = running.prompt_ids("the")
    ids = [part.id for part in running.generate(prompt, max_tokens=100)]
    assert len(prompt) + len(ids) == CONTEXT + 1    # the last one is chosen, but not evaluated
    with pytest.raises(InputError, match=f"The context of {CONTEXT} positions is full"):
        running.step(3)
    running.reset()
    assert running.length == 0
    running.step(3)


def test_an_end_of_text_ends_the_text(path, monkeypatch):
    running = LanguageModel(path, "small", context=CONTEXT)
    prompt = running.prompt_ids("the")
    second = [part.id for part in running.generate(prompt, max_tokens=2)][-1]
    running.reset()
    monkeypatch.setattr(type(running.tokenizer), "end_ids", frozenset({second}))
    assert second not in [part.id for part in running.generate(prompt, max_tokens=2)]


def test_a_text_that_ends_within_a_character_ends_with_a_part_without_id(path):
    running = LanguageModel(path, "small", context=CONTEXT)
    tokenizer = running.tokenizer
    first = next(index for index in range(len(tokenizer)) if tokenizer.piece(index) == b"\xc3"
                 and tokenizer.vocabulary.types[index] == TokenType.BYTE)
    end = min(tokenizer.end_ids)

    class Script(Sampler):
        def __init__(self, ids):
            super().__init__()
            self.ids = list(ids)

        def choose(self, logits):
            return self.ids.pop(0)

    found = list(running.generate([3], sampler=Script([first, end])))
    assert found == [Generated(first, ""), Generated(None, "\N{REPLACEMENT CHARACTER}")]
    running.reset()
    found = list(running.generate([3], max_tokens=1, sampler=Script([first])))
    assert found == [Generated(first, "\N{REPLACEMENT CHARACTER}")]


def test_the_configuration_of_a_language_model_has_the_change_in_its_name():
    config = language_config("ulx3s")
    assert config.name == "ulx3s+fixed_point=True+tile_lines=2" and config.fixed_point
    assert config.fingerprint == preset("ulx3s", fixed_point=True, tile_lines=2).fingerprint
    assert language_config(config) is config


def test_the_configuration_has_two_tile_lines_unless_they_were_chosen():
    assert language_config("small", two_lines=False) == preset("small", fixed_point=True)
    chosen = preset("small", fixed_point=True)
    assert language_config(chosen) is chosen
    assert language_config(chosen, two_lines=True).tile_lines == 2
    assert language_config("tiny").tile_lines == 1      # it has fewer than 8 rows



def test_a_device_of_the_caller_is_used(path):
    config = language_config("small")
    assert config.fixed_point and not preset("small").fixed_point
    device = EmulatorDevice(config, memory_bytes=1 << 20)
    running = LanguageModel(path, device, context=CONTEXT)
    assert running.device is device and running.context == CONTEXT
    # what an earlier program has left in memory does not matter
    device.write_memory(0, bytes([255]) * (1 << 20))
    again = LanguageModel(path, device, context=CONTEXT)
    expected = LanguageModel(path, "small", context=CONTEXT)
    for token in (5, 6):
        assert (again.step(token) == expected.step(token)).all()


def test_the_default_context_is_that_of_the_model(path):
    assert LanguageModel(path, "small").context == SHAPES["llama"].context


@pytest.mark.parametrize("request_, error, message", [
    (lambda path: LanguageModel(path, "icebreaker"), InputError, "the serial engine"),
    (lambda path: LanguageModel(path, EmulatorDevice("small")), CapacityError,
     "has no fixed-point instructions"),
    (lambda path: LanguageModel(path, "small", context=4).step(-1), InputError,
     "Text token -1 does not exist"),
    (lambda path: list(LanguageModel(path, "small", context=4).generate([])), InputError,
     "The prompt is empty"),
    (lambda path: list(LanguageModel(path, "small", context=4).generate([3] * 5)), InputError,
     "The prompt of 5 text tokens does not fit into the context of 4 positions"),
])
def test_refuses_with_a_sentence(path, request_, error, message):
    with pytest.raises(error, match=message):
        request_(path)


def test_sampling_follows_temperature_top_p_and_seed():
    logits = np.log(np.array([0.1, 0.6, 0.05, 0.25]))
    assert Sampler().choose(logits) == 1
    assert Sampler().choose(np.zeros(4)) == 0, "the first one of equals"
    draws = [Sampler(1.0, seed=number).choose(logits) for number in range(2000)]
    assert np.abs(np.bincount(draws, minlength=4) / 2000 - np.exp(logits)).max() < 0.05
    draws = {Sampler(1.0, 0.7, number).choose(logits) for number in range(300)}
    assert draws == {1, 3}
    assert {Sampler(1e-9, seed=number).choose(logits) for number in range(20)} == {1}
    assert {Sampler(5.0, 1e-9, number).choose(logits) for number in range(20)} == {1}
    first, second = (Sampler(1.0, seed=7) for _ in range(2))
    assert [first.choose(logits) for _ in range(9)] == [second.choose(logits) for _ in range(9)]


@pytest.mark.parametrize("arguments, message", [
    ((-1.0,), "temperature must be a number from 0 on"), ((float("nan"),), "temperature must be"),
    ((float("inf"),), "temperature must be"), ((1.0, 0.0), "top_p must be above 0"),
    ((1.0, 1.5), "top_p must be above 0 and at most 1")])
def test_sampling_refuses_numbers_out_of_range(arguments, message):
    with pytest.raises(InputError, match=message):
        Sampler(*arguments)
