"""Properties of Hugging Face folders: config, several files, unsupported models."""

import json
import os

import numpy as np
import pytest

from support.language_models import (
    BYTE_LEVEL,
    SENTENCEPIECE,
    SHAPES,
    random_tensors,
    vocabulary,
    write_folder,
)
from support.language_models.hf_folders import save_tensors
from support.seeds import seed
from weft_host.compiler.frontend.llm import UnsupportedModelError, read_language_model
from weft_host.compiler.verdict import ModelError


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "m"


def write(folder, name="llama", kind=SENTENCEPIECE, config=None, **more):
    """Write a random model and change members of its ``config.json``; ``...`` removes one."""
    words = vocabulary(kind)
    tensors = random_tensors(SHAPES[name], len(words.tokens), np.random.default_rng(seed(71)))
    write_folder(folder, SHAPES[name], tensors, words, **more)
    edit(folder / "config.json", config or {})
    return tensors


def edit(path, changes):
    """Change members of the object in a JSON file; ``...`` removes one."""
    value = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({k: v for k, v in value.items() if v is not ...}))


def message(folder, error=ModelError):
    with pytest.raises(error) as caught:
        read_language_model(folder)
    return str(caught.value)


def test_several_files_with_an_index(folder):
    tensors = write(folder, files=3)
    model = read_language_model(folder)
    assert (model.weights.layers[1].down.weight.values() == tensors["1.down"]).all()
    assert {tensor.source for tensor in model.tensors()} == {
        str(folder / f"model-0000{i}-of-00003.safetensors") for i in (1, 2, 3)}


@pytest.mark.parametrize("file", ["../x.safetensors", "/etc/x.safetensors", "x.bin", "",
                                  "a/b.safetensors"])
def test_an_index_may_not_lead_out_of_the_folder(folder, file):
    write(folder, files=2)
    index = folder / "model.safetensors.index.json"
    edit(index, {"weight_map": {"a": file}})
    assert message(folder) == (f"{index} is damaged: it names the file {file!r} instead of a file "
                               "NAME.safetensors in the same folder; obtain it again")


def test_an_index_with_too_many_files_is_refused(folder):
    write(folder, files=2)
    index = folder / "model.safetensors.index.json"
    edit(index, {"weight_map": {str(i): f"{i}.safetensors" for i in range(1025)}})
    assert message(folder) == (f"{index} is damaged: it names 1025 files; at most 1024 are "
                               "accepted")


def test_a_tensor_in_two_files_is_refused(folder):
    write(folder, files=2)
    other = folder / "model-00003-of-00003.safetensors"
    save_tensors(other, {"model.norm.weight": np.zeros(32, np.float32)})
    index = folder / "model.safetensors.index.json"
    names = json.loads(index.read_text())["weight_map"]
    edit(index, {"weight_map": names | {"again": other.name}})
    assert message(folder) == (f"{folder} is damaged: tensor 'model.norm.weight' occurs twice; "
                               "obtain the files again")


def test_missing_files_are_named(folder):
    write(folder)
    os.unlink(folder / "model.safetensors")
    assert message(folder) == (f"{folder} has neither model.safetensors nor "
                               "model.safetensors.index.json; other formats of weights are not "
                               "read")
    os.unlink(folder / "config.json")
    assert message(folder) == (f"{folder / 'config.json'} cannot be read: No such file or "
                               "directory")


def test_large_files_are_refused_before_they_are_read(folder):
    write(folder)
    with open(folder / "config.json", "r+b") as file:
        file.truncate(1 << 40)          # a sparse file
    assert message(folder) == (f"{folder / 'config.json'} has {1 << 40} bytes; at most 1048576 are "
                               "accepted")


def test_a_copy_of_a_tied_head_is_ignored_and_a_missing_head_is_not(folder):
    write(folder, "llama_untied", config={"tie_word_embeddings": True})
    model = read_language_model(folder)
    assert model.architecture.tied_head and model.weights.head.weight is model.weights.embedding
    edit(folder / "config.json", {"tie_word_embeddings": False})
    assert not read_language_model(folder).architecture.tied_head
    write(folder.parent / "n", config={"tie_word_embeddings": ...})
    assert message(folder.parent / "n") == (f"{folder.parent / 'n'} is damaged: tensor "
                                            "'lm_head.weight' is missing; obtain the file again")


