"""A picture of where place and route put each block of a design."""

import collections
import json
import re

__all__ = ["draw_floorplan", "read_cells"]

_SITE = re.compile(r"^(?:(?:X|R)(\d+))/?(?:Y|C)(\d+)")
_SHOWN = 12             # blocks with a colour of their own; the smaller ones share one


def _block(name):
    """The part of the board that a cell's name begins with, or the part of the accelerator."""
    top, *parts = name.split(".")
    if top != "top" or len(parts) < 2:
        return "other"
    return parts[1] if parts[0] == "accelerator" and len(parts) > 2 else parts[0]


def read_cells(path):
    """``[(block, column, row)]`` of all cells in the netlist that nextpnr placed."""
    modules = json.loads(path.read_text())["modules"]
    cells = []
    for name, cell in modules["top"]["cells"].items():
        site = _SITE.match(cell["attributes"].get("NEXTPNR_BEL", ""))
        if site:
            cells.append((_block(name), int(site[1]), int(site[2])))
    return cells


def draw_floorplan(cells, path, title):
    """Writes the picture; a dot is a tile of the device, its size how many cells are there.

    Raises
    ------
    ValueError
        If no cell has a place.
    """
    if not cells:
        raise ValueError("no cell of the design has a place: there is nothing to draw")
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
            axes.scatter(*zip(*tiles), s=[2 + 1.5 * count for count in tiles.values()], marker="s",
                         linewidths=0, color=colours(number),
                         label=f"{block}: {sum(tiles.values()):,} cells")
    axes.invert_yaxis()
    axes.set_aspect("equal")
    axes.set(title=title, xlabel="column", ylabel="row")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), markerscale=2, frameon=False)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
