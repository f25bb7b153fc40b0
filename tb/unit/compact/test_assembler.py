"""Assembler of the serial engine: hazards, delay slots, registers, and rejected programs."""

import pytest

from weft.compact.assembler import INDEXED
from weft.compact.microcode.mnemonics import Mnemonics
from weft.compact.microinstruction import (
    INDEXED_REGISTER,
    Condition,
    Function,
    Operation,
    Source,
)
from weft.compact.program import microprogram
from weft.spec import register_map
from weft.spec.presets import preset

CONFIG = preset("icebreaker")
VARIABLES = INDEXED_REGISTER - len(register_map.REGISTERS)
# constants do not use the gaps in the register map
CONSTANTS = INDEXED_REGISTER - 1 - max(reg.offset >> 2 for reg in register_map.REGISTERS)


@pytest.fixture
def u():
    """An empty microprogram."""
    return Mnemonics(CONFIG)


def kinds(u):
    """Assemble, and return the kinds of the microinstructions."""
    u.words()
    return [instruction.kind for instruction in u.program]


def test_separates_a_register_write_from_a_read_by_a_nop(u):
    u.store("a")
    u.load("a")
    u.store("a")
    u.load("b")
    assert kinds(u) == [Function.STORE, Operation.NOP, Function.LOAD, Function.STORE,
                        Function.LOAD]


def test_separates_a_change_of_the_index_from_its_use_by_a_nop(u):
    u.do(Operation.SET_INDEX)
    u.load(INDEXED)
    assert kinds(u)[1] is Operation.NOP


def test_separates_a_change_of_q_from_a_read_of_its_word_by_a_nop(u):
    u.do(Operation.SET_ACC_ADDR)
    u.read_source(Source.ACCUMULATOR)
    assert kinds(u)[1] is Operation.NOP


def test_moves_an_independent_microinstruction_into_the_delay_slot(u):
    u.label("here")
    u.load("a")
    u.store("b")
    u.zero("here")
    u.load("c")
    u.go("here")
    assert kinds(u)[:3] == [Function.LOAD, Condition.ZERO, Function.STORE]


def test_leaves_a_microinstruction_that_the_branch_depends_on(u):
    u.label("here")
    u.add("a")
    u.zero("here")
    assert kinds(u) == [Function.ADD, Condition.ZERO, Operation.NOP]


def test_encodes_small_numbers_and_stores_large_ones_in_registers(u):
    u.load(-256)
    u.load(256)
    u.words()
    assert [instruction.immediate for instruction in u.program] == [True, False]
    assert u.initial_registers()[u.program[1].operand] == 256


def test_reuses_registers_between_scopes_only(u):
    numbers = []
    for name in ("a", "b"):
        with u.scope():
            numbers.append(u.register(name))
    assert numbers[0] == numbers[1] != u.register("c")


def branch_to_hazard(u):
    u.label("start")
    u.load("a")
    u.go("start", slot=lambda: u.store("a"))


@pytest.mark.parametrize("act, message", [
    (lambda u: u.go("nowhere"), "label nowhere is not defined"),
    (lambda u: u.array("many", 300),
     f"many0 needs 300 consecutive registers, but only {CONSTANTS} are left"),
    (lambda u: [u.register(f"v{index}") for index in range(256)],
     f"no register is left for v{VARIABLES}"),
    (lambda u: [u.register(1000 + index) for index in range(256)],
     f"no register is left for the constant {1000 + CONSTANTS:#x}"),
    (lambda u: [u.do(Operation.NOP) for _ in range(2049)],
     "the microprogram has 2049 words, but the memory has room for 2048"),
    (lambda u: [u.label("twice"), u.label("twice")], "label twice is defined twice"),
    (lambda u: u.go("start", slot=lambda: u.copy("a", "b")),
     "the delay slot of the branch to start must contain exactly one microinstruction"),
    (branch_to_hazard,
     "the first microinstruction of start has a hazard with the delay slot of the branch in word "
     "1; put a microinstruction that reads no register first"),
])
def test_rejects_a_microprogram_that_cannot_work(u, act, message):
    with pytest.raises(ValueError) as caught:
        act(u)
        u.words()
    assert str(caught.value) == message


@pytest.mark.parametrize("changes", [
    {}, {"addr_width": 16}, {"spad_bytes": 32768, "wgt_bytes": 1024}], ids=str)
def test_the_microprogram_fits_every_configuration(changes):
    words, registers = microprogram(preset("icebreaker", **changes))
    assert len(words) <= 2048
    assert registers[0] == register_map.MAGIC
