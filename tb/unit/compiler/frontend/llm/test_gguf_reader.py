"""Properties of GGUF files: metadata, unsupported models, contradictions."""

import re

import gguf
import numpy as np
import pytest

from support.language_models import (
    BYTE_LEVEL,
    SENTENCEPIECE,
    SHAPES,
    random_tensors,
    vocabulary,
    write_gguf,
)
from support.language_models.gguf_files import neighbouring
from support.seeds import seed
from weft_host.compiler.frontend.llm import UnsupportedModelError, read_language_model
from weft_host.compiler.verdict import ModelError, UnsupportedError


def write(path, name="llama", kind=SENTENCEPIECE, change=None, **more):
    """Write a random model; ``change`` alters its canonical tensors."""
    words = vocabulary(kind)
    tensors = random_tensors(SHAPES[name], len(words.tokens), np.random.default_rng(seed(61)))
    if change:
        change(tensors)
    write_gguf(path, SHAPES[name], tensors, words, **more)
    return tensors


@pytest.fixture
def path(tmp_path):
    return tmp_path / "m.gguf"


def message(path, error=ModelError):
    with pytest.raises(error) as caught:
        read_language_model(path)
    return str(caught.value)


def test_queries_and_keys_of_llama_are_permuted_and_others_are_not(path):
    for name, permuted in (("llama_attention_bias", True), ("qwen2", False)):
        tensors = write(path, name, BYTE_LEVEL)
        layer = read_language_model(path).weights.layers[1]
        for role, heads in (("q", 4), ("k", 2)):
            for suffix, tensor in (("", getattr(layer, role).weight),
                                   (".bias", getattr(layer, role).bias)):
                stored = tensors[f"1.{role}{suffix}"]
                expected = neighbouring(stored, heads) if permuted else stored
                assert (tensor.values() == expected).all()
        assert (layer.v.weight.values() == tensors["1.v"]).all()


def test_everything_unsupported_is_in_one_list(path):
    write(path, extra=[
        ("add_rope_scaling_type", gguf.RopeScalingType.YARN), ("add_expert_count", 8),
        ("add_sliding_window", 16), ("add_causal_attention", False), ("add_value_length", 4),
        ("add_logit_scale", 0.5),
        ("add_tensor", "blk.0.ffn_gate_exps.weight", np.zeros((2, 4), np.float32)),
        ("add_tensor", "blk.1.ffn_gate_exps.weight", np.zeros((2, 4), np.float32)),
        ("add_tensor", "blk.1.attn_sinks", np.zeros((2, 32), np.float64))])
    with pytest.raises(UnsupportedModelError) as caught:
        read_language_model(path)
    assert str(caught.value) == "\n  ".join([
        f"{path} has 9 unsupported properties; it was not read:",
        "llama.rope.scaling.type: 'yarn'; supported are 'none', 'linear', and divisors of the "
        "frequencies in 'rope_freqs.weight'",
        "llama.expert_count: a mixture of experts is not supported",
        "llama.attention.sliding_window: attention over a window of positions is not supported",
        "llama.logit_scale: a scale of the logits is not supported",
        "llama.attention.causal: must be true",
        "elements of F64: tensor 'blk.1.attn_sinks'; supported are F32, F16, BF16, Q8_0, Q4_0, "
        "Q4_1, Q5_0, Q5_1, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K",
        "llama.attention.value_length: differs from the size of a key, 8",
        "tensor 'blk.0.ffn_gate_exps.weight': the architecture 'llama' has no such tensor (2 of "
        "this kind)",
        "tensor 'blk.1.attn_sinks': the architecture 'llama' has no such tensor"])
    assert isinstance(caught.value, UnsupportedError) and len(caught.value.verdicts) == 9
    assert caught.value.verdicts[1].operator == "llama.expert_count"
    assert {v.where for v in caught.value.verdicts} == {"unsupported"}


