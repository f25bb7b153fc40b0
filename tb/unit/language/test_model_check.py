"""Check of language models: sizes, memory, and one list of what is not supported."""

import dataclasses
import json

import gguf
import numpy as np
import pytest

from support.language_models import SHAPES, Shape, random_file
from weft_host import LanguageModel, ModelError
from weft_host.compiler.frontend.llm import UnsupportedModelError, read_language_model
from weft_host.language import language_config
from weft_host.language.model_check import check_language_model

CONFIG = language_config("small")
LIMIT = (1 << 32, "the limit is")


def checked(path, available=1 << 32, config=CONFIG, **options):
    return check_language_model(path, config, available, "the memory has only", **options)


def test_sizes_types_tokenizer_and_memory(tmp_path):
    shape = Shape(family="llama", dim=32, heads=4, kv_heads=2, head_size=8, feed_forward=44)
    path = random_file(tmp_path, shape, kind="Q4_1")
    found = checked(path, context=20)
    assert found.is_supported and not found.unsupported and not found.problem
    assert (found.family, found.name, found.context) == ("llama", "random", 20)
    # down has 44 inputs, which are no whole blocks
    down, norms = 2 * 32 * 44, 5 * 32
    assert [(t.kind, t.stored, t.tensors, t.elements) for t in found.types] == [
        ("Q4_1", "int8, expanded from the codes", 13, found.parameters - down - norms),
        ("F32", "constants", 5, norms), ("F32", "int8", 2, down)]
    assert found.types[0].bytes == found.types[0].elements * 20 // 32
    assert found.tokenizer_is_usable and found.tokenizer == "SentencePiece, 360 text tokens"
    model = LanguageModel(path, CONFIG, context=20)
    memory = found.memory()
    assert memory["needed_bytes"] == model.program.memory_bytes
    assert memory["available_bytes"] == 1 << 32
    assert sum(memory[f"{name}_bytes"] for name in ("instruction", "constant", "cache")) == \
        memory["needed_bytes"]
    assert memory["instruction_bytes"] == 32 * model.program.instruction_count
    facts = found.as_dict()
    assert json.loads(json.dumps(facts)) == facts
    assert facts["sizes"]["dim"] == 32 and facts["parameters"] == found.parameters


@pytest.mark.parametrize(("kind", "stored"), [
    ("Q4_1", "4-bit codes, expanded during the load"), ("Q8_0", "int8")])
def test_types_with_4_bit_weights(kind, stored, tmp_path):
    shape = Shape(family="llama", dim=32, heads=4, kv_heads=2, head_size=8, feed_forward=64)
    found = checked(random_file(tmp_path, shape, kind=kind),
                    config=dataclasses.replace(CONFIG, weights_4bit=True))
    assert [(t.kind, t.stored) for t in found.types] == [(kind, stored), ("F32", "constants")]


def test_a_folder_with_learned_positions(tmp_path):
    found = checked(random_file(tmp_path, "gpt2", kind="folder"))
    assert found.family == "gpt2" and found.context == SHAPES["gpt2"].context
    assert found.tokenizer == "byte-level, pre-tokenizer gpt-2, 340 text tokens"
    assert found.is_supported


@pytest.mark.parametrize("family", ["qwen2", "other"])
def test_everything_that_is_not_supported_is_in_one_list(family, tmp_path):
    path = random_file(tmp_path, "qwen2", extra=[
        ("add_tokenizer_pre", "strange"), ("add_sliding_window", 5), ("add_expert_count", 4),
        ("add_rope_scaling_type", gguf.RopeScalingType.YARN),
        ("add_tensor", "blk.0.other", np.zeros((2, 2), np.float32)),
        *([("add_architecture",)] if family == "other" else [])])
    if family == "other":
        raw = path.read_bytes()
        path.write_bytes(raw.replace(b"qwen2", b"other"))
    found = checked(path)
    names = [verdict.operator for verdict in found.unsupported]
    expected = ["qwen2.rope.scaling.type", "qwen2.expert_count", "qwen2.attention.sliding_window",
                "tensor 'blk.0.other'", "tokenizer.ggml.pre"]
    if family == "other":       # the names of the tensors are unknown
        expected = ["general.architecture", *(
            name.replace("qwen2", "other") for name in expected if "tensor" not in name)]
    assert names == expected
    assert not found.is_supported and found.sizes is None and found.memory() is None
    with pytest.raises(UnsupportedModelError) as caught:
        read_language_model(path)
    assert list(caught.value.verdicts) == list(found.unsupported)


@pytest.mark.parametrize("family", ["llama", "bert"])
def test_the_list_of_a_folder_has_the_tokenizer_too(family, tmp_path):
    path = random_file(tmp_path, kind="folder")
    config = json.loads((path / "config.json").read_text())
    config |= {"model_type": family, "num_experts": 4}
    (path / "config.json").write_text(json.dumps(config))
    words = json.loads((path / "tokenizer.json").read_text())
    words["normalizer"] = {"type": "Lowercase"}
    (path / "tokenizer.json").write_text(json.dumps(words))
    names = [verdict.operator for verdict in checked(path).unsupported]
    assert names == ["num_experts", *(["model_type"] if family == "bert" else []), "normalizer"]
    (path / "tokenizer.json").write_text("{")       # its damage is reported later
    names = [verdict.operator for verdict in checked(path).unsupported]
    assert names == ["num_experts", *(["model_type"] if family == "bert" else [])]


def test_a_model_with_an_unknown_tokenizer_can_be_used_with_ids(tmp_path):
    path = random_file(tmp_path, "qwen2", extra=[("add_tokenizer_pre", "strange")])
    found = checked(path)
    assert [verdict.operator for verdict in found.unsupported] == ["tokenizer.ggml.pre"]
    assert not found.is_supported and not found.tokenizer_is_usable and found.program is not None
    running = LanguageModel(path, CONFIG)
    assert running.tokenizer is None and len(running.step(3)) == found.sizes.vocabulary
    assert [part.text for part in running.generate([3], max_tokens=2)] == ["", ""]
    with pytest.raises(UnsupportedModelError, match="pre-tokenizer 'strange'"):
        running.prompt_ids("the")


def test_a_model_without_a_vocabulary_is_supported(tmp_path):
    path = random_file(tmp_path, kind="folder")
    (path / "tokenizer.json").unlink()
    found = checked(path)
    assert found.is_supported and not found.tokenizer_is_usable
    assert found.tokenizer == "none in the file: the model can be used with ids only"


def test_a_model_that_does_not_fit_has_one_problem(tmp_path):
    path = random_file(tmp_path)
    needed = checked(path).memory()["needed_bytes"]
    assert checked(path, needed).is_supported
    found = checked(path, needed - 1)
    assert found.problem == (f"the program needs {needed} bytes of host memory, but the memory has "
                             f"only {needed - 1}")
    assert not found.is_supported and found.memory()["needed_bytes"] == needed
    found = checked(path, 1000)
    assert found.problem.endswith("bytes of host memory, but the memory has only 1000")
    assert found.program is None
    tiny = language_config("tiny")
    assert "bytes of scratchpad of tiny" in checked(path, config=tiny).problem
    assert "from 1 to 64 positions, not 65" in checked(path, context=65).problem


def test_a_damaged_file_is_an_error(tmp_path):
    (tmp_path / "a").write_bytes(b"GGUF" + bytes(50))
    with pytest.raises(ModelError):
        checked(tmp_path / "a")