def test_everything_unsupported_is_in_one_list(folder):
    write(folder, config={
        "hidden_act": "relu", "rope_scaling": {"rope_type": "yarn", "factor": 2.0},
        "use_sliding_window": True, "layer_types": ["full_attention", "sliding_attention"],
        "quantization_config": {"quant_method": "gptq"}, "final_logit_softcapping": 30.0,
        "mlp_bias": True})
    path = folder / "model.safetensors"
    data = path.read_bytes().replace(b'"model.norm.weight"', b'"model.nose.weight"')
    path.write_bytes(data.replace(b'"F32"', b'"I32"', 1))
    assert message(folder, UnsupportedModelError).splitlines()[:7] == [
        f"{folder} has 7 unsupported properties; it was not read:",
        "  quantization_config: weights quantised by 'gptq'; use float weights or a GGUF file",
        "  final_logit_softcapping: is not supported",
        "  hidden_act: 'relu'; supported is 'silu'",
        "  use_sliding_window: attention over a window of positions is not supported",
        "  layer_types: sliding_attention; supported is 'full_attention'",
        "  rope_scaling.rope_type: 'yarn'; supported are 'default', 'linear' and 'llama3'"]
    assert "elements of I32: tensor '" in message(folder, UnsupportedModelError)


@pytest.mark.parametrize("kind", ["yarn", "longrope", "dynamic", "su"])
@pytest.mark.parametrize("name", ["type", "rope_type"])
def test_other_scalings_of_the_rotation_are_refused_by_name(folder, kind, name):
    write(folder, config={"rope_scaling": {name: kind, "factor": 2.0}})
    assert message(folder, UnsupportedModelError).endswith(
        f"rope_scaling.rope_type: {kind!r}; supported are 'default', 'linear' and 'llama3'")


@pytest.mark.parametrize("config, reason", [
    ({"model_type": "mamba"}, "model_type: 'mamba'; supported are llama, qwen2, qwen3, gpt2"),
    ({"num_experts": 8}, "num_experts: is not supported"),
    ({"is_encoder_decoder": True}, "is_encoder_decoder: only decoders are supported")])
def test_other_models_are_refused_by_name(folder, config, reason):
    write(folder, config=config)
    assert message(folder, UnsupportedModelError) == (
        f"{folder} has 1 unsupported property; it was not read:\n  {reason}")


@pytest.mark.parametrize("config, reason", [
    ({"activation_function": "gelu"}, "activation_function: 'gelu'; supported is 'gelu_new'"),
    ({"scale_attn_weights": False}, "scale_attn_weights: must be true"),
    ({"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx: must be false"),
    ({"add_cross_attention": True}, "add_cross_attention: must be false")])
def test_other_laws_of_gpt2_are_refused_by_name(folder, config, reason):
    write(folder, "gpt2", BYTE_LEVEL, config=config)
    assert message(folder, UnsupportedModelError).endswith(f":\n  {reason}")


def test_base_and_scaling_in_one_object(folder):
    write(folder, config={"rope_theta": ..., "rope_scaling": ..., "rope_parameters": {
        "rope_type": "linear", "factor": 2.0, "rope_theta": 500.0}})
    rope = read_language_model(folder).architecture.rope
    assert (rope.base, rope.scale) == (500.0, 2.0)


def test_defaults_of_absent_members(folder):
    write(folder, "llama_multi_head", config={"num_key_value_heads": ..., "rope_theta": ...,
                                              "rms_norm_eps": ..., "hidden_act": ...})
    a = read_language_model(folder).architecture
    assert (a.kv_heads, a.rope.base, a.eps, a.activation) == (4, 10000.0, 1e-6, "silu")


def test_heads_of_qwen3_have_128_elements_by_default(folder):
    write(folder, "qwen3", BYTE_LEVEL, config={"head_dim": ...})
    assert "but the sizes of the model require (512, 32)" in message(folder)


@pytest.mark.parametrize("config, problem", [
    ({"hidden_size": ...}, "config.json lacks 'hidden_size'; expected was a number from 1 to "
     "16777216"),
    ({"hidden_size": 2**40}, f"config.json: 'hidden_size' is {2**40} instead of a number from 1 to "
     "16777216; obtain the file again"),
    ({"num_hidden_layers": 5000}, "config.json: 'num_hidden_layers' is 5000 instead of a number "
     "from 1 to 4096; obtain the file again"),
    ({"num_attention_heads": 5}, "config.json: 5 heads do not divide a dim of 32; obtain the file "
     "again"),
    ({"num_key_value_heads": 3}, "config.json: 3 heads of keys do not divide 4 heads of queries; "
     "obtain the file again"),
    ({"partial_rotary_factor": 0.4}, "config.json: 3 elements of a head of 8 are rotated, which is "
     "not an even number from 2; obtain the file again"),
    ({"rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 4.0,
                       "high_freq_factor": 4.0}}, "config.json: 'low_freq_factor' 4 is not below "
     "'high_freq_factor' 4; obtain the file again"),
    ({"rope_scaling": {"type": "linear"}}, "config.json lacks 'rope_scaling.factor'; expected was "
     "a number from 0.001 to 1e+06")])
def test_a_config_that_contradicts_itself_is_refused(folder, config, problem):
    write(folder, config=config)
    assert message(folder) == f"{folder}/{problem}"


def test_a_folder_without_a_tokenizer_has_no_vocabulary(folder):
    write(folder)
    os.unlink(folder / "tokenizer.json")
    assert read_language_model(folder).vocabulary is None
