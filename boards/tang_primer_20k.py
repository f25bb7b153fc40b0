"""Sipeed Tang Primer 20K on its dock, with a GW2A-18: 8 x 4 cells, multipliers in LUTs."""

from ._board import Board
from ._devices import GW2A_18

BOARD = Board(
    name="tang_primer_20k",
    title="Sipeed Tang Primer 20K (dock)",
    device=GW2A_18,
    platform="tang_primer_20k:TangPrimer20kDockPlatform",
    preset="tiny",
    # memories of a size that takes block RAM, of which there is more than of anything else
    changes={"vector_lanes": 1, "spad_bytes": 8192, "spad_banks": 1, "wgt_bytes": 2048,
             "acc_rows": 256, "queue_depth": 4, "outstanding": 4, "multiplier": "portable",
             "addr_width": 16},
    clock_hz=27_000_000,
    memory_bytes=32 * 1024,
    flash=("openFPGALoader", "--board", "tangprimer20k", "{bitstream}"),
    cable="the USB socket of the dock, which is also the one that programs",
    # nextpnr knows no timing of Gowin's multipliers
    fmax_trusted=False,
)
