"""Contents of a small systolic array in every cycle, from a simulation of the gateware."""

from __future__ import annotations

import dataclasses
import pathlib
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

import vcd.reader
from amaranth.sim import Simulator

from weft.array.cell import COLUMNS
from weft.array.grid import multiplier_latency
from weft.array.systolic import SystolicArray
from weft.spec.config import Config

__all__ = ["Frame", "Item", "record"]

Matrix = Sequence[Sequence[int]]


@dataclasses.dataclass(frozen=True)
class Item:
    """Value in a register, with the number of the vector or of the tile that it belongs to."""

    value: int
    owner: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Frame:
    """Registers of the array in one cycle; None where a register holds nothing yet.

    Attributes
    ----------
    entering : list of ``rows`` items
        Activations at the left edge, which the first cells take at the end of the cycle.
    operands : ``rows`` lists of ``cols / 2`` items
        Activation of each cell, with its vector.
    weights, shadows : ``rows`` lists of ``cols`` items
        Weights in use and weights that shift in, with their tile.
    sums : ``rows`` lists of ``cols`` items
        Partial sums, with their vector.
    outputs : list of ``cols`` items, or None
        Finished sums of the vector that leaves the array in this cycle.
    """

    entering: list[Item | None]
    operands: list[list[Item | None]]
    weights: list[list[Item | None]]
    shadows: list[list[Item | None]]
    sums: list[list[Item | None]]
    outputs: list[Item] | None


def _cycles(array: SystolicArray, tiles: Sequence[Matrix],
            passes: Sequence[Matrix]) -> Iterator[dict[str, Any]]:
    """Yield the inputs of each cycle: a tile loads during the pass of the tile before it.

    Each pass must have at least as many vectors as the array has rows.
    """
    rows, cols = array.config.rows, array.config.cols
    line_at: dict[int, Sequence[int]] = {}
    vector_at: dict[int, Sequence[int]] = {}
    swaps = set()
    loads, enters = 1, rows + 1
    for tile, vectors in zip(tiles, passes):
        line_at.update(enumerate(reversed(tile), loads))
        vector_at.update(enumerate(vectors, enters))
        swaps.add(enters)
        loads, enters = enters, enters + len(vectors)
    for cycle in range(enters + array.latency + 1):
        yield {"i_wgt": line_at.get(cycle, [0] * cols), "i_act": vector_at.get(cycle, [0] * rows),
               "i_load_next": cycle + 1 in line_at, "i_valid": cycle in vector_at,
               "i_swap": cycle in swaps}


def _simulate(array: SystolicArray, tiles: Sequence[Matrix],
              passes: Sequence[Matrix]) -> list[dict[str, int]]:
    """Return all signals in every cycle, by name."""
    async def testbench(ctx: Any) -> None:
        for inputs in _cycles(array, tiles, passes):
            for name, value in inputs.items():
                ctx.set(getattr(array, name), value)
            await ctx.tick()

    simulator = Simulator(array)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "array.vcd"
        with simulator.write_vcd(str(path)):
            simulator.run()
        return _read_cycles(path)


def _read_cycles(path: pathlib.Path) -> list[dict[str, int]]:
    """Return the values of all signals just before each rising edge of the clock."""
    names: dict[str, tuple[str, int]] = {}
    now: dict[str, int] = {}
    found: list[dict[str, int]] = []
    with path.open("rb") as file:
        changes: dict[str, int] = {}
        for token in vcd.reader.tokenize(file):
            if token.kind is vcd.reader.TokenKind.VAR:
                names[token.var.id_code] = token.var.reference, token.var.size
            elif token.kind is vcd.reader.TokenKind.CHANGE_TIME:
                if changes.get("clk") and not now.get("clk"):
                    found.append(dict(now))
                now.update(changes)
                changes = {}
            elif token.kind in (vcd.reader.TokenKind.CHANGE_SCALAR,
                                vcd.reader.TokenKind.CHANGE_VECTOR):
                change = (token.scalar_change if token.kind is vcd.reader.TokenKind.CHANGE_SCALAR
                          else token.vector_change)
                name, width = names[change.id_code]
                value = int(change.value)
                changes[name] = value - (1 << width) if width > 1 and value >> width - 1 else value
    return found


class _Tracker:
    """Owner of every register's content, counted from the array's own control signals."""

    def __init__(self, config: Config) -> None:
        self.rows, self.cols = config.rows, config.cols
        self.groups = config.cols // COLUMNS
        self.delay = multiplier_latency(config) + 1      # from an operand to its sum
        self.vectors = [[0] * self.groups for _ in range(self.rows)]
        self.swaps = [[0] * self.groups for _ in range(self.rows)]
        self.shifts = [[0] * self.groups for _ in range(self.rows)]
        self.owners: list[list[list[int | None]]] = []
        self.leaving = 0

    def frame(self, now: dict[str, int]) -> Frame:
        """Return the frame of the next cycle."""
        owners: list[list[int | None]] = []
        for row in range(self.rows):
            owners.append([])
            for group in range(self.groups):
                cell = f"{row}_{group}"
                owners[row].append(self.vectors[row][group] if now[f"valid_{cell}"] else None)
                self.vectors[row][group] += now[f"valid_{cell}"]
                self.swaps[row][group] += now[f"swap_{cell}"]
                self.shifts[row][group] += now[f"shift_{cell}"]
        self.owners.append(owners)
        past = self.owners[-1 - self.delay] if len(self.owners) > self.delay else None
        outputs = None
        if now["o_valid"]:
            outputs = [Item(now[f"o_sum[{column}]"], self.leaving) for column in range(self.cols)]
            self.leaving += 1

        def item(name: str, row: int, column: int, owner: int | None) -> Item | None:
            value = now[f"{name}_{row}_{column // COLUMNS}_{column % COLUMNS}"]
            return None if owner is None else Item(value, owner)

        def grid(name: str, owner: Any) -> list[list[Item | None]]:
            return [[item(name, row, column, owner(row, column // COLUMNS))
                     for column in range(self.cols)] for row in range(self.rows)]

        return Frame(
            entering=[Item(now[f"i_act__{row}"], self.vectors[row][0])
                      if now[f"i_valid__{row}"] else None for row in range(self.rows)],
            operands=[line[::COLUMNS] for line in grid(
                "operand", lambda row, group: owners[row][group])],
            weights=grid("active", lambda row, group: self._tile(self.swaps[row][group], 1)),
            shadows=grid("shadow", lambda row, group: self._tile(
                self.shifts[row][group], self.rows - row)),
            sums=grid("sum", lambda row, group: past[row][group] if past else None),
            outputs=outputs)

    @staticmethod
    def _tile(count: int, lines: int) -> int | None:
        """Return the tile of a register that has loaded ``count`` times, ``lines`` times a tile."""
        return (count - 1) // lines if count else None


def record(config: Config, tiles: Sequence[Matrix], passes: Sequence[Matrix]) -> list[Frame]:
    """Simulate the array and return its contents in every cycle.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        Size and multiplier form of the array.
    tiles : list of ``rows`` x ``cols`` matrices
        Weights, int8.
    passes : list of matrices with ``rows`` columns and at least ``rows`` rows
        Vectors that stream through each tile, int8.
    """
    array = SystolicArray(config)
    tracker = _Tracker(config)
    return [tracker.frame(now) for now in _simulate(array, tiles, passes)]
