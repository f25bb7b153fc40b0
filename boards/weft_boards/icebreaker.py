"""iCEBreaker with an iCE40UP5K: 4 x 4 cells, host memory in SPRAM."""

from ._board import Board
from ._devices import ICE40UP5K

BOARD = Board(
    name="icebreaker",
    title="1BitSquared iCEBreaker",
    device=ICE40UP5K,
    platform="icebreaker:ICEBreakerPlatform",
    preset="icebreaker",
    changes={"multiplier": "ice40"},
    clock_hz=24_000_000,
    memory_bytes=64 * 1024,
    storage="spram",
    flash=("iceprog", "{bitstream}"),
    cable="the micro-USB socket, which is also the one that programs",
)
