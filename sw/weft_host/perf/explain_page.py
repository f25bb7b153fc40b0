"""An explanation as one HTML page that needs nothing else: timeline, roofline, bars, tables."""

import html
import math

from weft.spec import isa

__all__ = ["page"]

WIDTH, LANE, LEFT = 1100, 34, 90
COLOURS = ("#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#76b7b2", "#edc948", "#b07aa1", "#ff9da7",
           "#9c755f", "#bab0ac")
MOST_RECTANGLES = 4000
"""Of the timeline; neighbours of a layer are drawn as one beyond that."""

_STYLE = """
body { font: 14px/1.5 system-ui, sans-serif; max-width: 1160px; margin: 2em auto; color: #222; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin-top: 2em; }
table { border-collapse: collapse; } td, th { padding: 2px 10px; text-align: right; }
th { border-bottom: 1px solid #999; } td:first-child, th:first-child { text-align: left; }
svg { background: #fff; } svg text { font: 11px system-ui, sans-serif; fill: #444; }
.axis { stroke: #999; } .grid { stroke: #e4e4e4; } p { max-width: 60em; }
"""


def _number(value):
    return "–" if value is None else f"{value:,.0f}"


def _colour(place):
    return COLOURS[place % len(COLOURS)]


def _svg(height, content):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="100%">{"".join(content)}</svg>')


def _rect(x, y, width, height, colour, title):
    return (f'<rect x="{x:.2f}" y="{y:.2f}" width="{max(width, 0.3):.2f}" height="{height:.1f}" '
            f'fill="{colour}"><title>{html.escape(title)}</title></rect>')


def _text(x, y, text, anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(text)}</text>'


def _line(x1, y1, x2, y2, kind="grid"):
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _table(head, rows):
    cells = "".join(f"<th>{html.escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>"
                   for row in rows)
    return f"<table><tr>{cells}</tr>{body}</table>"


def _merged(spans, names):
    """``(unit, layer, start, end, title)``: each instruction, or runs of them if there are many."""
    gap = 0 if len(spans) <= MOST_RECTANGLES else max(span.done for span in spans) / WIDTH
    found: list[list] = []
    last: dict[int, list] = {}
    for span in spans:
        before = last.get(span.unit)
        if gap and before and before[1] == span.layer and span.start - before[3] <= gap:
            before[3] = max(before[3], span.done)
            before[4] += 1
            continue
        last[span.unit] = [span.unit, span.layer, span.start, span.done, 1, span.index]
        found.append(last[span.unit])
    for unit, layer, start, end, count, index in found:
        what = f"instruction {index}" if count == 1 else f"{count} instructions from {index} on"
        yield unit, layer, start, end, (f"{isa.UNITS[unit]}, {names.get(layer, '')}: {what}, "
                                        f"cycles {start:,} to {end:,}")


def _timeline(found):
    places = {layer.index: place for place, layer in enumerate(found.layers)}
    names = {layer.index: layer.name for layer in found.layers}
    scale = (WIDTH - LEFT - 10) / found.total.predicted
    content = []
    height = LANE * len(isa.UNITS) + 60
    for step in range(11):
        x = LEFT + step * (WIDTH - LEFT - 10) / 10
        content += [_line(x, 18, x, height - 30),
                    _text(x, height - 16, _number(found.total.predicted * step / 10),
                          "end" if step == 10 else "middle")]
    for layer in found.layers:
        content.append(_rect(LEFT + layer.first * scale, 4, layer.predicted * scale, 10,
                             _colour(places[layer.index]), f"{layer.name}: its time"))
    content.append(_text(4, 13, "layer"))
    for unit, name in enumerate(isa.UNITS):
        content.append(_text(4, 20 + unit * LANE + LANE / 2 + 4, name))
    for unit, layer, start, end, title in _merged(found.spans, names):
        content.append(_rect(LEFT + start * scale, 22 + unit * LANE, (end - start) * scale,
                             LANE - 8, _colour(places[layer]), title))
    return _svg(height, content)


