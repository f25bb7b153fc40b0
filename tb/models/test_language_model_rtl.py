"""Language models on the RTL: every logit equals the emulator's."""

import numpy as np
import pytest

from support.language_models import (
    BYTE_LEVEL,
    SENTENCEPIECE,
    SHAPES,
    Shape,
    random_tensors,
    vocabulary,
    write_gguf,
)
from support.seeds import seed
from weft.spec.config import Config
from weft_host import LanguageModel
from weft_host.device import RtlDevice, rtl_build

CONFIG = Config(name="4 x 8 with fixed point", rows=4, cols=8, spad_bytes=16384, wgt_bytes=1024,
                acc_rows=128, vector_lanes=8, bus_width=32, max_burst=16, fixed_point=True)
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
    flags = rtl_build._FLAGS
    try:        # the simulator runs for seconds only, so the build time dominates
        rtl_build._FLAGS = ("-O1", *(flag for flag in flags if flag != "-O3"))
        with RtlDevice(CONFIG, memory_bytes=MEMORY_BYTES, stalls="both", seed=seed()) as found:
            yield found
    finally:
        rtl_build._FLAGS = flags


@pytest.mark.parametrize("kind", ["F32", "Q4_1"])
@pytest.mark.parametrize("name", MODELS)
def test_logits_equal_those_of_the_emulator(device, name, kind, tmp_path):
    shape = MODELS[name]
    rng = np.random.default_rng(seed(80))
    words = vocabulary(SENTENCEPIECE if shape.family == "llama" else BYTE_LEVEL)
    write_gguf(tmp_path / "m.gguf", shape, random_tensors(shape, len(words.tokens), rng), words,
               kind=kind, rng=rng)
    expected = LanguageModel(tmp_path / "m.gguf", CONFIG, context=16)
    found = LanguageModel(tmp_path / "m.gguf", device, context=16)
    for token in rng.integers(len(words.tokens), size=3).tolist():
        assert (expected.step(token) == found.step(token)).all()
    assert len(found.cycles) == 3 and min(found.cycles) > 1000
    # the cache, too
    window = found.program.windows[1]
    assert bytes(found.device.read_memory(window.offset, window.size)) == bytes(
        expected.device.read_memory(window.offset, window.size))
