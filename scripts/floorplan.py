"""A picture of where place and route put each block of a design."""

import json
import re

__all__ = ["draw_floorplan", "read_cells"]

_SITE = re.compile(r"^(?:(?:X|R)(\d+))/?(?:Y|C)(\d+)")
# the blocks to tell apart: the first that a cell's name begins with
BLOCKS = (
    ("host link", ("top.link",)),
    ("host memory", ("top.memory", "top.joiner")),
    ("array", ("top.accelerator.matmul.array", "top.accelerator.matmul.grid")),
    ("matmul", ("top.accelerator.matmul",)),
    ("vector", ("top.accelerator.vector",)),
    ("scratchpad", ("top.accelerator.scratchpad",)),
    ("accumulators", ("top.accelerator.accumulators",)),
    ("weights", ("top.accelerator.weights",)),
    ("dma", ("top.accelerator.load", "top.accelerator.store", "top.accelerator.arbiter")),
    ("control", ("top.accelerator.control",)),
    ("other", ("",)),
)


def _block(name):
    return next(block for block, starts in BLOCKS if name.startswith(starts))


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

    figure, axes = pyplot.subplots(figsize=(10, 8), layout="constrained")
    colours = pyplot.get_cmap("tab20")
    for number, (block, _) in enumerate(BLOCKS):
        count = {}
        for owner, column, row in cells:
            if owner == block:
                count[column, row] = count.get((column, row), 0) + 1
        if count:
            axes.scatter(*zip(*count), s=[2 + 1.5 * many for many in count.values()], marker="s",
                         linewidths=0, color=colours(number),
                         label=f"{block}: {sum(count.values()):,} cells")
    axes.invert_yaxis()
    axes.set_aspect("equal")
    axes.set(title=title, xlabel="column", ylabel="row")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), markerscale=2, frameon=False)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