def _roofline(found, cells, beat):
    """Multiplications a cycle over multiplications a byte, both logarithmic."""
    points = [layer for layer in (*found.layers, found.total) if layer.macs and layer.intensity]
    low_x = min([0.25, *(layer.intensity for layer in points)])
    high_x = max([4 * cells / beat, *(layer.intensity for layer in points)]) * 1.5
    low_y = min([1.0, *(layer.achieved for layer in points)])
    height, bottom, top = 380, 340, 16

    def x_of(value):
        return LEFT + (math.log(value / low_x) / math.log(high_x / low_x)) * (WIDTH - LEFT - 200)

    def y_of(value):
        share = math.log(max(value, low_y) / low_y) / math.log(2 * cells / low_y)
        return bottom - share * (bottom - top)

    knee = cells / beat
    content = [_line(LEFT, bottom, WIDTH - 200, bottom, "axis"),
               _line(LEFT, top, LEFT, bottom, "axis")]
    for power in range(math.floor(math.log2(low_x)), math.ceil(math.log2(high_x))):
        if low_x <= 2.0 ** power and power % 2 == 0:
            content += [_line(x_of(2.0 ** power), top, x_of(2.0 ** power), bottom),
                        _text(x_of(2.0 ** power), bottom + 14, f"{2.0 ** power:g}", "middle")]
    for power in range(0, int(math.log2(2 * cells)) + 1, 2):
        content += [_line(LEFT, y_of(2.0 ** power), WIDTH - 200, y_of(2.0 ** power)),
                    _text(LEFT - 6, y_of(2.0 ** power) + 4, f"{2 ** power}", "end")]
    corners = [(low_x, low_x * beat), (knee, cells), (high_x, cells)]
    path = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in corners)
    content.append(f'<polyline points="{path}" fill="none" stroke="#222" stroke-width="1.5"/>')
    content += [_text(x_of(knee), y_of(cells) - 6, f"array: {cells} a cycle"),
                _text((LEFT + WIDTH - 200) / 2, height - 8, "multiplications a byte of host memory",
                      "middle"),
                _text(4, top + 4, "a cycle")]
    labels: list[tuple[float, float]] = []
    for place, layer in enumerate(found.layers):
        if layer in points:
            title = (f"{layer.name}: {layer.achieved:.1f} a cycle at {layer.intensity:.1f} a byte; "
                     f"the roof is {layer.roof:.1f}")
            content.append(f'<circle cx="{x_of(layer.intensity):.1f}" '
                           f'cy="{y_of(layer.achieved):.1f}" r="5" fill="{_colour(place)}">'
                           f"<title>{html.escape(title)}</title></circle>")
            x, y = x_of(layer.intensity) + 7, y_of(layer.achieved) + 4
            while any(abs(x - other) < 18 and abs(y - above) < 11 for other, above in labels):
                y += 11
            labels.append((x, y))
            content.append(_text(x, y, str(layer.index)))
    if found.total in points:
        x, y = x_of(found.total.intensity), y_of(found.total.achieved)
        content += [f'<path d="M{x:.1f} {y - 7:.1f} l7 7 l-7 7 l-7 -7 z" fill="#222">'
                    "<title>all</title></path>", _text(x + 10, y + 4, "all")]
    return _svg(height, content)


def _bars(found):
    most = max(max(layer.predicted, layer.measured or 0, layer.ideal) for layer in found.layers)
    scale = (WIDTH - 330) / max(1, most)
    content, y = [], 6.0
    for place, layer in enumerate(found.layers):
        content.append(_text(4, y + 16, layer.name))
        bars = [("ideal", layer.ideal, "#c8c8c8"), ("predicted", layer.predicted, _colour(place))]
        if layer.measured is not None:
            bars.append(("measured", layer.measured, "#444"))
        for name, value, colour in bars:
            content += [_rect(200, y, value * scale, 9, colour,
                              f"{layer.name}, {name}: {value:,.0f} cycles"),
                        _text(206 + value * scale, y + 9, _number(value))]
            y += 11
        y += 8
    return _svg(y + 6, content)


def page(found, cells, beat):
    """The page.

    Parameters
    ----------
    found : :class:`weft_host.perf.explain.Explanation`
    cells : :class:`int`
        Of the array.
    beat : :class:`float`
        Bytes that host memory moves in a cycle.
    """
    total = found.total
    layers = [(layer.name, layer.what, _number(layer.macs), _number(layer.ideal),
               _number(layer.predicted), _number(layer.measured), layer.limit,
               _number(layer.bytes_read), _number(layer.bytes_written))
              for layer in (*found.layers, total)]
    units = [(unit.unit, f"{100 * unit.busy / total.predicted:.1f} %",
              ", ".join(f"{what} {100 * cycles / total.predicted:.1f} %" for what, cycles
                        in sorted(unit.waiting.items(), key=lambda item: -item[1])))
             for unit in found.units]
    helps = [(change.what, _number(change.cycles), f"{-100 * change.saved:+.1f} %")
             for change in found.helps]
    title = f"{total.what or 'program'} on {found.preset}"
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        f"<p>{_number(total.predicted)} cycles predicted, "
        f"{'' if total.measured is None else f'{_number(total.measured)} measured, '}"
        f"{_number(total.ideal)} ideal. Host memory: latency {found.latency}, bandwidth "
        f"{found.bandwidth:g} beats a cycle.</p>",
        "<h2>Timeline</h2>", _timeline(found),
        "<h2>Cycles of each layer</h2>",
        "<p>Grey: multiplications over cells. Black: measured. A layer's time goes from where the "
        "layer before has ended to where it has; what it does before that is the other's time.</p>",
        _bars(found), "<h2>Roofline</h2>",
        "<p>A layer lies above the roof if a part of its work is done in another's time.</p>",
        _roofline(found, cells, beat),
        "<h2>What would help</h2>", _table(("change", "cycles", "difference"), helps),
        "<h2>Units</h2>", _table(("unit", "busy", "waiting for"), units),
        "<h2>Layers</h2>",
        _table(("layer", "what", "MACs", "ideal", "predicted", "measured", "limit", "bytes read",
                "bytes written"), layers)]
    return (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body>\n"
            + "\n".join(parts) + "\n</body></html>\n")
