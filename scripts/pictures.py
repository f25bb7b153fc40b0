"""Render the pictures of the documentation: make pictures, or scripts/pictures.py NAME ...

A picture whose prerequisites are missing keeps its committed file; the output says what to run.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import subprocess
import sys

import numpy as np

from array_animation import animate
from array_flow import record
from browser import open_browser
from floorplan import draw_floorplan, read_cells
from perfetto import draw_trace, install_viewer
from weft.spec.presets import preset
from weft_boards import board
from weft_boards._clock import mhz_text

__all__ = ["MAXIMUM_BYTES", "PICTURES", "main"]

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "_static"
MODEL = "examples/digits/digits.tflite"
PRESET = "small"
BOARD = "icebreaker"
COUNTERS = ("bytes read", "bytes written", "multiplications")
MAXIMUM_BYTES = 300_000
_EXPLAIN_WIDTH, _EXPLAIN_HEIGHT = 1180, 900


class NotDrawn(Exception):
    """Report of a prerequisite that is missing, with the command that provides it."""


def matrices() -> tuple[list[list[list[int]]], list[list[list[int]]]]:
    """Return two tiles of weights and the vectors of both passes: small numbers, always the same.

    The array is 4 × 4; five vectors stream through each tile.
    """
    random = np.random.default_rng(19)
    return random.integers(-9, 10, (2, 4, 4)).tolist(), random.integers(-9, 10, (2, 5, 4)).tolist()


def draw_array(path: pathlib.Path) -> None:
    """Write the animation of a small array, from a simulation."""
    tiles, passes = matrices()
    frames = record(preset("tiny"), tiles, passes)
    path.write_text(animate(frames, vectors_per_tile=len(passes[0]), first=12))


def draw_board(path: pathlib.Path, folder: pathlib.Path | None = None) -> None:
    """Write the floorplan of a board that was built in ``folder``.

    Raises
    ------
    NotDrawn
        If the board was not built.
    """
    folder = folder or ROOT / "build" / BOARD
    try:
        result = json.loads((folder / "result.json").read_text())
        best = max(result["mhz"], key=result["mhz"].__getitem__)
        cells = read_cells(folder / f"placed-{best}.json")
    except FileNotFoundError as missing:
        raise NotDrawn(f"{missing.filename} does not exist: run make bitstream BOARD={BOARD}, "
                       "which takes minutes") from None
    chosen = board(BOARD)
    draw_floorplan(cells, path, f"{chosen.title}: array of {chosen.config.rows} × "
                   f"{chosen.config.cols}, {mhz_text(1e6 * result['mhz'][best])} MHz, seed {best}")


def _weft(*arguments: str) -> None:
    """Run the command line."""
    subprocess.run([sys.executable, "-m", "weft_host.cli", *arguments], cwd=ROOT, check=True,
                   stdout=subprocess.DEVNULL)


def draw_explain(path: pathlib.Path) -> None:
    """Write a picture of the timeline and the bars of the digits network, from ``weft explain``."""
    html = ROOT / "build" / "explain.html"
    _weft("explain", MODEL, "--preset", PRESET, "--html", str(html))
    with open_browser(width=_EXPLAIN_WIDTH, height=_EXPLAIN_HEIGHT) as browser:
        tab = browser.new_page()
        tab.goto(html.as_uri())
        bars = tab.locator("svg").nth(1).bounding_box()
        assert bars
        tab.screenshot(path=path, full_page=True, clip={
            "x": 0, "y": 0, "width": _EXPLAIN_WIDTH, "height": bars["y"] + bars["height"] + 20})


def draw_perfetto(path: pathlib.Path) -> None:
    """Write a picture of the trace of the digits network in Perfetto."""
    viewer = install_viewer(ROOT / "build" / "perfetto")
    trace = ROOT / "build" / "trace.json"
    _weft("trace", MODEL, "--preset", PRESET, "-o", str(trace))
    draw_trace(trace, viewer, path, COUNTERS)


PICTURES = {"array.svg": draw_array, "floorplan.png": draw_board, "explain.png": draw_explain,
            "trace.png": draw_perfetto}
"""Pictures in ``docs/_static``, each with the function that draws it."""


def _reduce_colours(path: pathlib.Path) -> None:
    """Write a PNG file again with at most 256 colours and without time stamps."""
    from PIL import Image
    with Image.open(path) as picture:
        reduced = picture.convert("RGB").quantize(256, method=Image.Quantize.MEDIANCUT,
                                                  dither=Image.Dither.NONE)
    reduced.save(path, optimize=True)


def main(arguments: list[str] | None = None) -> None:
    """Draw the pictures that the arguments name, or all.

    Raises
    ------
    SystemExit
        If a picture that was named cannot be drawn, or is too large.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PICTURES))
    names = parser.parse_args(arguments).names
    for name in names:
        if name not in PICTURES:
            parser.error(f"there is no picture {name!r}, only {', '.join(PICTURES)}")
    (ROOT / "build").mkdir(exist_ok=True)
    kept = 0
    for name in names or PICTURES:
        new = ROOT / "build" / name
        try:
            PICTURES[name](new)
        except (NotDrawn, SystemExit) as reason:
            print(f"{name}: not drawn, the committed picture stays. {reason}")
            kept += 1
            continue
        if new.suffix == ".png":
            _reduce_colours(new)
        size = new.stat().st_size
        if size > MAXIMUM_BYTES:
            raise SystemExit(f"{name} has {size:,} bytes, more than {MAXIMUM_BYTES:,}; it is in "
                             f"{new}")
        new.replace(FOLDER / name)
        print(f"{name}: {size:,} bytes")
    raise SystemExit(1 if names and kept else 0)


if __name__ == "__main__":
    main()
