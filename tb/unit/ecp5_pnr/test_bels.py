"""Names and numbers of bels."""

import pytest

from ecp5_pnr.bels import LUTS, WRITE_PORT, Bel, slice_bel_name


@pytest.mark.parametrize("number", range(WRITE_PORT + 1))
def test_names_and_numbers_in_a_logic_tile_match(number):
    bel = Bel.parse(f"X12/Y7/{slice_bel_name(number)}")
    assert (bel.number, bel.tile) == (number, (12, 7, None))


def test_an_ff_has_the_number_of_its_lut_plus_8():
    assert [slice_bel_name(5), slice_bel_name(5 + LUTS)] == ["SLICEC.K1", "SLICEC.FF1"]


@pytest.mark.parametrize("name", ["MULT18_0", "EBR3", "PIOA", "IOLOGICB", "DCC0"])
def test_other_sites_are_tiles_of_their_own(name):
    bel = Bel.parse(f"X4/Y25/{name}")
    assert (bel.number, bel.tile) == (0, (4, 25, name))


def test_other_text_is_rejected():
    with pytest.raises(ValueError, match="^'R2C3' is no bel: expected Xcolumn/Yrow/name$"):
        Bel.parse("R2C3")
