"""Explanation of a step: sums of layers and kinds, limits, and effects of changes."""

import dataclasses
import json

import numpy as np
import pytest

from support.language_models import random_file
from weft.spec import isa
from weft.spec.presets import preset
from weft_host import LanguageModel, ProgramError
from weft_host.perf.step_explanation import (
    completion_cycles,
    explain_step,
    predict_step,
    step_changes,
)
from weft_host.perf.step_work import Work, step_work

KINDS = {"embedding", "norms", "projections", "rotation", "cache", "attention scores",
         "attention softmax", "attention values", "feed-forward", "head"}


@pytest.fixture(scope="module")
def step(tmp_path_factory):
    running = LanguageModel(random_file(tmp_path_factory.mktemp("model"), "qwen3"),
                            preset("small", fixed_point=True), context=20)
    return running.program, running.step_values(0, 19)


def test_groups_add_up_to_the_step(step):
    program, values = step
    cycles = [index % 7 for index in range(program.instruction_count)]
    found = explain_step(program, values, cycles)
    total = Work.total(step_work(program, values))
    assert found.total.work == total and found.total.cycles == sum(cycles)
    for groups in (found.groups, found.layers, found.kinds):
        assert Work.total(group.work for group in groups) == total
        assert sum(group.cycles for group in groups) == sum(cycles)
    assert {group.kind for group in found.kinds} == KINDS
    assert [group.layer for group in found.layers] == ["embedding", "layer 0", "layer 1", "head"]
    assert found.layers[1].work == found.layers[2].work
    assert found.total.ideal == (total.weight_bytes + total.cache_bytes) / 8
    assert explain_step(program, values, cycles, bandwidth=0.5).total.ideal == \
        2 * found.total.ideal
    assert json.loads(json.dumps(found.as_dict()))["total"]["layer"] == "all"


def test_the_limit_is_the_unit_whose_instructions_have_most_cycles(step):
    program, values = step
    units = [isa.UNITS[isa.decode(program.instruction(index))[0].unit]
             for index in range(program.instruction_count)]
    for name in ("LOAD", "MATMUL", "VECTOR", "STORE"):
        cycles = [5 if unit == name else 1 for unit in units]
        alone = [5 if unit == name else 0 for unit in units]
        found = explain_step(program, values, alone)
        assert found.total.limit == name
        for group, weighed in zip(found.groups, explain_step(program, values, cycles).groups):
            assert group.limit == name or not group.cycles
            assert weighed.cycles == group.work.instructions + 4 * group.cycles / 5


def test_a_number_of_cycles_is_needed_for_each_instruction(step):
    program, values = step
    with pytest.raises(ValueError, match=f"^3 numbers of cycles for {program.instruction_count} "):
        explain_step(program, values, [1, 2, 3])


def test_cycles_of_an_instruction_begin_when_the_one_before_is_done():
    times = np.zeros((3, 5), np.int64)
    times[2] = [10, 50, 30, 30, 51]
    assert completion_cycles(times) == [10, 20, 20, 0, 1]
    assert completion_cycles(np.zeros((3, 0), np.int64)) == []


def test_a_prediction_has_a_time_for_each_instruction(step):
    program, values = step
    found = predict_step(program, values)
    cycles = completion_cycles(found.times)
    assert len(cycles) == program.instruction_count and min(cycles) >= 0
    assert 0 < found.cycles - sum(cycles) < 20
    assert predict_step(program, values, bandwidth=0.25).cycles > found.cycles


def test_changes_that_help_are_predicted(step):
    program, values = step
    cycles = predict_step(program, values, bandwidth=0.1).cycles
    found = step_changes(program, values, cycles, bandwidth=0.1)
    assert {change.what for change in found} == {
        "host memory twice as wide", "two lines of a tile per cycle", "queues twice as deep",
        "host memory twice as wide, and two lines of a tile per cycle", "vector lanes doubled"}
    assert [change.cycles for change in found] == sorted(change.cycles for change in found)
    for change in found:
        assert change.saved == pytest.approx(1 - change.cycles / cycles)
    # at a fraction of the bandwidth, only the memory matters
    assert found[0].what.startswith("host memory twice as wide") and 0.3 < found[0].saved < 0.55


def test_a_change_that_no_configuration_allows_is_left_out(tmp_path):
    config = dataclasses.replace(preset("wide"), spad_bytes=32768, wgt_bytes=4096,
                                 fixed_point=True, queue_depth=64)
    running = LanguageModel(random_file(tmp_path), config, context=20)
    values = running.step_values(0, 3)
    found = step_changes(running.program, values, 10_000)
    assert [change.what for change in found] == ["host memory twice as wide"]


@pytest.mark.parametrize("meta", [{}, {"parts": [["a", "b"]]}])
def test_a_program_without_labels_is_refused(step, meta):
    program, values = step
    changed = dataclasses.replace(program, meta={**program.meta, **meta} if meta else {})
    with pytest.raises(ProgramError, match="^the program has no names of layers and parts; compile "
                                           "the model again$"):
        explain_step(changed, values, [0] * program.instruction_count)


def test_a_program_with_an_unknown_instruction_is_refused(step):
    program, values = step
    code = program.instructions[:-32] + b"\xfe" + bytes(31)
    damaged = dataclasses.replace(program, instructions=code)
    with pytest.raises(ProgramError, match="^the program is damaged: instruction .* has an unknown "
                                           "opcode; compile the model again$"):
        explain_step(damaged, values, [0] * program.instruction_count)
    with pytest.raises(ProgramError, match="^the program is damaged: instruction .* no instruction "
                                           "has opcode 0xfe; compile the model again$"):
        predict_step(damaged, values)
