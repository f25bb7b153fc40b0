"""ULX3S with an LFE5U-85F: 16 x 16 cells, host memory in block RAM."""

from ._board import Board
from ._devices import ECP5_85F

BOARD = Board(
    name="ulx3s_85f",
    title="Radiona ULX3S 85F",
    device=ECP5_85F,
    platform="ulx3s:ULX3S_85F_Platform",
    preset="ulx3s",
    # 112 of 256 cells use DSPs, so that enough are left for the requantiser
    changes={"multiplier": "ecp5", "dsp_cells": 112},
    clock_hz=100_000_000,
    memory_bytes=256 * 1024,
    flash=("openFPGALoader", "--board", "ulx3s", "{bitstream}"),
    cable="the USB socket marked US1, which is also the one that programs",
)
