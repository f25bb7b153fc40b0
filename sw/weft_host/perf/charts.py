"""Charts of an explanation as SVG: timeline, bars of the layers, roofline."""

from __future__ import annotations

import dataclasses
import html
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from weft.spec import isa

from .explain import Explanation, LayerReport
from .trace import Span

__all__ = ["MOST_RECTANGLES", "bars", "number", "roofline", "timeline"]

WIDTH, LANE, LEFT = 1100, 34, 90
COLOURS = ("#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#76b7b2", "#edc948", "#b07aa1", "#ff9da7",
           "#9c755f", "#bab0ac")
MOST_RECTANGLES = 4000
"""Limit of the timeline. Above it, adjacent instructions of a layer are merged."""


def number(value: float | None) -> str:
    """Format a number with separators; a dash for None."""
    return "–" if value is None else f"{value:,.0f}"


def _colour(index: int) -> str:
    return COLOURS[index % len(COLOURS)]


def _svg(height: float, content: Iterable[str]) -> str:
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="100%">{"".join(content)}</svg>')


def _rect(x: float, y: float, width: float, height: float, colour: str, title: str) -> str:
    return (f'<rect x="{x:.2f}" y="{y:.2f}" width="{max(width, 0.3):.2f}" height="{height:.1f}" '
            f'fill="{colour}"><title>{html.escape(title)}</title></rect>')


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str = "grid") -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


@dataclasses.dataclass
class _Box:
    """Rectangle of the timeline: ``count`` instructions from ``index`` on."""

    unit: int
    layer: int
    start: int
    end: int
    index: int
    count: int = 1

    def title(self, names: Mapping[int, str]) -> str:
        what = (f"instruction {self.index}" if self.count == 1
                else f"{self.count} instructions from {self.index}")
        return (f"{isa.UNITS[self.unit]}, {names.get(self.layer, '')}: {what}, "
                f"cycles {self.start:,} to {self.end:,}")


def _boxes(spans: Sequence[Span]) -> list[_Box]:
    """Return a box for each instruction, or for runs of adjacent ones if there are too many."""
    gap = 0 if len(spans) <= MOST_RECTANGLES else max(span.done for span in spans) / WIDTH
    found: list[_Box] = []
    last: dict[int, _Box] = {}
    for span in spans:
        before = last.get(span.unit)
        if gap and before and before.layer == span.layer and span.start - before.end <= gap:
            before.end = max(before.end, span.done)
            before.count += 1
            continue
        last[span.unit] = _Box(span.unit, span.layer, span.start, span.done, span.index)
        found.append(last[span.unit])
    return found


def timeline(found: Explanation) -> str:
    """Return the timeline of the four units as SVG."""
    colours = {layer.index: _colour(index) for index, layer in enumerate(found.layers)}
    names = {layer.index: layer.name for layer in found.layers}
    scale = (WIDTH - LEFT - 10) / found.total.predicted
    content = []
    height = LANE * len(isa.UNITS) + 60
    for step in range(11):
        x = LEFT + step * (WIDTH - LEFT - 10) / 10
        content += [_line(x, 18, x, height - 30),
                    _text(x, height - 16, number(found.total.predicted * step / 10),
                          "end" if step == 10 else "middle")]
    for layer in found.layers:
        content.append(_rect(LEFT + layer.first * scale, 4, layer.predicted * scale, 10,
                             colours[layer.index], f"{layer.name}: time of the layer"))
    content.append(_text(4, 13, "layer"))
    for unit, name in enumerate(isa.UNITS):
        content.append(_text(4, 20 + unit * LANE + LANE / 2 + 4, name))
    for box in _boxes(found.spans):
        content.append(_rect(LEFT + box.start * scale, 22 + box.unit * LANE,
                             (box.end - box.start) * scale, LANE - 8, colours[box.layer],
                             box.title(names)))
    return _svg(height, content)


