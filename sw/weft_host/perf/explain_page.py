"""Explanation of a program as one self-contained HTML page: charts and tables."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from .charts import bars, number, roofline, timeline
from .explain import Explanation

__all__ = ["page"]

_STYLE = """
body { font: 14px/1.5 system-ui, sans-serif; max-width: 1160px; margin: 2em auto; color: #222; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin-top: 2em; }
table { border-collapse: collapse; } td, th { padding: 2px 10px; text-align: right; }
th { border-bottom: 1px solid #999; } td:first-child, th:first-child { text-align: left; }
svg { background: #fff; } svg text { font: 11px system-ui, sans-serif; fill: #444; }
.axis { stroke: #999; } .grid { stroke: #e4e4e4; } p { max-width: 60em; }
"""


def _table(head: Iterable[str], rows: Iterable[Sequence[object]]) -> str:
    cells = "".join(f"<th>{html.escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>"
                   for row in rows)
    return f"<table><tr>{cells}</tr>{body}</table>"


def page(found: Explanation, cells: int, beat: float) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    found : :class:`weft_host.perf.explain.Explanation`
    cells : :class:`int`
        Cells of the array.
    beat : :class:`float`
        Bytes per cycle of host memory.
    """
    total = found.total
    layers = [(layer.name, layer.what, number(layer.macs), number(layer.ideal),
               number(layer.predicted), number(layer.measured), layer.limit,
               number(layer.bytes_read), number(layer.bytes_written))
              for layer in (*found.layers, total)]
    units = [(unit.unit, f"{100 * unit.busy / total.predicted:.1f} %",
              ", ".join(f"{what} {100 * cycles / total.predicted:.1f} %" for what, cycles
                        in sorted(unit.waiting.items(), key=lambda item: -item[1])))
             for unit in found.units]
    helps = [(change.what, number(change.cycles), f"{-100 * change.saved:+.1f} %")
             for change in found.helps]
    title = f"{total.what or 'program'} on {found.preset}"
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        f"<p>{number(total.predicted)} cycles predicted, "
        f"{'' if total.measured is None else f'{number(total.measured)} measured, '}"
        f"{number(total.ideal)} ideal. Host memory: latency {found.latency}, bandwidth "
        f"{found.bandwidth:g} beats per cycle.</p>",
        "<h2>Timeline</h2>", timeline(found),
        "<h2>Cycles of each layer</h2>",
        "<p>Grey: multiplications over cells. Black: measured. A layer's time is from the end of "
        "the layer before to its own end; its earlier work counts as that layer's time.</p>",
        bars(found), "<h2>Roofline</h2>",
        "<p>A layer is above the roof if part of its work is done in another layer's time.</p>",
        roofline(found, cells, beat),
        "<h2>What would help</h2>", _table(("change", "cycles", "difference"), helps),
        "<h2>Units</h2>", _table(("unit", "busy", "waiting for"), units),
        "<h2>Layers</h2>",
        _table(("layer", "what", "MACs", "ideal", "predicted", "measured", "limit", "bytes read",
                "bytes written"), layers)]
    return (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body>\n"
            + "\n".join(parts) + "\n</body></html>\n")
