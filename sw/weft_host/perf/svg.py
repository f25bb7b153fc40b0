"""Elements of charts as SVG: shapes, texts that do not overlap, and scales of axes."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Iterator, Sequence

__all__ = ["LINE_HEIGHT", "WIDTH", "Labels", "colour", "drawing", "line", "nice_ticks", "number",
           "rectangle", "shortened", "text", "text_box", "text_width"]

WIDTH = 1100
"""Width of a drawing in its own units, which are pixels of a page that shows it at full size."""

CHARACTER, LINE_HEIGHT = 7.5, 14.0      # width and height of a text of 11 pixels
_COLOURS = ("#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#76b7b2", "#b6992d", "#b07aa1", "#d37295",
            "#9c755f", "#8a8381")

Box = tuple[float, float, float, float]
"""Left, top, right and bottom of a rectangle."""


def number(value: float | None) -> str:
    """Format a number with separators; a dash for None."""
    return "–" if value is None else f"{value:,.0f}"


def colour(index: int) -> str:
    """Return the colour of layer ``index``; neighbours differ."""
    return _COLOURS[index % len(_COLOURS)]


def drawing(height: float, name: str, content: Iterable[str]) -> str:
    """Return a drawing with a name for screen readers."""
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" role="img" '
            f'aria-label="{html.escape(name)}">{"".join(content)}</svg>')


def rectangle(box: Box, kind: str, title: str, fill: str = "") -> str:
    """Return a rectangle of CSS class ``kind`` with a tooltip. It is never too narrow to see."""
    left, top, right, bottom = box
    style = f' fill="{fill}"' if fill else ""
    return (f'<rect class="{kind}" x="{left:.2f}" y="{top:.2f}" '
            f'width="{max(right - left, 0.3):.2f}" height="{bottom - top:.1f}"{style}>'
            f"<title>{html.escape(title)}</title></rect>")


def text(x: float, y: float, content: str, anchor: str = "start", kind: str = "",
         turned: bool = False) -> str:
    """Return a text whose baseline begins, ends or has its middle at a point."""
    style = f' class="{kind}"' if kind else ""
    turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}{turn}>'
            f"{html.escape(content)}</text>")


def line(x1: float, y1: float, x2: float, y2: float, kind: str = "grid") -> str:
    """Return a line of CSS class ``kind``."""
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def text_width(content: str) -> float:
    """Return about the width of a text, in a wide font."""
    return CHARACTER * len(content)


def text_box(x: float, y: float, content: str, anchor: str = "start") -> Box:
    """Return a rectangle that contains the text of :func:`text`."""
    width = text_width(content)
    left = x - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
    return left, y - 0.75 * LINE_HEIGHT, left + width, y + 0.25 * LINE_HEIGHT


def shortened(content: str, width: float) -> str:
    """Return a text that is at most ``width`` wide, with dots in place of what does not fit."""
    most = int(width / CHARACTER)
    return content if len(content) <= most else content[:max(1, most - 1)] + "…"


def nice_ticks(end: float, most: int = 10) -> list[int]:
    """Return at most ``most`` + 1 round values from 0 to ``end``, equally far apart."""
    step = max(1.0, end / most)
    scale = 10 ** math.floor(math.log10(step))
    rounded = next(factor * scale for factor in (1, 2, 5, 10) if factor * scale >= step)
    return list(range(0, int(end) + 1, int(rounded)))


class Labels:
    """Labels of points, each where it overlaps neither another label nor an obstacle.

    Parameters
    ----------
    area : :data:`Box`
        Area that the labels do not leave.
    obstacles : sequence of :data:`Box`
        Areas that the labels avoid.
    """

    def __init__(self, area: Box, obstacles: Sequence[Box] = ()) -> None:
        self.area = area
        self.taken = list(obstacles)

    def place(self, x: float, y: float, content: str) -> str:
        """Return a label close to a point, or an empty string if there is no space for it."""
        for at_x, at_y, anchor in _around(x, y):
            box = text_box(at_x, at_y, content, anchor)
            if _inside(box, self.area) and not any(_overlap(box, other) for other in self.taken):
                self.taken.append(box)
                return text(at_x, at_y, content, anchor)
        return ""


def _around(x: float, y: float) -> Iterator[tuple[float, float, str]]:
    """Yield positions of a label around a point, the closest first."""
    for distance in (8, 16, 24):
        yield x + distance, y + 4, "start"
        yield x - distance, y + 4, "end"
        yield x, y - distance, "middle"
        yield x, y + distance + 8, "middle"
        for up in (4 - distance, 4 + distance):
            yield x + distance, y + up, "start"
            yield x - distance, y + up, "end"


def _inside(box: Box, area: Box) -> bool:
    return box[0] >= area[0] and box[1] >= area[1] and box[2] <= area[2] and box[3] <= area[3]


def _overlap(one: Box, other: Box) -> bool:
    return (one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3])
