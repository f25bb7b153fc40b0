"""Programs of language models on the emulator: every logit equals the golden integers."""

import dataclasses

import numpy as np
import pytest

from golden.language_model.integer.forward import forward_integers
from golden.language_model.integer.quantize import integer_model
from support.language_models import (
    BYTE_LEVEL,
    SENTENCEPIECE,
    SHAPES,
    Shape,
    model_of_file,
    random_tensors,
    vocabulary,
    write_folder,
    write_gguf,
)
from support.seeds import seed
from weft.spec.config import Config
from weft_host.compiler.frontend.llm import read_language_model
from weft_host.compiler.language_model.compile import compile_language_model
from weft_host.compiler.verdict import CapacityError, ModelError
from weft_host.language import LanguageModel

SQUARE = Config(name="8 x 8", rows=8, cols=8, spad_bytes=65536, wgt_bytes=4096, fixed_point=True)
WIDE = Config(name="4 x 16", rows=4, cols=16, spad_bytes=65536, wgt_bytes=2048, vector_lanes=16,
              acc_rows=128, fixed_point=True)
TALL = Config(name="32 x 4", rows=32, cols=4, spad_bytes=65536, wgt_bytes=2048, vector_lanes=2,
              acc_rows=64, fixed_point=True)
NARROW = Config(name="4 x 2", rows=4, cols=2, spad_bytes=65536, wgt_bytes=1024, vector_lanes=1,
                acc_rows=128, fixed_point=True)


def written(path, shape, kind="F32"):
    rng = np.random.default_rng(seed(60))
    words = vocabulary(SENTENCEPIECE if shape.family == "llama" else BYTE_LEVEL)
    tensors = random_tensors(shape, len(words.tokens), rng)
    write_gguf(path / "m.gguf", shape, tensors, words, kind=kind, rng=rng)
    return path / "m.gguf"


def assert_equal(path, config, count=5, context=20):
    file = read_language_model(path)
    integers = integer_model(model_of_file(file), context)
    ids = np.random.default_rng(seed(61)).integers(file.architecture.vocabulary, size=count)
    expected = forward_integers(integers, ids.tolist())
    running = LanguageModel(path, config, context=context)
    for position, token in enumerate(ids.tolist()):
        found = running.step(token)
        assert (found == expected[position]).all(), (
            f"{config.name}, position {position}: {(found != expected[position]).sum()} differ")
    assert running.length == count


@pytest.mark.parametrize("name", SHAPES)
def test_every_family_equals_the_golden_integers(name, tmp_path):
    assert_equal(written(tmp_path, SHAPES[name]), SQUARE)


@pytest.mark.parametrize("config", [WIDE, TALL, NARROW], ids=lambda config: config.name)
@pytest.mark.parametrize("name", ["llama_wide_heads", "qwen3_untied", "gpt2_narrow"])
def test_other_arrays_equal_the_golden_integers(name, config, tmp_path):
    assert_equal(written(tmp_path, SHAPES[name]), config, count=3)


@pytest.mark.parametrize("kind", ["Q4_0", "Q4_1", "Q8_0", "Q4_K", "F16"])
@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3"])
def test_types_of_tensors_equal_the_golden_integers(family, kind, tmp_path):
    size = 256 if kind.endswith("_K") else 32
    shape = Shape(family=family, dim=size, heads=4, kv_heads=2, head_size=8, layers=1,
                  feed_forward=size)
    assert_equal(written(tmp_path, shape, kind), SQUARE, count=3)


def test_folder_of_hugging_face_equals_the_golden_integers(tmp_path):
    shape = SHAPES["llama_llama3"]
    words = vocabulary(SENTENCEPIECE)
    tensors = random_tensors(shape, len(words.tokens), np.random.default_rng(seed(62)))
    write_folder(tmp_path / "m", shape, tensors, words)
    assert_equal(tmp_path / "m", SQUARE)


def test_several_blocks_of_the_softmax_equal_the_golden_integers(tmp_path):
    shape = Shape(family="llama", dim=8, heads=2, kv_heads=1, head_size=4, layers=1,
                  feed_forward=12, context=1024)
    assert_equal(written(tmp_path, shape), SQUARE, count=258, context=600)


def test_new_text_does_not_depend_on_the_one_before(tmp_path):
    path = written(tmp_path, SHAPES["llama"])
    running = LanguageModel(path, SQUARE, context=20)
    first = [running.step(token).tolist() for token in (3, 4, 5)]
    for token in (9, 8, 7, 6, 5):
        running.step(token)
    running.reset()
    assert [running.step(token).tolist() for token in (3, 4, 5)] == first


@pytest.mark.parametrize("context, changes, error, message", [
    (0, {}, ModelError, "the context must be from 1 to 64 positions, not 0"),
    (65, {}, ModelError, "the context must be from 1 to 64 positions, not 65"),
    (20, {"spad_bytes": 1024}, CapacityError, "needs more than the 1024 bytes of scratchpad"),
    (20, {"acc_rows": 8}, CapacityError, "more than the 64 step registers on 4 x 2; choose"),
    (20, {"addr_width": 16}, CapacityError, "the 16 address bits of .* reach only 65536"),
    (20, {"fixed_point": False}, CapacityError, "has no fixed-point instructions"),
])
def test_refuses_with_a_sentence(context, changes, error, message, tmp_path):
    config = dataclasses.replace(NARROW, **changes)
    file = read_language_model(written(tmp_path, SHAPES["llama"]))
    with pytest.raises(error, match=message):
        compile_language_model(file, config, context)


def test_a_context_beyond_the_step_registers_is_refused(tmp_path):
    shape = Shape(family="llama", dim=8, heads=2, kv_heads=1, head_size=4, layers=1,
                  feed_forward=12, context=1 << 15)
    with pytest.raises(CapacityError, match="more than the 64 step registers"):
        compile_language_model(read_language_model(written(tmp_path, shape)), SQUARE, 1 << 15)
