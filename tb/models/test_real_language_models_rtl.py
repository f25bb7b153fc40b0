"""Real language models on the RTL: every logit and every byte of the cache equal the emulator's."""

import os

import pytest

from support.shared_models import language_model_folder, smollm2_file
from weft.spec.presets import preset
from weft_host import LanguageModel
from weft_host.device import EmulatorDevice, RtlDevice
from weft_host.language import DeviceFactory

SOAK = bool(os.environ.get("WEFT_SOAK"))
# rows unlike columns; in make test, one preset and few text tokens
CONFIGS = [preset("small", fixed_point=True, tile_lines=2),
           preset("ulx3s", fixed_point=True, tile_lines=2),
           preset("wide", fixed_point=True, spad_bytes=65536)]
TOKENS = 64 if SOAK else 3


def compare(path, config, prompt, count, context, limit=None):
    """Generate ``count`` text tokens behind a prompt on both devices; return their ids."""
    devices = []

    def rtl(size):
        devices.append(RtlDevice(config, memory_bytes=size))
        return devices[0]

    expected = LanguageModel(path, DeviceFactory(
        config, lambda size: EmulatorDevice(config, memory_bytes=size)), context=context)
    found = LanguageModel(path, DeviceFactory(config, rtl), context=context)
    ids = expected.prompt_ids(prompt)[:limit]
    chosen = []
    for number in range(len(ids) + count):
        token = ids[number] if number < len(ids) else chosen[-1]
        want, have = expected.step(token), found.step(token)
        assert (have == want).all(), f"text token {number} of {config.name}"
        if number >= len(ids) - 1:
            chosen.append(int(want.argmax()))
    window = found.program.windows[1]
    for first in range(0, window.size, 1 << 20):
        size = min(1 << 20, window.size - first)
        assert bytes(found.device.read_memory(window.offset + first, size)) == bytes(
            expected.device.read_memory(window.offset + first, size))
    devices[0].close()
    return chosen


@pytest.mark.parametrize("config", CONFIGS if SOAK else CONFIGS[:1],
                         ids=lambda config: config.name)
def test_stories260k_equals_the_emulator(config):
    path = language_model_folder("stories260k") / "model.gguf"
    assert len(compare(path, config, "Once upon a time", TOKENS, 512)) == TOKENS + 1


@pytest.mark.skipif(not SOAK, reason="takes minutes: make soak runs it")
def test_a_text_beyond_the_first_block_equals_the_emulator():
    path = language_model_folder("stories260k") / "model.gguf"
    compare(path, CONFIGS[0], "Once upon a time", 256, 512)


@pytest.mark.skipif(not SOAK, reason="takes minutes: make soak runs it")
def test_smollm2_equals_the_emulator():
    compare(smollm2_file(), CONFIGS[1], "What is the capital of France?", 4, 128, limit=8)
