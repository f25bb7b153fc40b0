"""ULX3S with an LFE5U-25F: 8 x 4 cells, host memory in block RAM."""

from ._board import Board
from ._devices import ECP5_25F

BOARD = Board(
    name="ulx3s_25f",
    title="Radiona ULX3S 25F",
    device=ECP5_25F,
    platform="ulx3s:ULX3S_25F_Platform",
    preset="small",
    # 16 of 28 DSPs; the others are for the requantiser and VECTOR
    changes={"cols": 4, "vector_lanes": 1, "spad_bytes": 16384, "spad_banks": 1,
             "bus_width": 32, "wgt_bytes": 2048, "queue_depth": 4, "outstanding": 4,
             "multiplier": "ecp5", "dsp_cells": 16},
    clock_hz=80_000_000,
    memory_bytes=32 * 1024,
    flash=("openFPGALoader", "--board", "ulx3s", "{bitstream}"),
    cable="the USB socket marked US1, which is also the one that programs",
)
