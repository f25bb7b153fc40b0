"""Colorlight 5A-75B V7.0, a receiver card for LED walls, with an LFE5U-25F: 8 x 4 cells."""

from ._board import Board
from ._devices import ECP5_25F
from .ulx3s_25f import BOARD as _SAME_DEVICE

BOARD = Board(
    name="colorlight_5a75b",
    title="Colorlight 5A-75B V7.0",
    device=ECP5_25F,
    platform="colorlight_5a75b_r7_0:Colorlight_5A75B_R70Platform",
    preset=_SAME_DEVICE.preset,
    changes=_SAME_DEVICE.changes,
    clock_hz=80_000_000,
    memory_bytes=32 * 1024,
    flash=("openFPGALoader", "--cable", "ft232", "{bitstream}"),
    cable="J19: DATA_LED- is the board's output, KEY+ its input; 3.3 V",
)
