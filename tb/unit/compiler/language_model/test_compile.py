"""Programs of language models on the emulator: every logit equals the golden integers."""

import collections
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
from weft.spec import isa
from weft.spec.config import Config
from weft_host.compiler.frontend.llm import read_language_model
from weft_host.compiler.language_model.compile import compile_language_model
from weft_host.compiler.language_model.step_buffers import StepBuffers
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


@pytest.mark.parametrize("config", [SQUARE, WIDE, TALL], ids=lambda config: config.name)
@pytest.mark.parametrize("kind", ["Q4_0", "Q4_1"])
def test_codes_that_the_device_expands_equal_the_golden_integers(kind, config, tmp_path):
    shape = Shape(family="qwen3", dim=64, heads=4, kv_heads=2, head_size=8, layers=1,
                  feed_forward=96, tied=False)
    bus_width = min(64, 8 * config.cols)
    config = dataclasses.replace(config, weights_4bit=True, bus_width=bus_width, max_burst=16)
    path = written(tmp_path, shape, kind)
    assert_equal(path, config, count=3)
    running = LanguageModel(path, config, context=20)
    names = collections.Counter(isa.decode(running.program.instruction(index))[0].name
                                for index in range(running.program.instruction_count))
    # the projections of a layer and the head, of which a large one needs several instructions
    assert names["LOAD_RING_4BIT"] >= 5 and "LOAD_RING" not in names
    whole = LanguageModel(path, dataclasses.replace(config, weights_4bit=False), context=20)
    saved = len(whole.program.image[0][1]) - len(running.program.image[0][1])
    assert saved > 0.2 * len(whole.program.image[0][1])


def test_folder_of_hugging_face_equals_the_golden_integers(tmp_path):
    shape = SHAPES["llama_llama3"]
    words = vocabulary(SENTENCEPIECE)
    tensors = random_tensors(shape, len(words.tokens), np.random.default_rng(seed(62)))
    write_folder(tmp_path / "m", shape, tensors, words)
    assert_equal(tmp_path / "m", SQUARE)


@pytest.mark.parametrize("changes", [{"heads": 34, "kv_heads": 34, "head_size": 16},
                                     {"feed_forward": 1056}], ids=["output", "down"])
def test_sums_that_exceed_an_int32_equal_the_golden_integers(changes, tmp_path):
    """Beyond 514 inputs, a sum of planes is shifted before it is multiplied."""
    shape = Shape(family="llama", dim=32, layers=1, **{"feed_forward": 44} | changes)
    assert_equal(written(tmp_path, shape),
                 dataclasses.replace(SQUARE, spad_bytes=131072), count=3)


def test_several_blocks_of_the_softmax_equal_the_golden_integers(tmp_path):
    shape = Shape(family="llama", dim=8, heads=2, kv_heads=1, head_size=4, layers=1,
                  feed_forward=12, context=1024)
    assert_equal(written(tmp_path, shape), SQUARE, count=258, context=600)


@pytest.mark.parametrize("spad_bytes, acc_rows, together", [
    (16384, 256, 1), (32768, 256, 2), (65536, 256, 4), (65536, 1024, 4)])
def test_heads_are_computed_together_as_far_as_they_fit(spad_bytes, acc_rows, together, tmp_path):
    shape = Shape(family="llama", dim=8, heads=8, kv_heads=4, head_size=4, layers=1,
                  feed_forward=12, context=1024)
    config = dataclasses.replace(SQUARE, spad_bytes=spad_bytes, acc_rows=acc_rows)
    path = written(tmp_path, shape)
    assert StepBuffers(read_language_model(path), config, 1000).attention.together == together
    assert_equal(path, config, count=259, context=1000)


@pytest.mark.parametrize("heads, kv_heads, context, count", [
    (8, 4, 512, 258), (3, 1, 600, 514)], ids=["newest block", "part of an old block"])
