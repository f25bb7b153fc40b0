"""Fit of a program on a board: its host memory, and the time of a run."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Any

import weft_boards
from weft.spec.config import Config
from weft.spec.integers import ceil_div
from weft_boards._clock import mhz_text
from weft_boards._peak import peak_macs

from .program.file import Program
from .progress import Progress

if TYPE_CHECKING:
    from weft_boards._board import Board

__all__ = ["BITS_PER_BYTE", "BoardFit", "compile_for_any_memory", "memory_limit"]

BITS_PER_BYTE = 10      # on the host link: a start bit, eight bits of data, a stop bit
_MAX_ADDR_WIDTH = 32


def compile_for_any_memory(model: bytes | str | os.PathLike[str], config: Config, *,
                           keep_tensors: bool = False,
                           progress: Progress | None = None) -> Program:
    """Compile a model even if the program exceeds the address range of the configuration.

    The instructions and constants are those of :func:`weft_host.compile`.
    """
    from . import compiler
    wide = dataclasses.replace(config, addr_width=_MAX_ADDR_WIDTH)
    program = compiler.compile(model, wide, keep_tensors=keep_tensors, progress=progress)
    return dataclasses.replace(program, config=config)


def memory_limit(config: Config, board: Board | None) -> tuple[int, str]:
    """Return the bytes of host memory that a program can have, and the limit as a clause.

    The clause begins a sentence that ends with the number.
    """
    reach = 1 << config.addr_width
    if board is not None and board.memory_bytes <= reach:
        return board.memory_bytes, f"the {board.memory_kind} of {board.name} has only"
    return reach, f"the {config.addr_width} address bits of {config.name} reach only"


@dataclasses.dataclass(frozen=True, kw_only=True)
class BoardFit:
    """Fit of a program on a board.

    A device writes the instructions and constants of a program to the board's host memory, where
    the inputs, the outputs and tensors that are not kept on chip have their place as well. All of
    them are needed at the same time.

    Parameters
    ----------
    board : :class:`weft_boards.Board`
    program : :class:`weft_host.Program`
    source : :class:`str`
        Name of the model or of the program, for messages.
    cycles : :class:`int` or :class:`None`
        Cycles of a run, if they are known.
    origin : :class:`str`
        Origin of ``cycles``, such as ``"predicted"``.
    latency : :class:`int` or :class:`None`
        Latency of the host memory in cycles, for which the cycles hold; by default the board's.
    bandwidth : :class:`float` or :class:`None`
        Its bandwidth in beats per cycle; by default the board's.
    """

    board: Board
    program: Program
    source: str
    cycles: int | None = None
    origin: str = ""
    latency: int | None = None
    bandwidth: float | None = None

    @property
    def needed(self) -> int:
        """Bytes of host memory that the program needs."""
        return self.program.memory_bytes

    @property
    def available(self) -> int:
        """Bytes of host memory that the board has and that the configuration can address."""
        return min(self.board.memory_bytes, 1 << self.program.config.addr_width)

    @property
    def fits(self) -> bool:
        """True if the board has enough host memory."""
        return self.needed <= self.available

    @property
    def instruction_bytes(self) -> int:
        """Bytes of instructions."""
        return len(self.program.instructions)

    @property
    def constant_bytes(self) -> int:
        """Bytes of weights, biases, scales and tables."""
        return sum(len(raw) for _, raw in self.program.image)

    @property
    def tensor_bytes(self) -> int:
        """Remaining bytes: inputs, outputs, stored tensors and the alignment of the sections."""
        return self.needed - self.instruction_bytes - self.constant_bytes

    @property
    def transferred_bytes(self) -> int:
        """Bytes of inputs and outputs, which the host link transfers in every run."""
        return sum(tensor.span for tensor in (*self.program.inputs, *self.program.outputs)
                   if tensor.offset is not None)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the program."""
        return int(self.program.meta.get("macs", 0))

    @property
    def peak_macs(self) -> int:
        """Maximum number of multiply-accumulates per cycle."""
        return peak_macs(self.program.config)

    @property
    def least_cycles(self) -> int:
        """Cycles of the multiply-accumulates alone, at the peak rate: a lower bound."""
        return int(ceil_div(self.macs, self.peak_macs))

    @property
    def _timing(self) -> tuple[int, float]:
        """Latency and bandwidth for which the cycles hold."""
        return (self.board.read_latency if self.latency is None else self.latency,
                self.board.bandwidth if self.bandwidth is None else self.bandwidth)

    def milliseconds(self, cycles: int) -> float:
        """Return the time of a number of cycles at the clock of the board's design."""
        return 1000 * cycles / self.board.clock_hz

    def link_milliseconds(self, count: int) -> float:
        """Return the least time in which the host link transfers a number of bytes."""
        return 1000 * count * BITS_PER_BYTE / self.board.baud

    def as_dict(self) -> dict[str, Any]:
        """Return all figures as plain data."""
        known = self.cycles is not None
        return {
            "name": self.board.name, "clock_hz": self.board.clock_hz, "fits": self.fits,
            "memory": {
                "kind": self.board.memory_kind, "needed_bytes": self.needed,
                "available_bytes": self.available, "instruction_bytes": self.instruction_bytes,
                "constant_bytes": self.constant_bytes, "tensor_bytes": self.tensor_bytes},
            "latency": self._timing[0], "bandwidth": self._timing[1],
            "macs": self.macs, "peak_macs_per_cycle": self.peak_macs,
            "least_cycles": self.least_cycles,
            "cycles": self.cycles, "origin": self.origin if known else None,
            "milliseconds": self.milliseconds(self.cycles) if self.cycles is not None else None,
            "share_of_peak": self.share_of_peak,
            "link_milliseconds": {
                "program": self.link_milliseconds(self.instruction_bytes + self.constant_bytes),
                "run": self.link_milliseconds(self.transferred_bytes)},
            "measured_on_board": False,
        }

    @property
    def share_of_peak(self) -> float | None:
        """Multiply-accumulates over those at the peak rate; None without cycles."""
        return self.macs / (self.cycles * self.peak_macs) if self.cycles else None

    def memory_text(self) -> str:
        """Return the needed and the available memory as a part of a sentence."""
        kind = self.board.memory_kind
        if not self.fits:
            return (f"does not fit: {self.needed:,} bytes are needed, and there are "
                    f"{self.available:,} bytes of {kind}")
        return f"{self.needed:,} of {self.available:,} bytes of {kind}"

    def speed_text(self) -> str:
        """Return cycles, time and share of the peak as a part of a sentence."""
        clock = f"{mhz_text(self.board.clock_hz)} MHz"
        peak = f"the peak of {self.peak_macs:,} MACs per cycle"
        if self.cycles is None:
            return (f"{self.macs:,} MACs, at least {self.least_cycles:,} cycles = "
                    f"{self.milliseconds(self.least_cycles):,.3f} ms at {clock}, at {peak}")
        share = f", {100 * self.share_of_peak:.1f} % of {peak}" if self.share_of_peak else ""
        return (f"{self.cycles:,} cycles = {self.milliseconds(self.cycles):,.3f} ms at {clock} "
                f"({self.origin}); {self.macs:,} MACs{share}")

    def summary(self) -> str:
        """Return memory and time in one line."""
        speed = f"; {self.speed_text()}" if self.fits else ""
        return f"{self.source} on {self.board.name}: {self.memory_text()}{speed}"

    def notes(self) -> list[str]:
        """Return sentences about the origin of the time, and about what it does not include."""
        board, (latency, bandwidth) = self.board, self._timing
        speed = ("The serial engine has no cycle model: weft check --measure counts its cycles on "
                 "the simulated RTL." if self.cycles is None else
                 f"Cycles are {self.origin}, for host memory with latency {latency} and bandwidth "
                 f"{bandwidth:g}; the clock is that of the board's design. Nothing "
                 "was measured on a board.")
        program = self.link_milliseconds(self.instruction_bytes + self.constant_bytes)
        run = self.link_milliseconds(self.transferred_bytes)
        return [speed, f"The host link, at {board.baud:,} baud, takes at least {program:,.1f} ms "
                       f"more to load the program, once, and {run:,.1f} ms for inputs and outputs "
                       "of each run."]

    def refusal(self) -> str:
        """Return the reason why the program does not fit, and what to do about it."""
        board = self.board
        larger = [f"{other.name} ({other.memory_bytes:,} bytes)" for other in _boards()
                  if other.memory_bytes >= self.needed]
        advice = (f"Boards with at least that much: {', '.join(larger)}; weft check --board NAME "
                  "shows what a model needs there." if larger else
                  "No board has that much: make the model smaller, or add a board as "
                  "docs/porting.md describes.")
        return (f"{self.source} does not fit {board.name}: the program needs {self.needed:,} bytes "
                f"of host memory ({self.instruction_bytes:,} of instructions, "
                f"{self.constant_bytes:,} of constants, {self.tensor_bytes:,} of tensors and "
                f"alignment), and the board has {self.available:,} bytes of {board.memory_kind}. "
                f"{advice} To compile for a simulation or for a design with more memory: --preset "
                f"{board.name} --set addr_width={_MAX_ADDR_WIDTH}.")


def _boards() -> list[Board]:
    """Return all boards whose files are valid, by the size of their memory."""
    found = []
    for name in weft_boards.board_names():
        try:
            found.append(weft_boards.board(name))
        except ValueError:      # the file may be unfinished
            continue
    return sorted(found, key=lambda board: (board.memory_bytes, board.name))
