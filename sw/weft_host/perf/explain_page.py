"""Explanation of a program as one self-contained HTML page: charts and tables."""

from __future__ import annotations

import html
import ntpath
from collections.abc import Iterable, Sequence

from .charts import bars, timeline
from .explain import Explanation
from .roofline import roofline
from .svg import number

__all__ = ["page", "title_of"]

_STYLE = """
:root { color-scheme: light dark; --text: #222; --soft: #555; --page: #fff; --grid: #e4e4e4;
  --axis: #999; --ideal: #bbb; --measured: #333; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e6e6; --soft: #b4b4b4; --page: #16181c;
  --grid: #33373d; --axis: #777; --ideal: #6b7078; --measured: #eee; } }
body { font: 14px/1.5 system-ui, sans-serif; max-width: 1160px; margin: 0 auto; padding: 1em;
  color: var(--text); background: var(--page); overflow-wrap: break-word; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin-top: 2em; }
p { max-width: 60em; } .wide { overflow-x: auto; }
table { border-collapse: collapse; white-space: nowrap; }
td, th { padding: 2px 8px; text-align: right; border-bottom: 1px solid var(--grid); }
th { border-bottom: 1px solid var(--axis); white-space: normal; vertical-align: bottom; }
td:first-child, th:first-child, .text td, .text th, .layers :is(td, th):nth-child(2) {
  text-align: left; }
svg { display: block; width: 100%; min-width: 900px; }
svg text { font: 11px system-ui, sans-serif; fill: var(--soft); }
svg .axis-name { font-style: italic; } svg .on-colour { fill: #fff; }
.axis { stroke: var(--axis); } .grid { stroke: var(--grid); }
.roof { fill: none; stroke: var(--text); stroke-width: 1.5; } .total { fill: var(--text); }
.ideal { fill: var(--ideal); background: var(--ideal); }
.measured { fill: var(--measured); background: var(--measured); }
.key { display: inline-block; width: 1em; height: 0.7em; margin: 0 0.3em 0 1em; }
.several { background: linear-gradient(90deg, #4e79a7 34%, #f28e2b 34% 67%, #59a14f 67%); }
"""


def title_of(found: Explanation) -> str:
    """Return a short title: the name of the model, without folders, and the configuration."""
    name = ntpath.basename(found.total.what) or "program"
    return f"{name} on {found.preset}"


def _table(head: Iterable[str], rows: Iterable[Sequence[object]], kind: str = "") -> str:
    cells = "".join(f"<th>{html.escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>"
                   for row in rows)
    return f'<div class="wide {kind}"><table><tr>{cells}</tr>{body}</table></div>'


def _layer_table(found: Explanation) -> str:
    measured = found.total.measured is not None
    rows = [(layer.name, layer.what if layer.index >= 0 else "", number(layer.macs),
             number(layer.ideal), number(layer.predicted),
             *([number(layer.measured)] if measured else []), layer.limit,
             number(layer.bytes_read), number(layer.bytes_written))
            for layer in (*found.layers, found.total)]
    return _table(("layer", "what", "multiplications", "ideal cycles", "predicted cycles",
                   *(["measured cycles"] if measured else []), "busiest unit", "bytes read",
                   "bytes written"), rows, "layers")


def _legend(found: Explanation) -> str:
    keys = [("ideal", "ideal: multiplications over cells"), ("several", "predicted")]
    if found.total.measured is not None:
        keys.append(("measured", "measured"))
    return f"""<p>{"".join(f'<span class="key {kind}"></span>{name}' for kind, name in keys)}</p>"""


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
    units = [(unit.unit, f"{100 * unit.busy / total.predicted:.1f} %",
              ", ".join(f"{what} {100 * cycles / total.predicted:.1f} %" for what, cycles
                        in sorted(unit.waiting.items(), key=lambda item: -item[1])))
             for unit in found.units]
    helps = [(change.what, number(change.cycles), f"{round(-100 * change.saved, 1) + 0.0:+.1f} %")
             for change in found.helps]
    title = html.escape(title_of(found))
    measured = "" if total.measured is None else f"{number(total.measured)} measured, "
    parts = [
        f"<h1>{title}</h1>",
        f"<p>{number(total.predicted)} cycles predicted, {measured}{number(total.ideal)} ideal. "
        f"Host memory: latency of {found.latency} cycles, bandwidth of {found.bandwidth:g} beats "
        "per cycle.</p>",
        "<h2>Timeline</h2>", _wide(timeline(found)),
        "<h2>Cycles of each layer</h2>",
        "<p>The time of a layer begins when the previous layer ends. Work that it does before "
        "counts as time of the previous layer.</p>",
        _legend(found), _wide(bars(found)), "<h2>Roofline</h2>",
        "<p>Each point is a layer, with its number where there is space. A layer is above the roof "
        "if part of its work is done in another layer's time.</p>",
        _wide(roofline(found, cells, beat)),
        "<h2>What would help</h2>",
        _table(("change", "cycles", "difference"), helps) if helps
        else "<p>No change was predicted.</p>",
        "<h2>Units</h2>", _table(("unit", "busy", "waiting for"), units, "text"),
        "<h2>Layers</h2>", _layer_table(found)]
    return ('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{title}</title><style>{_STYLE}</style></head><body>\n"
            + "\n".join(parts) + "\n</body></html>\n")


def _wide(drawing: str) -> str:
    """Return a drawing that scrolls by itself where the page is narrower."""
    return f'<div class="wide">{drawing}</div>'
