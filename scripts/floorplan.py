"""Picture of where place and route has put each block of a design."""

from __future__ import annotations

import collections
import json
import pathlib
import re

__all__ = ["draw_floorplan", "read_cells"]

_LOCATION = re.compile(r"^(?:(?:X|R)(\d+))/?(?:Y|C)(\d+)")

# one colour for a block on every board, all of them readable on the dark background
_COLOURS = {"matmul": "#f2a541", "vector": "#4aa3df", "control": "#b98ae0", "scratchpad": "#63c174",
            "accumulators": "#2dbdb0", "weights": "#c5d86d", "load": "#f7e463", "store": "#e8836b",
            "link": "#f29ac0", "memory": "#8aa0b8", "arbiter": "#b5835a", "other": "#6b7280"}
_SPARE = ("#f2a541", "#4aa3df", "#63c174", "#b98ae0", "#e8836b", "#2dbdb0", "#f7e463", "#f29ac0")
_SHOWN = len(_SPARE)    # blocks without such a colour that get one; the smaller ones share one
_PAGE, _INK = "#16191d", "#e6e8eb"

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


def _colours(sizes: collections.Counter[str]) -> dict[str, str]:
    """Return the colour of each block; blocks without an entry are drawn as "other"."""
    known = {block: colour for block, colour in _COLOURS.items() if block in sizes}
    spare = [colour for colour in _SPARE if colour not in known.values()]
    unknown = [block for block, _ in sizes.most_common() if block not in known]
    return {**dict(zip(unknown[:_SHOWN], spare)), **known, "other": _COLOURS["other"]}


def draw_floorplan(cells: list[Cell], path: pathlib.Path, title: str) -> None:
    """Write the picture, in which a tile has the colour of the block with most of its cells.

    The fuller a tile, the brighter it is. The background is dark, for pages of either colour.

    Raises
    ------
    ValueError
        If no cell has a location.
    """
    if not cells:
        raise ValueError("no cell of the design has a location: there is nothing to draw")
    import matplotlib
    matplotlib.use("Agg")
    import numpy as np
    from matplotlib import colors, patches, pyplot

    sizes = collections.Counter(block for block, _, _ in cells)
    colours = _colours(sizes)
    tiles: dict[tuple[int, int], collections.Counter[str]] = collections.defaultdict(
        collections.Counter)
    shown: collections.Counter[str] = collections.Counter()
    for block, column, row in cells:
        block = block if block in colours else "other"
        tiles[row, column][block] += 1
        shown[block] += 1
    full = np.percentile([found.total() for found in tiles.values()], 95)
    image = np.zeros((max(row for row, _ in tiles) + 1, max(column for _, column in tiles) + 1, 4))
    for location, found in tiles.items():
        (block, _), = found.most_common(1)
        image[location] = colors.to_rgba(colours[block], 0.4 + 0.6 * min(1, found.total() / full))

    with pyplot.rc_context({"text.color": _INK, "axes.labelcolor": _INK, "xtick.color": _INK,
                            "ytick.color": _INK, "axes.edgecolor": "#454c55", "font.size": 11}):
        figure, axes = pyplot.subplots(figsize=(10, 6.2), layout="constrained", facecolor=_PAGE)
        axes.set_facecolor("#0e1013")
        axes.imshow(image, interpolation="nearest", aspect="equal")
        axes.set(xlabel="column", ylabel="row")
        axes.set_title(title, fontsize=13, fontweight="bold")
        figure.legend(
            handles=[patches.Patch(color=colours[block],
                                   label=f"{block}: {100 * count / len(cells):.1f} %")
                     for block, count in shown.most_common()],
            loc="outside right center", title="share of cells", frameon=False)
        figure.savefig(path, dpi=110, bbox_inches="tight", pad_inches=0.15,
                       metadata={"Software": None})
        pyplot.close(figure)
