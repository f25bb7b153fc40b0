"""Parsing of CXXRTL's expressions: structure, widths, and text that is rejected."""

import pytest

from weft_host.device.cxxrtl.expression import (
    Choice,
    Concat,
    Constant,
    Operation,
    Repeat,
    Signal,
    Slice,
    UnknownExpression,
    parse,
)

WIDTHS = {"p_a": 8, "p_b": 40, "i_c": 1}


def test_signal_is_a_name_with_an_optional_member():
    assert parse("p_a", WIDTHS) == Signal(8, "p_a")
    assert parse("p_b.curr", WIDTHS) == Signal(40, "p_b.curr")
    assert parse("p_b.next", WIDTHS) == Signal(40, "p_b.next")


def test_constant_consists_of_words():
    assert parse("value<40>{0x89abcdefu,0x12u}", WIDTHS).value == 0x1289abcdef
    assert parse("value<3>{5u}", WIDTHS) == Constant(3, "value<3>{5u}", 5)
    assert parse("value<0>()", WIDTHS).width == 0


def test_methods_select_repeat_and_join_bits():
    found = parse("p_b.curr.slice<39,36>().concat(p_a.slice<2>()).val()", WIDTHS)
    assert isinstance(found, Concat) and found.width == 5
    high, low = found.high, found.low
    assert isinstance(high, Slice) and (high.low, high.width) == (36, 4)
    assert high.whole == Signal(40, "p_b.curr")
    assert isinstance(low, Slice) and (low.low, low.width) == (2, 1)
    assert parse("i_c.repeat<3>().val()", WIDTHS) == Repeat(3, "i_c.repeat<3>()", Signal(1, "i_c"))


def test_operations_and_choices_hold_their_operands_and_their_text():
    text = "(i_c ? add_uu<9>(p_a, p_a) : value<9>{1u})"
    found = parse(text, WIDTHS)
    assert isinstance(found, Choice) and found.width == 9 and found.text == text
    assert found.condition == Signal(1, "i_c")
    assert isinstance(found.yes, Operation) and found.yes.name == "add_uu"
    assert found.yes.operands == (Signal(8, "p_a"), Signal(8, "p_a"))
    assert found.yes.text == "add_uu<9>(p_a, p_a)"


@pytest.mark.parametrize("text, message", [
    ("p_unknown", "unknown name 'p_unknown'"),
    ("p_a + p_b", "text behind the expression"),
    ("p_a.slice<8>()", "unknown method .slice[8]"),
    ("p_a.repeat<2>()", "unknown method .repeat[2]"),
    ("p_a.other()", "unknown method .other[]"),
    ("(i_c ? p_a : p_b)", "alternatives of 8 and 40 bits"),
    ("value<8> tmp", "no literal"),
    ("add_uu<8>(p_a", "unknown text ''"),
    ("$", "unknown text '$'"),
    ("(" * 5000, "too deeply nested"),
])
def test_rejects_other_text(text, message):
    with pytest.raises(UnknownExpression) as error:
        parse(text, WIDTHS)
    assert str(error.value) == message
