"""PLLs: rejected frequencies and devices, ranges by series, highest possible output."""

import pytest
from amaranth.hdl import Signal

from weft_boards._pll import RANGES, Pll


@pytest.mark.parametrize("family, device, i_hz, o_hz, message", [
    ("ice40", "iCE40UP5K", 12_000_000, 23_900_000,
     "the PLL of iCE40UP5K cannot generate 23.9 MHz from 12 MHz; the nearest are 22.875, 23.25, "
     "23.625, 24"),
    ("ecp5", "LFE5U-85F-6", 25_000_000, 500_000_000,
     "the PLL of LFE5U-85F-6 cannot generate 500 MHz from 25 MHz; the nearest are 393.75, 395, "
     "396.875, 400"),
    ("gowin", "GW5A-LV25", 27_000_000, 54_000_000,
     "no PLL frequency ranges for GW5A-LV25; there are ranges for ecp5, ice40, GW1NR-LV9, "
     "GW2A-LV18"),
    ("ecp5", "LFE5U-85F-6", 4_000_000, 100_000_000,
     "the PLL of LFE5U-85F-6 requires an input clock from 8 to 400 MHz, not 4 MHz"),
    ("ice40", "iCE40UP5K", 200_000_000, 24_000_000,
     "the PLL of iCE40UP5K requires an input clock from 10 to 133 MHz, not 200 MHz"),
])
def test_rejects_a_clock_that_it_cannot_generate(family, device, i_hz, o_hz, message):
    with pytest.raises(ValueError) as caught:
        Pll(family, device, i_hz, o_hz)
    assert str(caught.value) == message


def test_finds_the_ranges_of_a_series_by_the_start_of_the_device_name(monkeypatch):
    monkeypatch.setitem(RANGES, "GW1NSR-LV4C", RANGES["GW1NR-LV9"])
    assert Pll("gowin", "GW1NSR-LV4CQN48PC7/I6", 27_000_000, 54_000_000).o_hz == 54_000_000


def test_returns_the_highest_output_up_to_a_limit():
    pll = Pll("ice40", "iCE40UP5K", 12_000_000, 24_000_000)
    assert pll.max_output_hz(24_000_000) == 24_000_000
    assert pll.max_output_hz(23_900_000) == 23_625_000
    assert pll.max_output_hz(1_000_000) is None


def test_rejects_a_phase_shift_that_is_not_implemented():
    pll = Pll("ice40", "iCE40UP5K", 12_000_000, 24_000_000)
    with pytest.raises(ValueError) as caught:
        pll.instance(Signal(), Signal(), Signal(), shifted=Signal(), quarters=1)
    assert str(caught.value) == ("a phase-shifted clock is implemented only for the PLL of an "
                                 "ECP5, not for iCE40UP5K")