def test_blocks_that_exceed_the_accumulators_equal_the_golden_integers(heads, kv_heads, context,
                                                                       count, tmp_path):
    """The keys of a block wait for accumulators, and the last part of a block is smaller."""
    shape = Shape(family="llama", dim=8, heads=heads, kv_heads=kv_heads, head_size=4, layers=1,
                  feed_forward=12, context=1024)
    assert_equal(written(tmp_path, shape), SQUARE, count=count, context=context)


def test_heads_as_long_as_a_block_equal_the_golden_integers(tmp_path):
    """The sums that are kept from the blocks before have as many elements as the head."""
    shape = Shape(family="llama", dim=8, heads=2, kv_heads=1, head_size=256, layers=1,
                  feed_forward=12, context=1024)
    assert_equal(written(tmp_path, shape), dataclasses.replace(SQUARE, spad_bytes=131072),
                 count=285, context=512)


def test_values_of_a_head_that_exceed_the_accumulators_equal_the_golden_integers(tmp_path):
    shape = Shape(family="llama", dim=8, heads=8, kv_heads=1, head_size=96, layers=1,
                  feed_forward=12)
    assert_equal(written(tmp_path, shape),
                 dataclasses.replace(SQUARE, acc_rows=64, spad_bytes=131072), count=3)


def test_values_of_many_heads_exceed_the_largest_count(tmp_path):
    shape = Shape(family="llama", dim=8, heads=32, kv_heads=32, head_size=64, layers=1,
                  feed_forward=12, context=1024)
    config = dataclasses.replace(NARROW, acc_rows=4096, spad_bytes=1 << 20)
    assert_equal(written(tmp_path, shape), config, count=1, context=300)


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
    (64, {"addr_width": 16}, CapacityError, "the 16 address bits of .* reach only 65536"),
    (20, {"fixed_point": False}, CapacityError, "has no fixed-point instructions"),
])
def test_refuses_with_a_sentence(context, changes, error, message, tmp_path):
    config = dataclasses.replace(NARROW, **changes)
    file = read_language_model(written(tmp_path, SHAPES["llama"]))
    with pytest.raises(error, match=message):
        compile_language_model(file, config, context)


def test_too_many_query_heads_for_a_key_are_refused(tmp_path):
    shape = Shape(family="llama", dim=8, heads=6, kv_heads=1, head_size=4, layers=1,
                  feed_forward=12, context=20)
    config = dataclasses.replace(NARROW, acc_rows=16)
    with pytest.raises(CapacityError, match="more than half of the 16 accumulator rows of 4 x 2"):
        compile_language_model(read_language_model(written(tmp_path, shape)), config, 20)


def test_heads_that_exceed_the_weight_buffer_are_refused(tmp_path):
    shape = Shape(family="llama", dim=8, heads=1, kv_heads=1, head_size=40, layers=1,
                  feed_forward=12, context=20)
    config = dataclasses.replace(NARROW, wgt_bytes=64, max_burst=2)
    with pytest.raises(CapacityError, match="heads of 40 elements need more than the 64 bytes of "
                                            "weight buffer of 4 x 2"):
        compile_language_model(read_language_model(written(tmp_path, shape)), config, 20)


def test_a_count_beyond_the_largest_one_is_refused(tmp_path):
    shape = Shape(family="llama", dim=8, heads=1, kv_heads=1, head_size=1024, layers=1,
                  feed_forward=12, context=512)
    config = dataclasses.replace(SQUARE, spad_bytes=1 << 20, wgt_bytes=65536)
    with pytest.raises(CapacityError, match="heads of 1024 elements needs a count of 1024"):
        compile_language_model(read_language_model(written(tmp_path, shape)), config, 300)


def test_a_context_beyond_the_step_registers_is_refused(tmp_path):
    shape = Shape(family="llama", dim=8, heads=2, kv_heads=1, head_size=4, layers=1,
                  feed_forward=12, context=1 << 15)
    with pytest.raises(CapacityError, match="more than the 64 step registers"):
        compile_language_model(read_language_model(written(tmp_path, shape)), SQUARE, 1 << 15)
