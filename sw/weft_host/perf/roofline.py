"""Roofline of an explanation as SVG."""

from __future__ import annotations

import dataclasses
import html
import math
from collections.abc import Iterator, Sequence

from .explain import Explanation, LayerReport
from .svg import WIDTH, Labels, colour, drawing, line, text, text_box

__all__ = ["roofline"]

LEFT, RIGHT, TOP, BOTTOM, HEIGHT = 80, WIDTH - 30, 20, 390, 436
RADIUS = 5      # of a layer's point


@dataclasses.dataclass
class _Roofline:
    """Plot of multiplications per cycle over multiplications per byte, both logarithmic."""

    layers: Sequence[LayerReport]
    cells: int
    beat: float

    def __post_init__(self) -> None:
        intensities = [layer.intensity or 0 for layer in self.layers]
        self.low_x = min([0.25, *intensities])
        self.high_x = max([4 * self.cells / self.beat, *intensities]) * 1.5
        self.low_y = min([1.0, *(layer.achieved for layer in self.layers)])

    def x(self, intensity: float) -> float:
        share = math.log(intensity / self.low_x) / math.log(self.high_x / self.low_x)
        return LEFT + share * (RIGHT - LEFT)

    def y(self, rate: float) -> float:
        share = math.log(max(rate, self.low_y) / self.low_y) / math.log(2 * self.cells / self.low_y)
        return BOTTOM - share * (BOTTOM - TOP)

    def point(self, layer: LayerReport) -> tuple[float, float]:
        return self.x(layer.intensity or self.low_x), self.y(layer.achieved)

    def axes(self) -> Iterator[str]:
        yield line(LEFT, BOTTOM, RIGHT, BOTTOM, "axis")
        yield line(LEFT, TOP, LEFT, BOTTOM, "axis")
        for power in range(math.floor(math.log2(self.low_x)), math.ceil(math.log2(self.high_x))):
            value = 2.0 ** power
            if self.low_x <= value and power % 2 == 0:
                yield line(self.x(value), TOP, self.x(value), BOTTOM)
                yield text(self.x(value), BOTTOM + 16, f"{value:g}", "middle")
        for power in range(math.ceil(math.log2(self.low_y)), int(math.log2(2 * self.cells)) + 1):
            value = 2.0 ** power
            if power % 2 == 0:
                yield line(LEFT, self.y(value), RIGHT, self.y(value))
                yield text(LEFT - 6, self.y(value) + 4, f"{value:g}", "end")
        yield text((LEFT + RIGHT) / 2, HEIGHT - 8,
                   "multiplications per byte of host memory traffic", "middle", "axis-name")
        yield text(16, (TOP + BOTTOM) / 2, "multiplications per cycle", "middle", "axis-name",
                   turned=True)

    def roof(self) -> str:
        knee = self.cells / self.beat
        corners = [(self.low_x, self.low_x * self.beat), (knee, self.cells),
                   (self.high_x, self.cells)]
        path = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in corners)
        return f'<polyline class="roof" points="{path}"/>'


def roofline(found: Explanation, cells: int, beat: float) -> str:
    """Return the roofline, for ``cells`` cells and ``beat`` bytes per cycle of host memory.

    A layer without space for its number has none; its tooltip has all figures.
    """
    plotted = [layer for layer in (*found.layers, found.total) if layer.macs and layer.intensity]
    plot = _Roofline(plotted, cells, beat)
    roof_label = (RIGHT, plot.y(cells) - 6, f"array: {cells} multiplications per cycle", "end")
    content = [*plot.axes(), plot.roof(), text(*roof_label)]
    points = [plot.point(layer) for layer in plotted]
    labels = Labels((LEFT + 1, TOP, RIGHT, BOTTOM - 1), [text_box(*roof_label), *(
        (x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS) for x, y in points)])
    if found.total in plotted:
        x, y = points[-1]
        content += [f'<path class="total" d="M{x:.1f} {y - 7:.1f} l7 7 l-7 7 l-7 -7 z">'
                    "<title>all layers</title></path>", labels.place(x, y, "all")]
    for index, layer in enumerate(found.layers):
        if layer not in plotted:
            continue
        x, y = plot.point(layer)
        title = (f"{layer.name}: {layer.achieved:.1f} per cycle at {layer.intensity:.1f} per byte; "
                 f"the roof is {layer.roof:.1f}")
        content += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{RADIUS}" fill="{colour(index)}">'
                    f"<title>{html.escape(title)}</title></circle>",
                    labels.place(x, y, str(layer.index))]
    return drawing(HEIGHT, "roofline of the layers", content)
