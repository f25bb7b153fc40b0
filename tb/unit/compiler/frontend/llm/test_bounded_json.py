"""JSON of untrusted origin."""

import re

import pytest

from weft_host.compiler.frontend.llm import bounded_json
from weft_host.compiler.frontend.llm.bounded_json import parse_json
from weft_host.compiler.verdict import ModelError


@pytest.mark.parametrize("text, problem", [
    ('{"a": NaN}', "the number NaN is not finite"),
    ('{"a": -Infinity}', "the number -Infinity is not finite"),
    ('{"a": 1e400}', "the number 1e400 is not finite"),
    ('{"a": 9223372036854775808}', "the number 9223372036854775808 has more than 64 bits"),
    ('{"a": ' + "1" * 5000 + "}", f"the number {'1' * 40} has more than 64 bits"),
    ('{"a": {"b": 1, "c": 2, "b": 3}}', "the name 'b' occurs twice in an object"),
    ('{"a": ' + "[" * 200000 + "]" * 200000 + "}", "its values are nested too deep"),
    ('{"a": 1', "it is not JSON: Expecting ',' delimiter: line 1 column 8 (char 7)"),
    ('"a"', "it holds a str instead of an object")])
def test_refuses_a_text_with_a_sentence(text, problem):
    message = f"x.json is damaged: {problem}; obtain the file again"
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        parse_json(text, "x.json")


def test_refuses_too_many_values_before_parsing(monkeypatch):
    monkeypatch.setattr(bounded_json, "MOST_VALUES", 100)
    parse_json('{"a": [' + ",".join("0" * 99) + "]}", "x.json")
    with pytest.raises(ModelError, match="it has more than 100 values"):
        parse_json('{"a": [' + ",".join("0" * 100) + "]}", "x.json")


def test_members_are_checked():
    file = parse_json('{"a": {"n": 5, "x": 0.5, "t": "s", "b": true, "l": [{}], "z": null}}', "f")
    a = file.member("a")
    assert (a.integer("n", 0, 5), a.real("x", 0, 1), a.string("t")) == (5, 0.5, "s")
    assert a.boolean("b", False) is True and len(a.array_of_objects("l")) == 1
    assert a.integer("z", 1, 2, 2) == 2 and "z" not in a and "n" in a       # null is missing
    assert a.member("none").values == {} and a.array("none") == []
    for call, message in (
            (lambda: a.integer("n", 0, 4), "f: 'a.n' is 5 instead of a number from 0 to 4; "
                                           "obtain the file again"),
            (lambda: a.integer("b", 0, 4), "f: 'a.b' is True instead of a number from 0 to 4; "
                                           "obtain the file again"),
            (lambda: a.real("t", 0, 4), "f: 'a.t' is 's' instead of a number from 0 to 4; obtain "
                                        "the file again"),
            (lambda: a.string("none"), "f lacks 'a.none'; expected was a string"),
            (lambda: a.boolean("n", True), "f: 'a.n' is 5 instead of a truth value; obtain the "
                                           "file again"),
            (lambda: a.member("n"), "f: 'a.n' is 5 instead of an object; obtain the file again"),
            (lambda: a.array("n"), "f: 'a.n' is 5 instead of a list; obtain the file again"),
            (lambda: file.array_of_objects("a"), "f: 'a' is {'b': True, 'l': [{}], 'n': 5, 't': "
                                                 "'s', ...} instead of a list; obtain the file "
                                                 "again")):
        with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
            call()
