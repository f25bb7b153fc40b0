"""Text of clock frequencies."""

import pytest

from weft_boards._clock import mhz_text


@pytest.mark.parametrize("hz, text", [
    (100_000_000, "100.0"), (99_999_999, "99.9"), (105_450_000, "105.4"), (105_399_999, "105.3"),
    (24e6, "24.0"), (33_333_333, "33.3"), (66_666_667, "66.6"), (0, "0.0"), (99_999, "0.0")])
def test_rounds_down_to_a_tenth_of_a_megahertz(hz, text):
    assert mhz_text(hz) == text


def test_a_text_stays_what_it_is():
    """Every value with one decimal is a fixed point, although few are exact in binary."""
    for tenths in range(20_000):
        text = f"{tenths // 10}.{tenths % 10}"
        assert mhz_text(float(text) * 1e6) == text