@dataclasses.dataclass
class _Roofline:
    """Plot of multiplications per cycle over multiplications per byte, both logarithmic."""

    layers: Sequence[LayerReport]
    cells: int
    beat: float
    RIGHT, HEIGHT, BOTTOM, TOP = WIDTH - 200, 380, 340, 16

    def __post_init__(self) -> None:
        intensities = [layer.intensity or 0 for layer in self.layers]
        self.low_x = min([0.25, *intensities])
        self.high_x = max([4 * self.cells / self.beat, *intensities]) * 1.5
        self.low_y = min([1.0, *(layer.achieved for layer in self.layers)])

    def x(self, intensity: float) -> float:
        share = math.log(intensity / self.low_x) / math.log(self.high_x / self.low_x)
        return LEFT + share * (self.RIGHT - LEFT)

    def y(self, rate: float) -> float:
        share = math.log(max(rate, self.low_y) / self.low_y) / math.log(2 * self.cells / self.low_y)
        return self.BOTTOM - share * (self.BOTTOM - self.TOP)

    def point(self, layer: LayerReport) -> tuple[float, float]:
        return self.x(layer.intensity or self.low_x), self.y(layer.achieved)

    def axes(self) -> Iterator[str]:
        bottom, top, right = self.BOTTOM, self.TOP, self.RIGHT
        yield _line(LEFT, bottom, right, bottom, "axis")
        yield _line(LEFT, top, LEFT, bottom, "axis")
        for power in range(math.floor(math.log2(self.low_x)), math.ceil(math.log2(self.high_x))):
            value = 2.0 ** power
            if self.low_x <= value and power % 2 == 0:
                yield _line(self.x(value), top, self.x(value), bottom)
                yield _text(self.x(value), bottom + 14, f"{value:g}", "middle")
        for power in range(0, int(math.log2(2 * self.cells)) + 1, 2):
            value = 2.0 ** power
            yield _line(LEFT, self.y(value), right, self.y(value))
            yield _text(LEFT - 6, self.y(value) + 4, f"{2 ** power}", "end")

    def roof(self) -> Iterator[str]:
        knee = self.cells / self.beat
        corners = [(self.low_x, self.low_x * self.beat), (knee, self.cells),
                   (self.high_x, self.cells)]
        path = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in corners)
        yield f'<polyline points="{path}" fill="none" stroke="#222" stroke-width="1.5"/>'
        yield _text(self.x(knee), self.y(self.cells) - 6, f"array: {self.cells} per cycle")
        yield _text((LEFT + self.RIGHT) / 2, self.HEIGHT - 8,
                    "multiplications per byte of host memory", "middle")
        yield _text(4, self.TOP + 4, "per cycle")


def roofline(found: Explanation, cells: int, beat: float) -> str:
    """Return the roofline as SVG, for ``cells`` cells and ``beat`` bytes per cycle."""
    plotted = [layer for layer in (*found.layers, found.total) if layer.macs and layer.intensity]
    plot = _Roofline(plotted, cells, beat)
    content = [*plot.axes(), *plot.roof()]
    labels: list[tuple[float, float]] = []
    for index, layer in enumerate(found.layers):
        if layer not in plotted:
            continue
        title = (f"{layer.name}: {layer.achieved:.1f} per cycle at {layer.intensity:.1f} per byte; "
                 f"the roof is {layer.roof:.1f}")
        x, y = plot.point(layer)
        content.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{_colour(index)}">'
                       f"<title>{html.escape(title)}</title></circle>")
        x, y = x + 7, y + 4
        while any(abs(x - other) < 18 and abs(y - above) < 11 for other, above in labels):
            y += 11
        labels.append((x, y))
        content.append(_text(x, y, str(layer.index)))
    if found.total in plotted:
        x, y = plot.point(found.total)
        content += [f'<path d="M{x:.1f} {y - 7:.1f} l7 7 l-7 7 l-7 -7 z" fill="#222">'
                    "<title>all</title></path>", _text(x + 10, y + 4, "all")]
    return _svg(plot.HEIGHT, content)


def bars(found: Explanation) -> str:
    """Return the cycles of each layer as SVG."""
    most = max(max(layer.predicted, layer.measured or 0, layer.ideal) for layer in found.layers)
    scale = (WIDTH - 330) / max(1, most)
    content, y = [], 6.0
    for index, layer in enumerate(found.layers):
        content.append(_text(4, y + 16, layer.name))
        values: list[tuple[str, float, str]] = [
            ("ideal", layer.ideal, "#c8c8c8"), ("predicted", layer.predicted, _colour(index))]
        if layer.measured is not None:
            values.append(("measured", layer.measured, "#444"))
        for name, value, colour in values:
            content += [_rect(200, y, value * scale, 9, colour,
                              f"{layer.name}, {name}: {value:,.0f} cycles"),
                        _text(206 + value * scale, y + 9, number(value))]
            y += 11
        y += 8
    return _svg(y + 6, content)
