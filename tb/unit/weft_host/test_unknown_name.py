"""Messages about unknown names."""

import pytest

from weft_host.unknown_name import closest, unknown_name

NAMES = ("small", "ulx3s_85f", "orangecrab_85f")


@pytest.mark.parametrize("name, expected", [
    ("smal", "small"), ("SMALL", "small"), ("ulx3s-85f", "ulx3s_85f"), ("ulx3s", "ulx3s_85f"),
    ("zzz", None), ("", None)])
def test_finds_the_closest_name(name, expected):
    assert closest(name, NAMES) == expected


def test_the_message_has_the_problem_the_closest_name_and_the_list():
    assert unknown_name("no preset 'smal'", "smal", NAMES) == (
        "no preset 'smal'; did you mean 'small'? There are small, ulx3s_85f, orangecrab_85f")
    assert unknown_name("no preset 'x'", "x", NAMES) == (
        "no preset 'x'; there are small, ulx3s_85f, orangecrab_85f")
    assert unknown_name("no preset 'smal'", "smal", NAMES, "weft info lists them.") == (
        "no preset 'smal'; did you mean 'small'? weft info lists them.")
    assert unknown_name("no preset 'x'", "x", NAMES, "weft info lists them.") == (
        "no preset 'x'. weft info lists them.")
