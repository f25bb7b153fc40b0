"""OrangeCrab r0.2.1 with an LFE5U-85F: 16 x 16 cells, host memory in block RAM."""

from amaranth.build import Attrs, Pins, Resource, Subsignal

from ._board import Board
from ._devices import ECP5_85F_FAST
from .ulx3s_85f import BOARD as _SAME_DEVICE

BOARD = Board(
    name="orangecrab_85f",
    title="OrangeCrab r0.2.1 85F",
    device=ECP5_85F_FAST,
    platform="orangecrab_r0_2:OrangeCrabR0_2_85FPlatform",
    preset=_SAME_DEVICE.preset,
    changes=_SAME_DEVICE.changes,
    clock_hz=120_000_000,
    memory_bytes=_SAME_DEVICE.memory_bytes,
    flash=("dfu-util", "--device", "1209:5af0", "--alt", "0", "--download", "{bitstream}"),
    cable="pins 0 (the board's input) and 1 (its output); 3.3 V",
    resources=(Resource("uart", 0,
                        Subsignal("rx", Pins("0", dir="i", conn=("io", 0), assert_width=1)),
                        Subsignal("tx", Pins("1", dir="o", conn=("io", 0), assert_width=1)),
                        Attrs(IO_TYPE="LVCMOS33")),),
)
