"""Language models from files and from programs: equal results, and requests that are refused."""

import dataclasses
import json
import random
import zlib

import pytest

from support.language_models import Shape, random_file
from support.seeds import seed
from weft.spec.presets import preset
from weft_host import CapacityError, InputError, LanguageModel, ModelError, ProgramError, WeftError
from weft_host.device import EmulatorDevice
from weft_host.language import language_config, open_language_model
from weft_host.perf.step_work import Work, step_work
from weft_host.program.file import LANGUAGE_MODEL, Program
from weft_host.register_words import unpack

CONTEXT = 12
WIDE = dataclasses.replace(preset("wide"), spad_bytes=32768, fixed_point=True, name="wide array",
                           wgt_bytes=4096)


def written(folder, name="llama", config="small", context=CONTEXT, kind="F32"):
    """Return the paths of a random model and of its program."""
    path = random_file(folder, name, kind=kind)
    program, _ = open_language_model(path).compiled(language_config(config), context)
    program.save(folder / "p.weft")
    return path, folder / "p.weft"


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    return written(tmp_path_factory.mktemp("model"))


@pytest.mark.parametrize("name, kind, config", [
    ("llama", "Q4_1", "small"), ("qwen3", "F32", "small"), ("gpt2", "folder", "small"),
    ("llama_multi_query", "F32", WIDE)])
def test_a_program_computes_the_logits_and_the_text_of_its_model(name, kind, config, tmp_path):
    path, compiled = written(tmp_path, name, config, kind=kind)
    model = LanguageModel(path, config, context=CONTEXT)
    text = list(model.generate("the", max_tokens=6))
    path.rename(tmp_path / "elsewhere")         # the program does without the model
    running = LanguageModel(compiled)
    assert running.program.config.fingerprint == model.program.config.fingerprint
    assert list(running.generate("the", max_tokens=6)) == text
    for each in (model, running):
        each.reset()
    for token in (3, 9, 200, 7):
        assert (running.step(token) == model.step(token)).all()
    assert running.prompt_ids("the weft") == model.prompt_ids("the weft")
    assert (running.context, running.sizes) == (CONTEXT, model.sizes)


def test_a_program_runs_on_a_device_of_its_configuration_only(paths):
    model, compiled = paths
    device = EmulatorDevice(language_config("small"), memory_bytes=1 << 20)
    assert LanguageModel(compiled, device).device is device
    assert LanguageModel(compiled, "small").program.config.fixed_point
    with pytest.raises(ProgramError, match="^.*p.weft is compiled for small.fixed_point=True.*"
                       ", not for ulx3s.fixed_point=True.*; choose small.*or compile"):
        LanguageModel(compiled, "ulx3s")
    with pytest.raises(ProgramError, match="is compiled for a context of 12 positions, not of 13; "
                                           "leave out --context, or compile"):
        LanguageModel(compiled, context=13)
    assert LanguageModel(compiled, context=CONTEXT).context == CONTEXT


def test_a_source_can_be_opened_once_and_used_several_times(paths):
    for path in paths:
        source = open_language_model(path)
        first, second = LanguageModel(source, context=CONTEXT), LanguageModel(source)
        assert (first.step(5) == second.step(5)).all() and first.source == str(path)


def test_files_of_other_kinds_are_refused(tmp_path):
    (tmp_path / "a").write_bytes(b"This is a text, and not a model.")
    Program(config="small", instructions=b"", memory_bytes=64).save(tmp_path / "b.weft")
    for name, error, message in (
            ("a", ModelError, "is not a GGUF file"), ("c", ModelError, "cannot be read"),
            ("b.weft", ProgramError, "is not the program of a language model")):
        with pytest.raises(error, match=message):
            open_language_model(tmp_path / name)


