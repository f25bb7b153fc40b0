"""Cycles of the checks of each instruction, against the tables of the hardware."""

import pytest

from weft.control.extent_steps import StepTable
from weft.control.step_resolver import StepResolver
from weft.dma import ring
from weft.spec import isa
from weft.spec.presets import preset
from weft.spec.step_instructions import STEP_BIT
from weft_host.perf.timing.fetch import CHECK_CYCLES
from weft_host.perf.timing.ring import FIRST_LINE

CONFIG = preset("small", fixed_point=True)


@pytest.mark.parametrize("name", list(isa.BY_NAME))
def test_checks_take_the_steps_of_the_table(name):
    instruction = isa.BY_NAME[name]
    base, expected = name, 0
    if instruction.opcode & STEP_BIT:
        base = isa.BY_OPCODE[instruction.opcode & ~STEP_BIT].name
        expected = StepResolver.COPY_CYCLES if "host_addr" in instruction.by_name \
            else StepResolver.COUNT_CYCLES
    steps = [step for step in StepTable(CONFIG).steps if step.instruction == base]
    assert CHECK_CYCLES[name] == expected + max(1, len(steps))


def test_a_tile_is_read_when_its_last_byte_has_been_written():
    assert FIRST_LINE == ring.WRITE_CYCLES + 1
