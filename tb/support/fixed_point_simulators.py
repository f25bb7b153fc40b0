"""Simulators of small configurations with the fixed-point instructions."""

import contextlib
import dataclasses

from weft.spec.config import Config
from weft_host.device import RtlDevice, rtl_build

__all__ = ["FOUR_BIT", "FOUR_BIT_TWO_LINES", "ONE_LINE", "TWO_LINES", "quick_device",
           "small_device"]

ONE_LINE = Config(name="4 x 8 with fixed point", rows=4, cols=8, spad_bytes=16384, wgt_bytes=1024,
                  acc_rows=128, vector_lanes=8, bus_width=32, max_burst=16, fixed_point=True)
"""Rows unlike columns, and a weight buffer of 32 tiles. Several test files use its simulator."""

TWO_LINES = Config(name="8 x 4, two lines per cycle", rows=8, cols=4, spad_bytes=4096,
                   tile_lines=2, wgt_bytes=128, acc_rows=64, vector_lanes=2, bus_width=64,
                   max_burst=4, fixed_point=True)
"""The smallest ring: four tiles, and four bursts."""

FOUR_BIT = dataclasses.replace(ONE_LINE, name="4 x 8 with 4-bit weights", weights_4bit=True)

FOUR_BIT_TWO_LINES = Config(
    name="8 x 8, two tile lines, 4-bit weights", rows=8, cols=8, spad_bytes=16384, wgt_bytes=2048,
    acc_rows=128, vector_lanes=8, bus_width=64, max_burst=16, tile_lines=2, fixed_point=True,
    weights_4bit=True)


@contextlib.contextmanager
def quick_device(config, **parameters):
    """Open an :class:`RtlDevice` whose simulator is built with -O1.

    It runs for seconds only, so that the time of the build dominates.
    """
    flags = rtl_build._FLAGS
    try:
        rtl_build._FLAGS = ("-O1", *(flag for flag in flags if flag != "-O3"))
        with RtlDevice(config, **parameters) as device:
            assert device.simulation.single_step, "the design has a combinational loop"
            yield device
    finally:
        rtl_build._FLAGS = flags


def small_device(**parameters):
    """Open an :class:`RtlDevice` of :data:`ONE_LINE` with 1 MiB of memory."""
    return quick_device(ONE_LINE, memory_bytes=1 << 20, **parameters)
