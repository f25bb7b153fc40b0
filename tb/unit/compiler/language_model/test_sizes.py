"""Sizes of language models against figures by hand."""

import numpy as np
import pytest

from support.language_models import SHAPES, Shape, random_file
from weft_host.compiler.frontend.llm import read_language_model
from weft_host.compiler.language_model.sizes import ModelSizes

SMOLLM2 = ModelSizes(dim=576, layers=30, heads=9, kv_heads=3, head_size=64, feed_forward=1536,
                     vocabulary=49152, context=2048, weights=134_479_872, coded_weights=0)


def test_the_least_traffic_of_known_models():
    assert SMOLLM2.ideal_bytes(128) == 134_479_872 + 2 * 128 * 30 * 3 * 64
    assert SMOLLM2.ideal_bytes(128) / 16 == 8_497_152
    stories = ModelSizes(dim=64, layers=5, heads=8, kv_heads=4, head_size=8, feed_forward=172,
                         vocabulary=512, context=512, weights=259_328, coded_weights=0)
    assert stories.ideal_bytes(128) / 16 == 18_768


@pytest.mark.parametrize("name", SHAPES)
def test_sizes_are_those_of_the_file(name, tmp_path):
    shape = SHAPES[name]
    file = read_language_model(random_file(tmp_path, shape))
    sizes = ModelSizes.of(file)
    queries, keys = shape.heads * shape.head_size, shape.kv_heads * shape.head_size
    layer = (shape.dim * (2 * queries + 2 * keys)
             + (3 if shape.gated else 2) * shape.dim * shape.feed_forward)
    vocabulary = file.architecture.vocabulary
    assert sizes.weights == shape.layers * layer + vocabulary * shape.dim
    assert (sizes.layer_weights, sizes.head_weights) == (layer, vocabulary * shape.dim)
    assert sizes.coded_weights == 0 and sizes.context == shape.context
    assert sizes.macs(7) == sizes.weights + 2 * 7 * shape.layers * queries


def test_codes_of_the_file_take_19_bytes_for_32_weights(tmp_path):
    shape = Shape(family="llama", dim=32, heads=4, kv_heads=2, head_size=8, layers=1,
                  feed_forward=44, tied=False)
    sizes = ModelSizes.of(read_language_model(random_file(tmp_path, shape, kind="Q4_1")))
    down = shape.dim * shape.feed_forward           # 44 inputs are no whole blocks: it is F32
    assert sizes.coded_weights == sizes.weights - down
    assert sizes.weight_bytes(codes=True) == down + sizes.coded_weights * 19 // 32
    assert sizes.ideal_bytes(5, codes=True) == sizes.weight_bytes(codes=True) + 2 * 5 * 16


@pytest.mark.parametrize("kind", ["F32", "Q4_0"])
def test_the_least_memory_is_at_most_that_of_a_program(kind, tmp_path):
    from weft_host.compiler.language_model.compile import compile_language_model
    from weft_host.language import language_config
    file = read_language_model(random_file(tmp_path, kind=kind))
    program, _ = compile_language_model(file, language_config("small"), 64)
    least = ModelSizes.of(file).least_memory(64)
    assert 0.3 * program.memory_bytes < least <= program.memory_bytes
    assert np.isfinite(least)
