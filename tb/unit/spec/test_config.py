"""Configuration: derived widths, and rejection of invalid combinations."""

import dataclasses
import re

import pytest

from weft.spec.config import Config
from weft.spec.presets import PRESETS, preset

FOUR_BIT = {"fixed_point": True, "weights_4bit": True}


@pytest.mark.parametrize("name", PRESETS)
def test_index_widths_have_one_value_per_index(name):
    config = PRESETS[name]
    assert 1 << config.spad_addr_width == config.spad_bytes
    assert 1 << config.wgt_addr_width == config.wgt_bytes
    assert 1 << config.wgt_line_addr_width == config.wgt_bytes // config.cols // config.tile_lines
    assert 1 << config.local_addr_width == max(config.spad_bytes, config.wgt_bytes)
    assert 1 << config.acc_addr_width == config.acc_rows
    assert 1 << config.row_index_width == config.rows
    assert 1 << config.col_index_width == config.cols
    assert 1 << config.lane_index_width == config.vector_lanes
    assert 1 << config.beat_offset_width == config.bus_bytes
    assert 1 << config.burst_index_width == config.max_burst


def test_derived_sizes_of_ulx3s():
    config = preset("ulx3s")
    assert (config.tile_bytes, config.wgt_tiles, config.param_channels) == (256, 64, 128)
    assert (config.bus_bytes, config.spad_row_bytes, config.wgt_row_bytes) == (16, 16, 16)
    assert (config.vector_port_bytes, config.wgt_group, config.sum_width) == (8, 2, 20)
    assert config.tile_cycles == 16


def test_with_two_lines_per_cycle_the_weight_buffer_has_two_halves():
    config = preset("ulx3s", tile_lines=2, wgt_bytes=32768)
    assert (config.tile_cycles, config.wgt_line_addr_width, config.wgt_group) == (8, 10, 2)
    assert preset("ulx3s", wgt_bytes=32768).wgt_group == 1


def test_the_fingerprint_depends_on_program_parameters_only():
    config = preset("small")
    for name, value in (("rows", 4), ("spad_bytes", 65536), ("queue_depth", 4)):
        assert preset("small", **{name: value}).fingerprint != config.fingerprint
    plain = preset("small", fixed_point=True)
    assert preset("small", **FOUR_BIT).fingerprint != plain.fingerprint != config.fingerprint
    for name, value in (("addr_width", 24), ("max_burst", 16), ("multiplier", "ecp5"),
                        ("tile_lines", 2)):
        assert preset("small", **{name: value}).fingerprint == config.fingerprint


def test_as_dict_round_trips():
    config = preset("icebreaker")
    assert Config(**config.as_dict()) == config
    assert list(config.as_dict()) == [field.name for field in dataclasses.fields(Config)]


@pytest.mark.parametrize("overrides, error, message", [
    ({"rows": 6}, ValueError, "rows must be a power of two from 4 to 64, not 6"),
    ({"rows": 2}, ValueError, "rows must be a power of two from 4 to 64, not 2"),
    ({"bus_width": True}, TypeError, "bus_width must be an integer, not True"),
    ({"spad_bytes": "1K"}, TypeError, "spad_bytes must be an integer, not '1K'"),
    ({"addr_width": 15}, ValueError, "addr_width must be from 16 to 32, not 15"),
    ({"vector_lanes": 16}, ValueError, "vector_lanes of 16 exceeds the 8 columns"),
    ({"wgt_bytes": 64}, ValueError,
     "wgt_bytes of 64 is less than two tiles of 8 x 8 = 64 bytes"),
    ({"spad_bytes": 256, "spad_banks": 8, "bus_width": 256}, ValueError,
     "spad_bytes of 256 gives each of 8 banks fewer than 4 rows of 32 bytes"),
    ({"bus_width": 256, "max_burst": 256}, ValueError,
     "max_burst of 256 beats of 32 bytes exceeds the 4096 bytes an AXI burst may span"),
    ({"multiplier": "dsp"}, ValueError,
     "multiplier must be one of portable, lut, ecp5, ecp5_lut, ice40, not 'dsp'"),
    ({"dsp_cells": 65}, ValueError, "dsp_cells must be from 0 to 64, not 65"),
    ({"dsp_cells": 1.5}, TypeError, "dsp_cells must be an integer or None, not 1.5"),
    ({"tile_lines": 4}, ValueError, "tile_lines must be a power of two from 1 to 2, not 4"),
    ({"tile_lines": 2, "rows": 4}, ValueError, "tile_lines of 2 requires at least 8 rows, not 4"),
    ({"tile_lines": 2, "cols": 2, "vector_lanes": 2, "bus_width": 128}, ValueError,
     "tile_lines of 2 requires beats of at most half a tile, 8 bytes, not 16"),
    ({"compact": True, "rows": 4, "cols": 4, "tile_lines": 2}, ValueError,
     "tile_lines of 2 requires at least 8 rows, not 4"),
    ({"compact": 1}, TypeError, "compact must be True or False, not 1"),
    ({"compact": True}, ValueError, "rows must be 4 with compact, not 8"),
    ({"fixed_point": True, "wgt_bytes": 512}, ValueError, "wgt_bytes of 512 is less than four "
     "bursts of 32 beats of 8 bytes, which fixed_point requires"),
    ({"weights_4bit": 1}, TypeError, "weights_4bit must be True or False, not 1"),
    ({"weights_4bit": True}, ValueError, "weights_4bit requires fixed_point"),
    (FOUR_BIT | {"rows": 64, "wgt_bytes": 8192}, ValueError,
     "weights_4bit requires at most 32 rows, not 64"),
    (FOUR_BIT | {"bus_width": 128}, ValueError,
     "weights_4bit requires beats of at most a line of a tile, 8 bytes, not 16"),
    (FOUR_BIT | {"rows": 4, "wgt_bytes": 128, "max_burst": 4}, ValueError,
     "wgt_bytes of 128 is less than 32 lines of 8 bytes, which weights_4bit requires"),
    ({"lanes": 4}, ValueError, None),
])
def test_rejects_invalid_combinations(overrides, error, message):
    with pytest.raises(error) as caught:
        preset("small", **overrides)
    if message is not None:
        assert str(caught.value) == message
    else:
        assert re.match(r"no parameter 'lanes'; there are rows, cols, ", str(caught.value))