@pytest.mark.parametrize("scaling", ["yarn", "longrope"])
def test_other_scalings_of_the_rotation_are_refused_by_name(path, scaling):
    write(path, extra=[("add_rope_scaling_type", gguf.RopeScalingType(scaling))])
    assert f"llama.rope.scaling.type: '{scaling}'; supported are" in message(
        path, UnsupportedModelError)


def test_another_architecture_is_refused_by_name(path):
    writer = gguf.GGUFWriter(path, "gemma3")
    writer.add_tensor("token_embd.weight", np.zeros((4, 4), np.float64))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    assert message(path, UnsupportedModelError) == "\n".join([
        f"{path} has 2 unsupported properties; it was not read:",
        "  general.architecture: 'gemma3'; supported are llama, qwen2, qwen3, gpt2",
        "  elements of F64: tensor 'token_embd.weight'; supported are F32, F16, BF16, Q8_0, Q4_0, "
        "Q4_1, Q5_0, Q5_1, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K"])


def test_a_part_of_a_divided_model_is_refused(path):
    write(path, extra=[("add_uint16", "split.count", 3)])
    assert "split.count: the model is split over several files; join them" in message(
        path, UnsupportedModelError)


def test_a_long_list_is_cut_in_the_message_but_not_in_the_verdicts(path):
    names = [chr(ord("a") + i // 26) + chr(ord("a") + i % 26) for i in range(60)]
    write(path, extra=[("add_tensor", name, np.zeros((2, 2), np.float32)) for name in names])
    with pytest.raises(UnsupportedModelError, match=r"\n  and 10 more$") as caught:
        read_language_model(path)
    assert len(caught.value.verdicts) == 60


@pytest.mark.parametrize("extra, scale", [
    ([("add_rope_scaling_type", gguf.RopeScalingType.NONE), ("add_rope_scaling_factor", 2.0)], 1),
    ([("add_rope_scaling_factor", 2.0)], 2),
    ([("add_float32", "llama.rope.scale_linear", 8.0)], 8),
    ([("add_rope_scaling_factor", 0.0)], 1)])
def test_linear_scaling_in_its_forms(path, extra, scale):
    write(path, extra=extra)
    rope = read_language_model(path).architecture.rope
    assert rope.scale == scale and rope.frequencies()[0] == 1 / scale


def test_a_rotation_of_a_part_of_a_head(path):
    write(path, extra=[("add_rope_dimension_count", 4)])
    assert read_language_model(path).architecture.rope.frequencies().shape == (2,)


def test_a_number_of_heads_for_each_layer(path):
    write(path, extra=[("add_head_count_kv", [2, 2])])
    assert read_language_model(path).architecture.kv_heads == 2
    write(path, extra=[("add_head_count_kv", [2, 1])])
    assert message(path) == (
        f"{path} is damaged: 'llama.attention.head_count_kv' is array([2, 1], dtype=int32) instead "
        "of a number from 1 to 16777216; obtain the file again")


def drop(*names):
    return lambda tensors: [tensors.pop(name) for name in names]


@pytest.mark.parametrize("change, problem", [
    (drop("1.up"), "tensor 'blk.1.ffn_up.weight' is missing"),
    (drop("embedding"), "tensor 'token_embd.weight' is missing"),
    (drop("final_norm"), "tensor 'output_norm.weight' is missing"),
    (lambda t: t.update({"0.down": np.zeros((32, 45), np.float32)}),
     "tensor 'blk.0.ffn_down.weight' has the shape (32, 45), but the sizes of the model require "
     "(32, 44)"),
    (lambda t: t.update({"1.up.bias": np.zeros(44, np.float32)}),
     "layer 0 has biases of [], another layer of ['up']")])
def test_tensors_that_contradict_the_sizes_are_refused(path, change, problem):
    write(path, change=change)
    assert message(path) == f"{path} is damaged: {problem}; obtain the file again"


def test_a_file_without_tensors_is_refused(path):
    writer = gguf.GGUFWriter(path, "llama")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    assert message(path) == f"{path} is damaged: it has no tensors; obtain the file again"


@pytest.mark.parametrize("extra, problem", [
    ([("add_rope_dimension_count", 3)], "3 elements of a head are rotated, which is not an even "
     "number"),
    ([("add_rope_dimension_count", 16)], "'llama.rope.dimension_count' is 16 instead of a number "
     "from 2 to 8"),
    ([("add_rope_scaling_factor", float("nan"))], "'llama.rope.scaling.factor' is nan instead of "
     "a number from 0 to 1e+06"),
    ([("add_tensor", "rope_freqs.weight", np.float32([1, 2]))], "'rope_freqs.weight' has the shape "
     "(2,) instead of (4,)"),
    ([("add_tensor", "rope_freqs.weight", np.float32([1, 2, 0, 1]))], "'rope_freqs.weight' has a "
     "divisor below 1e-6"),
    ([("add_key_length", 0)], "'llama.attention.key_length' is 0 instead of a number from 1 to "
     "16777216")])
def test_metadata_out_of_range_is_refused(path, extra, problem):
    write(path, extra=extra)
    assert message(path) == f"{path} is damaged: {problem}; obtain the file again"


def test_the_vocabulary_holds_the_laws_and_the_template(path):
    write(path, extra=[("add_add_bos_token", False), ("add_eot_token_id", 7),
                       ("add_chat_template", "{{ x }}"), ("add_pad_token_id", 3)])
    v = read_language_model(path).vocabulary
    assert (v.kind, v.add_bos, v.add_eos, v.chat_template) == (
        "sentencepiece", False, False, "{{ x }}")
    assert (v.bos_id, v.eos_id, v.padding_id, v.unknown_id) == (1, 2, 3, None)
    assert v.end_ids == {2, 7} and v.space_prefix == "sections" and v.unsupported == ()
    write(path, "gpt2", BYTE_LEVEL)
    v = read_language_model(path).vocabulary
    assert (v.kind, v.pre_tokenizer, v.add_bos, v.space_prefix) == (
        "byte_level", "gpt-2", False, "none")
    assert v.end_ids == {0, 2}          # <|endoftext|> and <|im_end|>


@pytest.mark.parametrize("extra, problem", [
    ([("add_eos_token_id", 10**6)], r"'tokenizer.ggml.eos_token_id' is 1000000 instead of a number "
     r"from 0 to \d+"),
    ([("add_token_scores", [0.0, 1.0])], r"'tokenizer.ggml.scores' is array\(\[0., 1.\], "
     r"dtype=float32\) instead of an array of \d+ numbers"),
    ([("add_token_types", [9] * 10**3)], r"'tokenizer.ggml.token_type' is array\(.*\) instead of "
     r"an array of \d+ integers"),
    ([("add_token_types", [1] * 5 + [-3] + [1] * (len(vocabulary(SENTENCEPIECE).tokens) - 6))],
     "a text token has the unknown type -3"),
    ([("add_token_scores", [0.0, np.inf] + [0.0] * (len(vocabulary(SENTENCEPIECE).tokens) - 2))],
     "text token 1 has a score that is not finite"),
    ([("add_token_list", ["x"] * 999)], r"it has 999 text tokens, but the embedding has \d+ rows")
])
def test_a_vocabulary_that_contradicts_itself_is_refused(path, extra, problem):
    write(path, extra=extra)
    assert re.fullmatch(re.escape(f"{path} is damaged: ") + problem + "; obtain the file again",
                        message(path), re.DOTALL)


@pytest.mark.parametrize("extra, name, reason", [
    ([("add_tokenizer_model", "bert")], "tokenizer.ggml.model", "'bert'; supported are llama, "),
    ([("add_tokenizer_pre", "poro")], "tokenizer.ggml.pre", "pre-tokenizer 'poro'; supported are "
     "gpt-2, phi-2, ")])
def test_a_vocabulary_of_an_unknown_law_leaves_the_weights_readable(path, extra, name, reason):
    write(path, "gpt2", BYTE_LEVEL, extra=extra)
    (found, text), = read_language_model(path).vocabulary.unsupported
    assert found == name and text.startswith(reason)
