"""Picture of where place and route has put each block of a design."""

from __future__ import annotations

import collections
import json
import pathlib
import re

__all__ = ["draw_floorplan", "read_cells"]

_LOCATION = re.compile(r"^(?:(?:X|R)(\d+))/?(?:Y|C)(\d+)")
_SHOWN = 12             # blocks with a colour of their own; the smaller ones share one

Cell = tuple[str, int, int]             # block, column, row


def read_cells(path: pathlib.Path) -> list[Cell]:
    """Return block, column and row of all cells in a netlist that nextpnr has placed."""
    modules = json.loads(path.read_text())["modules"]
    cells = []
    for name, cell in modules["top"]["cells"].items():
        location = _LOCATION.match(cell["attributes"].get("NEXTPNR_BEL", ""))
        if location:
            cells.append((_block(name), int(location[1]), int(location[2])))
    return cells


def _block(name: str) -> str:
    """Return the first part of a cell's name, or the part after the accelerator."""
    top, *parts = name.split(".")
    if top != "top" or len(parts) < 2:
        return "other"
    return parts[1] if parts[0] == "accelerator" and len(parts) > 2 else parts[0]


def draw_floorplan(cells: list[Cell], path: pathlib.Path, title: str) -> None:
    """Write the picture, in which each tile has a mark as large as its number of cells.

    Raises
    ------
    ValueError
        If no cell has a location.
    """
    if not cells:
        raise ValueError("no cell of the design has a location: there is nothing to draw")
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot

    sizes = collections.Counter(block for block, _, _ in cells)
    shown = [block for block, _ in sizes.most_common() if block != "other"][:_SHOWN]
    figure, axes = pyplot.subplots(figsize=(10, 8), layout="constrained")
    colours = pyplot.get_cmap("tab20")
    for number, block in enumerate([*shown, "other"]):
        tiles = collections.Counter(
            (column, row) for owner, column, row in cells
            if (owner if owner in shown else "other") == block)
        if tiles:
            columns, rows = zip(*tiles)
            axes.scatter(columns, rows, s=[2 + 1.5 * count for count in tiles.values()], marker="s",
                         linewidths=0, color=colours(number),
                         label=f"{block}: {sum(tiles.values()):,} cells")
    axes.invert_yaxis()
    axes.set_aspect("equal")
    axes.set(title=title, xlabel="column", ylabel="row")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), markerscale=2, frameon=False)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
