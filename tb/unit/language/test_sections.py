"""Special tokens in a text."""

import pytest

from weft_host.language.sections import SpecialTokens

FOUND = SpecialTokens({"<s>": 1, "<s>x": 2, "</s>": 3, "": 4})


@pytest.mark.parametrize("text, sections", [
    ("", []), ("a", ["a"]), ("<s>", [1]), ("a<s>b</s>", ["a", 1, "b", 3]), ("<s><s>", [1, 1]),
    ("<s>x<s>y", [2, 1, "y"]), ("<<s", ["<<s"]), ("<s</s>", ["<s", 3])])
def test_the_longest_token_at_each_position(text, sections):
    assert list(FOUND.split(text)) == sections
