"""Charts of an explanation as SVG: timeline of the units, bars of the layers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from weft.spec import isa

from .explain import Explanation
from .svg import (
    WIDTH,
    colour,
    drawing,
    line,
    nice_ticks,
    number,
    rectangle,
    shortened,
    text,
    text_width,
)
from .trace import Span

__all__ = ["MOST_RECTANGLES", "bars", "timeline"]

LANE, LEFT, STRIP = 34, 80, 16
NAMES, VALUES = 200, 80         # pixels of the bars' chart for names and for values
BAR, BAR_PITCH, GAP = 10, 13, 8
MOST_RECTANGLES = 4000
"""Limit of the timeline. Above it, adjacent instructions of a layer are merged."""


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


def _cycle_axis(left: float, scale: float, top: float, bottom: float, end: float,
                name: str) -> list[str]:
    """Return a grid with round numbers of cycles, and the name of the axis below it."""
    content = []
    for value in nice_ticks(end):
        x = left + value * scale
        content += [line(x, top, x, bottom), text(x, bottom + 14, number(value), "middle")]
    return [*content, text((left + WIDTH) / 2, bottom + 32, name, "middle", "axis-name")]


def timeline(found: Explanation) -> str:
    """Return the timeline of the four units. A strip above them shows the time of each layer."""
    colours = {layer.index: colour(index) for index, layer in enumerate(found.layers)}
    names = {layer.index: layer.name for layer in found.layers}
    end = found.total.predicted
    scale = (WIDTH - LEFT - 40) / end
    top, bottom = STRIP + 10, STRIP + 14 + LANE * len(isa.UNITS)
    content = _cycle_axis(LEFT, scale, top, bottom, end, "cycles from the start of the program")
    content.append(text(4, STRIP - 1, "layer"))
    for layer in found.layers:
        left, right = LEFT + layer.first * scale, LEFT + (layer.first + layer.predicted) * scale
        content.append(rectangle((left, 2, right, STRIP + 2), "box",
                                 f"{layer.name}: time of the layer", colours[layer.index]))
        label = str(layer.index)
        if layer.index >= 0 and right - left > text_width(label) + 2:
            content.append(text((left + right) / 2, STRIP - 2, label, "middle", "on-colour"))
    for unit, name in enumerate(isa.UNITS):
        content.append(text(4, top + unit * LANE + LANE / 2 + 4, name))
    for box in _boxes(found.spans):
        y = top + 4 + box.unit * LANE
        content.append(rectangle((LEFT + box.start * scale, y, LEFT + box.end * scale,
                                  y + LANE - 8), "box", box.title(names), colours[box.layer]))
    return drawing(bottom + 40, "timeline of the units", content)


def bars(found: Explanation) -> str:
    """Return the cycles of each layer: ideal, predicted, and measured if there was a run."""
    most = max(max(layer.predicted, layer.measured or 0, layer.ideal) for layer in found.layers)
    scale = (WIDTH - NAMES - VALUES) / max(1, most)
    content: list[str] = []
    y = 6.0
    for index, layer in enumerate(found.layers):
        content.append(text(4, y + BAR, shortened(layer.name, NAMES - 10)))
        values: list[tuple[str, float, str]] = [
            ("ideal", layer.ideal, ""), ("predicted", layer.predicted, colour(index))]
        if layer.measured is not None:
            values.append(("measured", layer.measured, ""))
        for name, value, fill in values:
            content += [rectangle((NAMES, y, NAMES + value * scale, y + BAR), name,
                                  f"{layer.name}, {name}: {value:,.0f} cycles", fill),
                        text(NAMES + 6 + value * scale, y + BAR - 1, number(value))]
            y += BAR_PITCH
        y += GAP
    axis = _cycle_axis(NAMES, scale, 0, y, most, "cycles")
    return drawing(y + 40, "cycles of each layer", [*axis, *content])
