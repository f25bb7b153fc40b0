"""Instruction set: encoding, decoding, rejected values, consistency of the table."""

import random
import re

import pytest

from support.seeds import seed
from weft.spec import isa

ALL_BITS = (1 << 8 * isa.INSTRUCTION_BYTES) - 1


@pytest.mark.parametrize("instruction", isa.INSTRUCTIONS, ids=lambda known: known.name)
def test_decoding_reverses_encoding(instruction):
    draw = random.Random(seed())
    for values in (
            {field.name: field.limits[0] for field in instruction.fields[1:]},
            {field.name: field.limits[1] for field in instruction.fields[1:]},
            {field.name: draw.randint(*field.limits) for field in instruction.fields[1:]}):
        raw = isa.encode(instruction.name, **values)
        assert len(raw) == isa.INSTRUCTION_BYTES
        assert isa.decode(raw) == (instruction, {"opcode": instruction.opcode, **values})


@pytest.mark.parametrize("instruction", isa.INSTRUCTIONS, ids=lambda known: known.name)
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
