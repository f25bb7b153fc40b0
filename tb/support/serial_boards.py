"""Boards of several kinds for tests at a serial port, and a noisy line."""

import dataclasses
import random
from pathlib import Path

import numpy as np

from support.link_board import LinkBoard
from support.link_emulator import EmulatedBoard
from support.link_sim import LinkSimulation
from weft.host_memory.sdram_chip import MT48LC16M16
from weft.spec.presets import preset
from weft_boards import board as board_named
from weft_boards._top import BoardTop

__all__ = ["BAUD", "CONFIG", "DIGITS", "ICEBREAKER", "MEMORY_BYTES", "Noise", "check_logits",
           "make_board"]

DIGITS = Path(__file__).resolve().parents[2] / "examples" / "digits"
CONFIG = preset("tiny")
MEMORY_BYTES = 1 << 17
ICEBREAKER = board_named("icebreaker")
CLOCK, BAUD = 24_000, 6_000
"""Clock frequency and baud rate: four clocks per bit, and about the speed of the simulator."""
_SLOW_SDRAM = dataclasses.replace(MT48LC16M16, refresh=MT48LC16M16.refresh * 50e6 / CLOCK)
"""SDRAM with as many cycles between two REFRESH commands as at 50 MHz."""


class Noise:
    """Line that inverts one bit in a share ``rate`` of all bytes.

    ``wrong`` counts them.
    """

    def __init__(self, seed):
        self.draw = random.Random(seed)
        self.rate = 0.0
        self.wrong = 0

    def __call__(self, data, to_board):
        if not self.rate:
            return data
        data = bytearray(data)
        for at in range(len(data)):
            if self.draw.random() < self.rate:
                data[at] ^= 1 << self.draw.randrange(8)
                self.wrong += 1
        return bytes(data)


def make_board(kind):
    """Return a board.

    Parameters
    ----------
    kind : :class:`str`
        ``"emulated"``: models of link and accelerator. ``"rtl"``: the RTL of both. ``"sdram"``,
        ``"icebreaker"``: the whole top level of a board.
    """
    if kind == "emulated":
        return EmulatedBoard(CONFIG, memory_bytes=MEMORY_BYTES, baud=1_000_000)
    if kind == "sdram":
        top = BoardTop(
            config=CONFIG, clock_hz=CLOCK, baud=BAUD, memory_bytes=MEMORY_BYTES, name="sdram",
            storage="sdram_model", sdram=_SLOW_SDRAM, timeout_us=80_000)
        return LinkSimulation(top, bit_cycles=CLOCK // BAUD)
    if kind == "icebreaker":
        top = BoardTop.of(ICEBREAKER, simulate=True, clock_hz=CLOCK, baud=BAUD, timeout_us=80_000)
        return LinkSimulation(top, bit_cycles=CLOCK // BAUD)
    # a time-out of 2048 cycles: more than the simulation runs between two polls of the terminal
    top = LinkBoard(CONFIG, memory_bytes=MEMORY_BYTES, clock_hz=CLOCK, baud=BAUD, timeout_us=80_000,
                    board="rtl")
    return LinkSimulation(top, bit_cycles=CLOCK // BAUD)


def check_logits(device, program, stored, index):
    """Run digits on an image, compare the logits with the reference's, and return the result."""
    result = device.run(program, [stored["images"][index:index + 1]])
    output, = result.outputs.values()
    assert np.array_equal(output.reshape(-1), stored["outputs"][index]), f"image {index}"
    return result
