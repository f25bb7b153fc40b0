"""The assembler of the serial engine: what waits, what goes behind branches, what it refuses."""

import pytest

from weft.compact.assembler import INDEXED
from weft.compact.microcode.mnemonics import Code
from weft.compact.microinstruction import Condition, Function, Operation, Source
from weft.compact.program import microprogram
from weft.spec import register_map
from weft.spec.presets import preset

CONFIG = preset("icebreaker")


def kinds(u):
    u.words()
    return [line.kind for line in u.lines]


def test_a_register_is_not_read_directly_behind_its_write():
    u = Code(CONFIG)
    u.store("a")
    u.load("a")
    u.store("a")
    u.load("b")
    assert kinds(u) == [Function.STORE, Operation.NOP, Function.LOAD, Function.STORE,
                        Function.LOAD]


def test_an_index_is_not_used_directly_behind_its_change():
    u = Code(CONFIG)
    u.do(Operation.INDEX)
    u.load(INDEXED)
    assert kinds(u)[1] is Operation.NOP


def test_the_word_at_q_is_not_taken_directly_behind_q():
    u = Code(CONFIG)
    u.do(Operation.ROW)
    u.take(Source.ACCUMULATOR)
    assert kinds(u)[1] is Operation.NOP


def test_a_line_that_does_not_matter_to_the_branch_goes_behind_it():
    u = Code(CONFIG)
    u.label("here")
    u.load("a")
    u.store("b")
    u.zero("here")
    u.load("c")
    u.go("here")
    assert kinds(u)[:3] == [Function.LOAD, Condition.ZERO, Function.STORE]


def test_a_line_that_decides_the_branch_stays_before_it():
    u = Code(CONFIG)
    u.label("here")
    u.add("a")
    u.zero("here")
    assert kinds(u) == [Function.ADD, Condition.ZERO, Operation.NOP]


def test_small_numbers_are_part_of_the_line_and_large_ones_have_a_register():
    u = Code(CONFIG)
    u.load(-256)
    u.load(256)
    u.words()
    assert [line.immediate for line in u.lines] == [True, False]
    assert u.contents()[u.lines[1].operand] == 256


def test_variables_of_scopes_share_registers_but_with_nothing_else():
    u = Code(CONFIG)
    numbers = []
    for name in ("a", "b"):
        with u.scope():
            numbers.append(u.register(name))
    assert numbers[0] == numbers[1] != u.register("c")


@pytest.mark.parametrize("act, message", [
    (lambda u: u.go("nowhere"), "there is no label nowhere"),
    (lambda u: u.array("many", 300), "no 300 registers are left for many0"),
    (lambda u: [u.do(Operation.NOP) for _ in range(2049)],
     "the microprogram has 2049 words, there is room for 2048"),
    (lambda u: [u.label("twice"), u.label("twice")], "label twice is used twice"),
])
def test_what_cannot_work_is_told(act, message):
    u = Code(CONFIG)
    with pytest.raises(ValueError) as caught:
        act(u)
        u.words()
    assert str(caught.value) == message


def test_every_size_has_a_microprogram_that_fits():
    for changes in ({}, {"addr_width": 16}, {"spad_bytes": 32768, "wgt_bytes": 1024}):
        words, registers = microprogram(preset("icebreaker", **changes))
        assert len(words) <= 2048
        assert registers[0] == register_map.MAGIC
