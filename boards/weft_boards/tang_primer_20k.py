"""Sipeed Tang Primer 20K on its dock, with a GW2A-18: 4 x 4 cells, one instruction at a time."""

from ._board import Board
from ._devices import GW2A_18

BOARD = Board(
    name="tang_primer_20k",
    title="Sipeed Tang Primer 20K (dock)",
    device=GW2A_18,
    platform="tang_primer_20k:TangPrimer20kDockPlatform",
    preset="icebreaker",
    changes={"spad_bytes": 16384, "multiplier": "portable"},
    clock_hz=27_000_000,
    memory_bytes=32 * 1024,
    flash=("openFPGALoader", "--board", "tangprimer20k", "{bitstream}"),
    cable="the USB socket of the dock, which is also the one that programs",
    # nextpnr has no timing data of Gowin's multipliers
    fmax_trusted=False,
)
