"""Benchmarks of language models: figures from counters, and from the cycle model."""

import dataclasses

import numpy as np
import pytest

from support.language_models import random_file
from weft.spec import isa
from weft_host import InputError, LanguageModel
from weft_host.errors import ProgramError
from weft_host.language import open_language_model
from weft_host.perf import language_benchmarks
from weft_host.perf.language_benchmarks import measure_decode, predict_decode
from weft_host.perf.step_work import Work, step_work
from weft_host.program.labels import instruction_labels

CONTEXT = 20


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return random_file(tmp_path_factory.mktemp("model"))


def test_a_device_that_does_not_record_is_refused(path):
    with pytest.raises(InputError, match="only the simulated RTL records"):
        measure_decode(LanguageModel(path, context=CONTEXT))


def test_a_cycle_model_predicts_with_the_contents_of_the_step_registers(path, monkeypatch):
    source = open_language_model(path)
    running = LanguageModel(source, context=CONTEXT)
    program, data = source.compiled(running.program.config, CONTEXT)
    asked = {}

    def predict_step(program, steps, *, latency, bandwidth, progress):
        asked.update(steps=steps, latency=latency, bandwidth=bandwidth)
        # each instruction is done 10 cycles behind the one before
        return type("Prediction", (), {
            "cycles": 6000, "times": 10 * np.arange(program.instruction_count)[None]})

    monkeypatch.setattr(language_benchmarks, "predict_step", predict_step)
    found, attention = predict_decode(program, data, latency=5, bandwidth=0.5)
    values = running.step_values(0, CONTEXT - 1)
    assert asked == {"steps": values, "latency": 5, "bandwidth": 0.5}
    assert (found.cycles, found.bytes_read) == (
        6000, Work.total(step_work(program, values)).read_bytes)
    labels = instruction_labels(program)
    parts = [label.part for label in labels]
    first, last = 0, 0
    for layer in {label.layer for label in labels}:
        inside = [index for index, label in enumerate(labels) if label.layer == layer
                  and label.part.startswith("attention")]
        first += max((index for index in inside if parts[index] == "attention scores"
                      and isa.decode(program.instruction(index))[0].name == "COMPUTE"), default=0)
        last += max(inside, default=0)
    assert attention.cycles == 10 * (last - first) > 0
    assert attention.ideal_bytes == data.sizes.cache_bytes(CONTEXT)


def test_a_damaged_program_is_refused(path):
    program, data = open_language_model(path).compiled(
        LanguageModel(path, context=CONTEXT).program.config, CONTEXT)
    damaged = bytearray(program.instructions)
    damaged[10 * isa.INSTRUCTION_BYTES] = 0x27
    with pytest.raises(ProgramError, match="is damaged: instruction 10: no instruction has"):
        predict_decode(dataclasses.replace(program, instructions=bytes(damaged)), data)


def test_a_program_without_labels_is_refused(path):
    program, data = open_language_model(path).compiled(
        LanguageModel(path, context=CONTEXT).program.config, CONTEXT)
    bare = dataclasses.replace(program, meta={})
    with pytest.raises(ProgramError, match="does not say which instructions"):
        predict_decode(bare, data)
