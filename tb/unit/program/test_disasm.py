"""Disassembler: every field as text and as data, and unknown opcodes."""

import dataclasses

from support.programs import random_program
from support.seeds import seed
from weft.spec import isa
from weft.spec.presets import preset
from weft_host.program import disasm


def test_a_line_lists_the_fields_that_are_not_zero():
    raw = isa.encode("LOAD", wait=0b1000, signal=0b0110, count=2, bytes=12, host_addr=0x40,
                     local_pitch=16)
    assert disasm.describe(raw) == \
        "LOAD count=2 host_addr=0x40 local_pitch=16 bytes=12 wait=STORE signal=MATMUL+VECTOR"
    assert disasm.describe(isa.encode("SYNC_STORE")) == "SYNC_STORE"
    raw = isa.encode("DRAIN", clamp_min=-128, zero_point=-3)
    assert disasm.describe(raw) == "DRAIN zero_point=-3 clamp_min=-128"
    raw = isa.encode("MAP", op=1, a_addr=16, b_addr=32, b_pitch=8, out_addr=64, count=1, bytes=8)
    assert disasm.describe(raw) == \
        "MAP op=1 out_addr=0x40 a_addr=0x10 count=1 bytes=8 b_addr=0x20 b_pitch=8"


def test_an_unknown_opcode_is_marked_as_illegal():
    assert disasm.describe(bytes([0xFE]) + bytes(31)) == "ILLEGAL opcode=0xfe"
    entry = disasm.as_dict(bytes([0xFE]) + bytes(31), 4)
    assert (entry["index"], entry["name"], entry["unit"]) == (4, "ILLEGAL", None)


def test_the_listing_encodes_back_to_the_same_program():
    program = random_program(preset("wide"), seed(3))
    again = b"".join(
        isa.encode(entry["name"], **entry["fields"],
                   wait=sum(1 << isa.UNITS.index(unit) for unit in entry["wait"]),
                   signal=sum(1 << isa.UNITS.index(unit) for unit in entry["signal"]))
        for entry in disasm.listing(program))
    assert again == program.instructions
    assert [entry["index"] for entry in disasm.listing(program)] == \
        list(range(program.instruction_count))


def test_each_instruction_is_one_line():
    program = random_program(preset("tiny"), seed(3))
    lines = disasm.disassemble(program)
    assert len(lines) == program.instruction_count
    assert lines[0].split()[:3] == ["0", "LOAD", "LOAD"]


def test_parts_of_layers_are_headings_of_their_instructions():
    program = random_program(preset("tiny"), seed(3))
    count = program.instruction_count
    labelled = dataclasses.replace(program, meta={
        "layers": [{"index": -1, "name": "embedding"}, {"index": 3, "name": "layer 3"}],
        "parts": [["embedding", "embedding"], ["attention scores", "attention scores"],
                  ["norm", "norms"]],
        "instruction_layers": [-1] + [3] * (count - 1),
        "instruction_parts": [0, 1, 1] + [2] * (count - 3)})
    lines = disasm.disassemble(labelled)
    assert [lines[index] for index in (0, 2, 5)] == [
        "embedding:", "layer 3 attention scores:", "layer 3 norm:"]
    assert [line for line in lines if not line.endswith(":")] == disasm.disassemble(program)
    entries = disasm.listing(labelled)
    assert (entries[2]["layer"], entries[2]["part"]) == ("layer 3", "attention scores")
    assert "layer" not in disasm.listing(program)[0]
