"""Language models on the RTL: every logit equals the emulator's."""

import dataclasses

import numpy as np
import pytest

from support.fixed_point_simulators import ONE_LINE, quick_device
from support.language_models import (
    BYTE_LEVEL,
    SENTENCEPIECE,
    SHAPES,
    Shape,
    random_file,
    random_tensors,
    vocabulary,
    write_gguf,
)
from support.seeds import seed
from weft_host import LanguageModel
from weft_host.perf.cycle_model import predict
from weft_host.perf.language_benchmarks import _attention, measure_decode
from weft_host.perf.step_explanation import completion_cycles, explain_step

MEMORY_BYTES = 1 << 20
MODELS = {
    "llama": Shape(family="llama", dim=24, heads=2, kv_heads=1, head_size=12, layers=1,
                   feed_forward=20, tied=False),
    "qwen3": Shape(family="qwen3", dim=16, heads=4, kv_heads=2, head_size=8, layers=2,
                   feed_forward=28),
    "gpt2": SHAPES["gpt2_narrow"],
}


@pytest.fixture(scope="module")
def device():
    with quick_device(ONE_LINE, memory_bytes=MEMORY_BYTES, stalls="both", seed=seed()) as found:
        yield found


@pytest.mark.parametrize("kind", ["F32", "Q4_1"])
@pytest.mark.parametrize("name", MODELS)
def test_logits_equal_those_of_the_emulator(device, name, kind, tmp_path):
    shape = MODELS[name]
    rng = np.random.default_rng(seed(80))
    words = vocabulary(SENTENCEPIECE if shape.family == "llama" else BYTE_LEVEL)
    write_gguf(tmp_path / "m.gguf", shape, random_tensors(shape, len(words.tokens), rng), words,
               kind=kind, rng=rng)
    expected = LanguageModel(tmp_path / "m.gguf", ONE_LINE, context=16)
    found = LanguageModel(tmp_path / "m.gguf", device, context=16)
    for token in rng.integers(len(words.tokens), size=3).tolist():
        assert (expected.step(token) == found.step(token)).all()
    assert len(found.cycles) == 3 and min(found.cycles) > 1000
    # the cache, too
    window = found.program.windows[1]
    assert bytes(found.device.read_memory(window.offset, window.size)) == bytes(
        expected.device.read_memory(window.offset, window.size))


def test_the_time_of_a_step_depends_on_its_position_only(device, tmp_path):
    """A step with an empty cache takes as long as one behind a text, up to the random stalls."""
    path = random_file(tmp_path, MODELS["qwen3"])
    running = LanguageModel(path, device, context=16)
    for token in range(15):
        running.step(token)
    real = running._run(running.step_values(7, 15))
    found = running.timing_step(15)
    assert found["CYCLES"] == pytest.approx(real["CYCLES"], rel=0.05)
    for name in ("BYTES_READ", "BYTES_WRITTEN", "INSTRUCTIONS", "MAC_BUSY"):
        assert found[name] == real[name]
    assert running.timing_step(0)["CYCLES"] < found["CYCLES"]


def test_recorded_cycles_of_instructions_add_up_to_the_step(device, tmp_path):
    running = LanguageModel(random_file(tmp_path, dataclasses.replace(
        MODELS["llama"], context=300)), device, context=300)
    values = running.step_values(0, 2)
    counters, times = device.recorded(running.program, lambda: running.timing_step(2), values)
    cycles = completion_cycles(times)
    assert len(cycles) == running.program.instruction_count and min(cycles) >= 0
    assert 0 <= counters["CYCLES"] - sum(cycles) < 20
    found = explain_step(running.program, values, cycles)
    assert found.total.cycles == sum(cycles) and found.total.work.skipped > 0
    assert found.total.work.read_bytes == counters["BYTES_READ"]
    assert found.total.work.written_bytes == counters["BYTES_WRITTEN"]


def test_decode_is_measured_in_cycles_and_bytes(device, tmp_path):
    running = LanguageModel(random_file(tmp_path, MODELS["llama"]), device, context=16)
    found, attention = measure_decode(running)
    assert found.ideal_bytes == running.sizes.weights + 2 * 16 * 12
    assert found.bytes_read > found.ideal_bytes and found.cycles > found.bytes_read / 4
    assert found.ratio == found.cycles / (found.ideal_bytes / 4)
    assert attention.ideal_bytes == 2 * 16 * 12 * running.sizes.layers
    assert attention.ideal_bytes < attention.bytes_read < found.bytes_read
    assert attention.bytes_read / 4 < attention.cycles < found.cycles
    # the cycle model has the same parts
    values = running.step_values(0, 15)
    predicted = _attention(running.program, values, predict(
        running.program, steps=values).times[-1], attention.ideal_bytes)
    assert predicted.bytes_read == attention.bytes_read
