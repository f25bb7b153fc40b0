"""Floorplans: colours and titles of the picture."""

import json

import numpy as np
import pytest
from matplotlib import colors, image

from floorplan import _COLOURS, draw_floorplan, read_cells


def pixels_of(picture, colour):
    """Return the number of pixels whose colour is close to ``colour``."""
    return (np.abs(picture[..., :3] - colors.to_rgb(colour)).max(axis=-1) < 0.02).sum()


def test_reads_block_and_location(tmp_path):
    path = tmp_path / "placed-1.json"
    path.write_text(json.dumps({"modules": {"top": {"cells": {
        "top.accelerator.matmul.a": {"attributes": {"NEXTPNR_BEL": "X3/Y4/SLICEA.LUT0"}},
        "top.link.b": {"attributes": {"NEXTPNR_BEL": "R5C6_LUT0"}},
        "clock": {"attributes": {"NEXTPNR_BEL": "X1/Y2/io0"}}, "gone": {"attributes": {}}}}}}))
    assert read_cells(path) == [("matmul", 3, 4), ("link", 5, 6), ("other", 1, 2)]


def test_a_tile_has_the_colour_of_the_block_with_most_cells(tmp_path):
    path = tmp_path / "floorplan.png"
    cells = ([("matmul", x, y) for x in range(8) for y in range(8) for _ in range(3)]
             + [("vector", x, y) for x in range(8) for y in range(4, 8) for _ in range(5)])
    draw_floorplan(cells, path, "two halves")
    picture = image.imread(path)
    array, vector = (pixels_of(picture, _COLOURS[name]) for name in ("matmul", "vector"))
    # matmul's half is emptier, hence darker; only its field in the legend has the full colour
    assert vector > 50_000 and array < 2_000
    assert path.stat().st_size < 100_000


def test_a_block_without_a_colour_gets_one_and_the_small_ones_are_other(tmp_path):
    path = tmp_path / "floorplan.png"
    cells = [(f"block{number}", column, number) for number in range(12)
             for column in range(20 + number)]
    draw_floorplan(cells, path, "unknown blocks")
    picture = image.imread(path)
    assert pixels_of(picture, _COLOURS["matmul"]) > 2_000
    assert pixels_of(picture, _COLOURS["other"]) > 2_000


def test_nothing_to_draw_is_reported(tmp_path):
    with pytest.raises(ValueError, match="^no cell of the design has a location: there is nothing "
                                         "to draw$"):
        draw_floorplan([], tmp_path / "floorplan.png", "nothing")