def test_a_model_that_cannot_fit_is_not_compiled(paths, monkeypatch):
    source = open_language_model(paths[0])
    config = language_config("small")
    least = source.sizes.least_memory(CONTEXT)
    program = source.compiled_for_any_memory(config, CONTEXT, least, "the limit is")
    assert program.memory_bytes > least and program.config is config
    monkeypatch.setattr("weft_host.language.source.compile_language_model", None)
    with pytest.raises(CapacityError, match=f"^weights, embedding and cache of the model need at "
                                            f"least {least} bytes of host memory, but the limit "
                                            f"is {least - 1}$"):
        source.compiled_for_any_memory(config, CONTEXT, least - 1, "the limit is")


def test_a_model_beyond_the_address_range_is_refused_before_its_weights_are_read(
        tmp_path, monkeypatch):
    path = random_file(tmp_path, Shape(family="llama", dim=64, head_size=16, feed_forward=256))
    monkeypatch.setattr("weft_host.compiler.frontend.llm.weight_tensor.WeightTensor.values", None)
    with pytest.raises(CapacityError, match="address bits of small.* reach only 65536"):
        open_language_model(path).compiled(language_config(preset("small", addr_width=16)))


def test_a_timing_step_runs_at_any_position(paths):
    running = LanguageModel(paths[0], context=CONTEXT)
    first = running.step(3)
    counters = running.timing_step(CONTEXT - 1)
    assert running.length == 0 and (running.step(3) == first).all()
    # the traffic of a real step at that position
    for token in range(CONTEXT - 2):
        running.step(token)
    real = running._run(running.step_values(9, CONTEXT - 1))
    assert counters == real
    assert running.timing_step(0)["INSTRUCTIONS"] == running.program.instruction_count
    for position in (-1, CONTEXT):
        with pytest.raises(InputError, match=f"Position {position} is not one of the context"):
            running.timing_step(position)


class Clocked(EmulatorDevice):
    """Emulator with a counter of cycles: 100 for the first start, 110 for the second, and so on."""

    now, length = 0, 90

    def start(self):
        self.length += 10
        self.now += self.length
        super().start()

    def write_register(self, name, value):
        if name == "CONTROL" and unpack("CONTROL", value)["CLEAR_COUNTERS"]:
            self.now = 0
        super().write_register(name, value)

    def counters(self):
        return super().counters() | {"CYCLES": self.now}


def test_cycles_are_those_of_each_step(paths):
    running = LanguageModel(paths[1], Clocked(language_config("small"), memory_bytes=1 << 20))
    running.step(3)
    running.step(4)
    assert running.cycles == [100, 110]
    expected = Work.total(step_work(running.program, running.step_values(4, 1))).read_bytes
    assert running.bytes_read[1] == expected and len(running.bytes_read) == 2
    running.reset()
    running.step(5)
    assert running.cycles == [120] and len(running.bytes_read) == 1
    assert running.timing_step(0)["CYCLES"] == 130 and not running.cycles


def test_damaged_programs_end_with_one_sentence(paths, tmp_path):
    """Headers and data are changed at random; the CRC-32 is right, as in a file made by hand."""
    raw = paths[1].read_bytes()
    size = int.from_bytes(raw[12:16], "little")
    header = raw[24:24 + size]
    data = Program.load(paths[1]).attachments[LANGUAGE_MODEL]
    start = raw.index(data)
    rng = random.Random(seed(92))
    refused = 0
    for _ in range(200):
        text, attached = bytearray(header), bytearray(data)
        for _ in range(rng.randint(1, 3)):
            part = rng.choice((text, attached))
            at = rng.randrange(min(len(part), 3000))
            part[at] = rng.choice(b'0123456789-.,"[]{}:entf' + bytes([part[at] ^ 1]))
        body = raw[:24] + text + raw[24 + size:start] + attached
        (tmp_path / "d.weft").write_bytes(body + zlib.crc32(body).to_bytes(4, "little"))
        try:
            running = LanguageModel(tmp_path / "d.weft")
            running.step(3)
        except WeftError as error:
            refused += 1
            assert str(error) and "\n" not in str(error)[:60]
        except ValueError as error:     # a memory that the configuration cannot address
            raise AssertionError(f"{error!r} of {json.loads(bytes(text))}") from error
    assert refused > 100
