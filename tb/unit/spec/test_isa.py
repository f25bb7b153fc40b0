"""Instruction set: encoding, decoding, rejected values, consistency of the table."""

import random
import re

import pytest

from support.seeds import seed
from weft.spec import isa
from weft.spec.presets import preset
from weft.spec.step_instructions import STEP_BIT, STEP_COUNTS

ALL_BITS = (1 << 8 * isa.INSTRUCTION_BYTES) - 1


@pytest.mark.parametrize("instruction", isa.BY_NAME.values(), ids=lambda known: known.name)
def test_decoding_reverses_encoding(instruction):
    draw = random.Random(seed())
    for values in (
            {field.name: field.limits[0] for field in instruction.fields[1:]},
            {field.name: field.limits[1] for field in instruction.fields[1:]},
            {field.name: draw.randint(*field.limits) for field in instruction.fields[1:]}):
        raw = isa.encode(instruction.name, **values)
        assert len(raw) == isa.INSTRUCTION_BYTES
        assert isa.decode(raw) == (instruction, {"opcode": instruction.opcode, **values})


@pytest.mark.parametrize("instruction", isa.BY_NAME.values(), ids=lambda known: known.name)
def test_every_bit_is_reserved_or_belongs_to_one_field(instruction):
    seen = 0
    for field in instruction.fields:
        bits = ((1 << field.width) - 1) << field.offset
        assert not seen & bits, field.name
        seen |= bits
    own = sum(1 << instruction.field(name).offset + instruction.unit
              for name in ("wait", "signal"))
    assert seen | instruction.reserved_mask == ALL_BITS
    assert seen & instruction.reserved_mask == own


@pytest.mark.parametrize("instruction", isa.STEP_INSTRUCTIONS, ids=lambda known: known.name)
def test_a_variant_has_the_fields_of_its_instruction(instruction):
    base = isa.BY_OPCODE[instruction.opcode & ~STEP_BIT]
    assert instruction.name == f"{base.name}_STEP" and base.name in STEP_COUNTS
    assert instruction.unit == base.unit
    places = {field.name: (field.offset, field.width, field.signed) for field in base.fields}
    own = {field.name: (field.offset, field.width, field.signed) for field in instruction.fields}
    added = {"host_step", "count_step"} if "host_addr" in places else set()
    assert own.keys() - places.keys() == added
    assert places.items() <= own.items()
    # the sequencer checks reserved bits after it has cleared the added fields
    bits = sum((1 << own[name][1]) - 1 << own[name][0] for name in added)
    assert instruction.reserved_mask | bits == base.reserved_mask


def test_only_configurations_with_fixed_point_have_its_instructions():
    assert isa.instructions(preset("tiny")) == isa.INSTRUCTIONS
    config = preset("tiny", fixed_point=True)
    assert isa.instructions(config) == isa.INSTRUCTIONS + isa.FIXED_POINT_INSTRUCTIONS
    assert len(isa.BY_OPCODE) == len(isa.BY_NAME)
    four_bit = preset("tiny", fixed_point=True, weights_4bit=True)
    assert isa.instructions(four_bit) == isa.instructions(config) + isa.FOUR_BIT_INSTRUCTIONS
    for instruction in isa.BY_NAME.values():
        assert isa.has_opcode(four_bit, instruction.opcode)
        assert isa.has_opcode(config, instruction.opcode) == (
            instruction not in isa.FOUR_BIT_INSTRUCTIONS)
        assert isa.has_opcode(preset("tiny"), instruction.opcode) == (
            instruction in isa.INSTRUCTIONS)


def test_decodes_an_unknown_opcode_as_none():
    assert isa.decode(bytes([0xFF]) + bytes(31)) == (None, {})


@pytest.mark.parametrize("name, values, message", [
    ("JUMP", {}, "no instruction 'JUMP'; there are LOAD, LOAD_WGT, "),
    ("LOAD", {"value": 1},
     "LOAD has no field 'value'; there are opcode, wait, signal, count, host_addr, host_pitch, "
     "local_addr, local_pitch, bytes, each"),
    ("LOAD", {"count": 65536}, "LOAD.count must be from 0 to 65535, not 65536"),
    ("LOAD", {"count": -1}, "LOAD.count must be from 0 to 65535, not -1"),
    ("DRAIN", {"zero_point": 128}, "DRAIN.zero_point must be from -128 to 127, not 128"),
])
def test_rejects_unknown_names_and_values_that_do_not_fit(name, values, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        isa.encode(name, **values)
