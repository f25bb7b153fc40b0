"""The same random model from a GGUF file and from a folder, for every family and layout."""

import dataclasses

import numpy as np
import pytest

from golden.language_model.forward import forward
from support.language_models import (
    BYTE_LEVEL,
    SENTENCEPIECE,
    SHAPES,
    golden_model,
    model_of_file,
    random_tensors,
    vocabulary,
    write_folder,
    write_gguf,
)
from support.language_models.gguf_files import QUANTISED
from support.seeds import seed
from weft_host.compiler.frontend.llm import read_language_model
from weft_host.compiler.verdict import ModelError

BOUND = 1e-6    # of a logit; eps and divisors are float32 in GGUF files


def draw(name):
    """Return shape, canonical tensors, vocabulary and ids of a random model."""
    rng = np.random.default_rng(seed(51))
    shape = SHAPES[name]
    words = vocabulary(SENTENCEPIECE if shape.family == "llama" else BYTE_LEVEL)
    tensors = random_tensors(shape, len(words.tokens), rng)
    return shape, tensors, words, rng.integers(0, len(words.tokens), 12).tolist()


@pytest.mark.parametrize("name", SHAPES)
def test_both_formats_give_the_forward_pass_of_the_weights(name, tmp_path):
    shape, tensors, words, ids = draw(name)
    write_gguf(tmp_path / "m.gguf", shape, tensors, words)
    write_folder(tmp_path / "m", shape, tensors, words)
    from_gguf, from_folder = map(read_language_model, (tmp_path / "m.gguf", tmp_path / "m"))
    expected = forward(golden_model(shape, tensors), ids)
    for found in (from_gguf, from_folder):
        assert np.abs(forward(model_of_file(found), ids) - expected).max() < BOUND
    if from_gguf.architecture.rope is not None:
        pairs = from_gguf.architecture.rope.pairs, from_folder.architecture.rope.pairs
        assert pairs == ("neighbours" if shape.family == "llama" else "halves", "halves")
        assert np.allclose(from_gguf.architecture.rope.frequencies(), shape.frequencies(),
                           rtol=1e-6, atol=0)
        assert np.allclose(from_folder.architecture.rope.frequencies(), shape.frequencies(),
                           rtol=1e-12, atol=0)
    same = [dataclasses.replace(f.architecture, rope=None, eps=0) for f in (from_gguf, from_folder)]
    assert same[0] == same[1]


@pytest.mark.parametrize("name", SHAPES)
def test_the_architecture_is_that_of_the_shape(name, tmp_path):
    shape, tensors, words, _ = draw(name)
    write_gguf(tmp_path / "m.gguf", shape, tensors, words)
    a = read_language_model(tmp_path / "m.gguf").architecture
    assert (a.family, a.dim, a.layers, a.heads, a.kv_heads, a.head_size, a.feed_forward) == (
        shape.family, shape.dim, shape.layers, shape.heads, shape.kv_heads, shape.head_size,
        shape.feed_forward)
    assert (a.vocabulary, a.context, a.tied_head) == (len(words.tokens), shape.context, shape.tied)
    assert a.biases == tuple(
        role for role in ("q", "k", "v", "output", "gate", "up", "down") if role in shape.biases)
    gpt2 = shape.family == "gpt2"
    assert (a.norm, a.activation, a.gated) == (
        ("layer", "gelu_tanh", False) if gpt2 else ("rms", "silu", True))
    assert a.eps == pytest.approx(1e-5) and a.learned_positions is gpt2
    assert a.normalised_qk is (shape.family == "qwen3")
    assert a.rope is None if gpt2 else a.rope.base == shape.rope_base


@pytest.mark.parametrize("name", ["llama", "gpt2", "qwen3_untied"])
def test_every_tensor_is_listed_once(name, tmp_path):
    shape, tensors, words, _ = draw(name)
    write_folder(tmp_path / "m", shape, tensors, words)
    model = read_language_model(tmp_path / "m")
    listed = list(model.tensors())
    assert sum(tensor.values().size for tensor in listed) == sum(t.size for t in tensors.values())
    assert (model.weights.head.weight is model.weights.embedding) is shape.tied


@pytest.mark.parametrize("kind", ["F16", "BF16"])
@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_half_precision_is_equal_in_both_formats(kind, name, tmp_path):
    shape, tensors, words, ids = draw(name)
    if kind == "BF16":      # vectors stay F32 in GGUF; make all values exact
        tensors = {key: (t.view(np.uint32) >> 16 << 16).view(np.float32)
                   for key, t in tensors.items()}
    else:
        tensors = {key: t.astype(np.float16).astype(np.float32) for key, t in tensors.items()}
    write_gguf(tmp_path / "m.gguf", shape, tensors, words, kind=kind)
    write_folder(tmp_path / "m", shape, tensors, words, kind=kind, files=3)
    expected = forward(golden_model(shape, tensors), ids)
    for path in ("m.gguf", "m"):
        found = read_language_model(tmp_path / path)
        assert found.weights.embedding.kind == kind
        assert np.abs(forward(model_of_file(found), ids) - expected).max() < BOUND


@pytest.mark.parametrize("kind", QUANTISED)
@pytest.mark.parametrize("name", ["llama", "qwen2", "qwen3", "gpt2"])
def test_every_type_is_read_in_every_family(kind, name, tmp_path):
    size = 256 if kind.endswith("_K") else 32
    shape = dataclasses.replace(SHAPES[name], dim=size, feed_forward=size * 3, layers=1,
                                head_size=size // 4)
    words = vocabulary(BYTE_LEVEL)
    rng = np.random.default_rng(seed(52))
    tensors = random_tensors(shape, len(words.tokens), rng)
    write_gguf(tmp_path / "m.gguf", shape, tensors, words, kind=kind, rng=rng)
    model = read_language_model(tmp_path / "m.gguf")
    layer = model.weights.layers[0]
    kinds = {part.weight.kind for part in (layer.q, layer.k, layer.v, layer.output, layer.up,
                                           layer.down)}
    assert kinds == {kind} and layer.attention_norm.weight.kind == "F32"
    assert layer.q.weight.has_codes is (kind in ("Q4_0", "Q4_1"))
    assert layer.q.weight.shape == layer.q.weight.values().shape == (
        shape.heads * shape.head_size, size)
    assert np.isfinite(forward(model_of_file(model), [1, 2, 3])).all()


@pytest.mark.parametrize("path, reason", [
    ("none.gguf", "No such file or directory"), ("\0", "embedded null byte"),
    ("/dev/null", "it is not a regular file")])
def test_a_path_that_is_no_file_is_refused(path, reason):
    with pytest.raises(ModelError) as error:
        read_language_model(path)
    assert str(error.value) == f"{path} cannot be read: {reason}"


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "m.gguf").touch()
    with pytest.raises(ModelError, match="m.gguf is truncated: it has 0 bytes, and the smallest "
                       "such file has 24; obtain the file again$"):
        read_language_model(tmp_path / "m.gguf")
