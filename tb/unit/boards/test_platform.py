"""Platforms of boards: own platforms, errors, and boards without the package amaranth-boards."""

import dataclasses
import subprocess
import sys

import pytest
from amaranth.build import Attrs, Clock, Pins, Resource
from amaranth.vendor import LatticeECP5Platform
from amaranth_boards.resources import UARTResource

from support.pin_loop import PinLoop
from weft.host_memory.sdram_chip import M12L64322A, MT48LC16M16
from weft_boards import board, board_names
from weft_boards._board import Board
from weft_boards._pins import DeviceTop, make_platform


class OwnPlatform(LatticeECP5Platform):
    device, package, speed = "LFE5U-25F", "BG381", "6"
    default_clk = "clk25"
    resources = [
        Resource("clk25", 0, Pins("G2", dir="i"), Clock(25e6), Attrs(IO_TYPE="LVCMOS33")),
        UARTResource(0, rx="M1", tx="L4", attrs=Attrs(IO_TYPE="LVCMOS33")),
    ]
    connectors = []


class NoUart(OwnPlatform):
    resources = OwnPlatform.resources[:1]


class NoClock(OwnPlatform):
    resources = [Resource("clk25", 0, Pins("G2", dir="i")), OwnPlatform.resources[1]]


def test_accepts_a_platform_class():
    entry = dataclasses.replace(board("ulx3s_25f"), platform=OwnPlatform)
    assert (entry.input_hz, entry.platform_class) == (25_000_000, OwnPlatform)
    plan = make_platform(entry).prepare(DeviceTop(entry, PinLoop()), "top", debug_verilog=False)
    assert 'LOCATE COMP "uart_0__tx__io" SITE "L4";' in plan.files["top.lpf"]


@pytest.mark.parametrize("changes, message", [
    ({"platform": "ulx4s:ULX4S"}, "amaranth-boards has no platform 'ulx4s:ULX4S', module:class: No "
     "module named 'amaranth_boards.ulx4s'"),
    ({"platform": "ulx3s:ULX4S"}, "amaranth-boards has no platform 'ulx3s:ULX4S', module:class: "
     "module 'amaranth_boards.ulx3s' has no attribute 'ULX4S'"),
    ({"platform": "ulx3s"}, "amaranth-boards has no platform 'ulx3s', module:class: module "
     "'amaranth_boards.ulx3s' has no attribute ''"),
    ({"platform": NoUart}, "NoUart has no resource 'uart' with number 0; add it with resources="),
    ({"platform": OwnPlatform, "storage": "sdram", "sdram": M12L64322A,
      "memory_bytes": M12L64322A.size},
     "OwnPlatform has no resource 'sdram' with number 0; add it with resources="),
    ({"platform": NoClock}, "NoClock has no resource with a Clock for default_clk 'clk25'"),
    ({"clock_hz": 81_000_001}, "the PLL of LFE5U-25F-6 cannot generate 81 MHz from 25 MHz; "
     "the nearest are 78.125, 80, 81.25, 84.375"),
])
def test_rejects_a_platform_without_the_pins_or_the_clock(changes, message):
    entry = dataclasses.replace(board("ulx3s_25f"), **changes)
    for use in (entry.check_platform, lambda: make_platform(entry)):
        with pytest.raises(ValueError) as caught:
            use()
        assert str(caught.value) == message


@pytest.mark.parametrize("platform", ["ulx3s:os", Board, None])
def test_rejects_an_object_that_is_no_platform(platform):
    entry = dataclasses.replace(board("ulx3s_25f"), platform=platform)
    with pytest.raises(TypeError) as caught:
        entry.check_platform()
    assert str(caught.value) == ("platform must be a platform class of Amaranth, or the name of "
                                 f"one in amaranth-boards, not {platform!r}")


@pytest.mark.parametrize("change, size, name, available, wanted", [
    ({"row_bits": 12}, 1 << 24, "a", 13, 12), ({"bank_bits": 1}, 1 << 24, "ba", 2, 1),
    ({"data_width": 32}, 1 << 26, "dq", 16, 32), ({"data_width": 8}, 1 << 24, "dq", 16, 8)])
def test_rejects_an_sdram_with_other_pins(change, size, name, available, wanted):
    chip = dataclasses.replace(MT48LC16M16, **change)
    entry = dataclasses.replace(board("ulx3s_85f_sdram"), sdram=chip, memory_bytes=size)
    with pytest.raises(ValueError) as caught:
        entry.check_platform()
    assert str(caught.value) == ("the SDRAM of Radiona ULX3S 85F, with its SDRAM has "
                                 f"{available} pins {name!r}, but its chip needs {wanted}")


def test_rejects_an_sdram_without_byte_masks():
    entry = board("colorlight_5a75b")
    entry = dataclasses.replace(
        entry, changes={**entry.changes, "addr_width": 24}, storage="sdram", sdram=M12L64322A,
        memory_bytes=M12L64322A.size)
    with pytest.raises(ValueError, match="^the SDRAM of .*5A-75B.* has no pins for byte masks; a "
                                         "part of a beat could not be written$"):
        entry.check_platform()


HIDDEN = """
import sys
sys.modules["amaranth_boards"] = None       # an import raises ModuleNotFoundError
from weft_boards import board, board_names
for name in board_names():
    chosen = board(name)
    print(name, chosen.config.name, chosen.clock_hz, chosen.memory_bytes, chosen.device.name)
try:
    board("ulx3s_85f").check_platform()
except ValueError as error:
    print(error)
"""


def test_board_data_needs_no_amaranth_boards():
    done = subprocess.run([sys.executable, "-c", HIDDEN], capture_output=True, text=True,
                          check=True)
    *rows, message = done.stdout.splitlines()
    boards = [board(name) for name in board_names()]
    assert rows == [f"{entry.name} {entry.config.name} {entry.clock_hz} {entry.memory_bytes} "
                    f"{entry.device.name}" for entry in boards]
    assert message == ("platform 'ulx3s:ULX3S_85F_Platform' needs the package amaranth-boards, "
                       "which is not installed: pip install amaranth-boards")
