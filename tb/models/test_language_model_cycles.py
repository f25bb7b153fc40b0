"""Cycle model against the RTL: steps of language models at several positions."""

import functools
import os

import numpy as np
import pytest

from support.fixed_point_simulators import (
    FOUR_BIT,
    FOUR_BIT_TWO_LINES,
    quick_device,
    small_device,
)
from support.fixed_point_simulators import ONE_LINE as SMALL_CONFIG
from support.language_models import BYTE_LEVEL, Shape, random_tensors, vocabulary, write_gguf
from support.seeds import seed
from support.shared_models import language_model_folder
from weft.spec import isa
from weft.spec.presets import preset
from weft_host.compiler.frontend.llm import read_language_model
from weft_host.compiler.language_model.compile import compile_language_model
from weft_host.device import RtlDevice
from weft_host.perf.cycle_model import predict

BOUND = 0.03
"""Allowed relative error of a step."""

DRIFT = 0.01
"""Usual maximum of the error. A larger one means that hardware and model have diverged."""

CONTEXT = 300           # more than one block of the softmax
MEMORIES = ((20, 1.0), (100, 0.5))
CONFIGS = (("small", 1, 256), ("ulx3s", 2, 512))     # preset, tile_lines, context
if os.environ.get("WEFT_SOAK"):
    MEMORIES += ((20, 0.5), (50, 1.0))
    CONFIGS += (("small", 2, 256), ("ulx3s", 1, 512))
SHAPES = {
    "qwen3": Shape(family="qwen3", dim=16, heads=2, kv_heads=1, head_size=8, layers=2,
                   feed_forward=28, context=CONTEXT),
    "gpt2": Shape(family="gpt2", dim=24, heads=2, kv_heads=2, head_size=12, layers=1,
                  feed_forward=40, context=CONTEXT),
}


def check_steps(device, program, registers, latency, bandwidth, positions):
    """Compare the cycles of the step at each position."""
    errors = {}
    for position in positions:
        steps = registers.values(1, position)
        result, times = device.record(program, steps=steps)
        predicted = predict(program, latency=latency, bandwidth=bandwidth, steps=steps)
        assert predicted.times.shape == times.shape
        errors[position] = predicted.cycles / result.cycles - 1
    print(", ".join(f"position {position}: {100 * error:+.2f} %"
                    for position, error in errors.items()))
    largest = max(abs(error) for error in errors.values())
    assert largest <= BOUND, "above the required accuracy"
    assert largest <= DRIFT, "within the required accuracy, but hardware and model diverge"


@pytest.mark.parametrize("latency, bandwidth", MEMORIES)
@pytest.mark.parametrize("name", SHAPES)
def test_predicts_steps_of_random_models(name, latency, bandwidth, tmp_path):
    shape, rng = SHAPES[name], np.random.default_rng(seed(84))
    words = vocabulary(BYTE_LEVEL)
    write_gguf(tmp_path / "m.gguf", shape, random_tensors(shape, len(words.tokens), rng), words,
               kind="F32", rng=rng)
    program, registers = compile_language_model(
        read_language_model(tmp_path / "m.gguf"), SMALL_CONFIG, CONTEXT)
    with small_device(latency=latency, bandwidth=bandwidth) as device:
        check_steps(device, program, registers, latency, bandwidth, (0, 5, 100, CONTEXT - 1))


@pytest.mark.parametrize("latency, bandwidth", MEMORIES)
@pytest.mark.parametrize("config", [FOUR_BIT, FOUR_BIT_TWO_LINES], ids=lambda config: config.name)
def test_predicts_steps_with_4_bit_weights(config, latency, bandwidth, tmp_path):
    shape = Shape(family="llama", dim=64, heads=4, kv_heads=2, head_size=16, layers=2,
                  feed_forward=96, context=100, tied=False)
    rng, words = np.random.default_rng(seed(85)), vocabulary(BYTE_LEVEL)
    write_gguf(tmp_path / "m.gguf", shape, random_tensors(shape, len(words.tokens), rng), words,
               kind="Q4_1", rng=rng)
    program, registers = compile_language_model(
        read_language_model(tmp_path / "m.gguf"), config, shape.context)
    assert any(isa.decode(program.instruction(index))[0].name == "LOAD_RING_4BIT"
               for index in range(program.instruction_count))
    with quick_device(config, memory_bytes=1 << 20, latency=latency,
                      bandwidth=bandwidth) as device:
        check_steps(device, program, registers, latency, bandwidth, (0, 40, shape.context - 1))


@functools.lru_cache(maxsize=1)
def stories(name, lines, context):
    """Return program and registers of stories260k."""
    folder = language_model_folder("stories260k")
    config = preset(name, fixed_point=True, tile_lines=lines)
    return compile_language_model(read_language_model(folder / "model.gguf"), config, context)


@pytest.mark.parametrize("latency, bandwidth", MEMORIES)
@pytest.mark.parametrize("name, lines, context", CONFIGS)
def test_predicts_steps_of_stories260k(name, lines, context, latency, bandwidth):
    program, registers = stories(name, lines, context)
    with RtlDevice(program.config, memory_bytes=1 << 22, latency=latency,
                   bandwidth=bandwidth) as device:
        check_steps(device, program, registers, latency, bandwidth,
                    (0, 1, 127, context - 1))
