"""ECPIX-5 with an LFE5UM5G-85F: 16 x 16 cells, host memory in block RAM."""

from ._board import Board
from ._devices import ECP5_5G_85F
from .ulx3s_85f import BOARD as _SAME_SIZE

BOARD = Board(
    name="ecpix5_85f",
    title="LambdaConcept ECPIX-5 85F",
    device=ECP5_5G_85F,
    platform="ecpix5:ECPIX585Platform",
    preset=_SAME_SIZE.preset,
    changes=_SAME_SIZE.changes,
    clock_hz=120_000_000,
    memory_bytes=_SAME_SIZE.memory_bytes,
    flash=("openFPGALoader", "--board", "ecpix5", "{bitstream}"),
    cable="the micro-USB socket, which is also the one that programs",
)
