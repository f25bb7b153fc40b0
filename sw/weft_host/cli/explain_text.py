"""Text of ``weft explain``: tables of the layers, the units and the changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .tables import print_table

if TYPE_CHECKING:
    from ..perf.explain import Explanation

__all__ = ["show"]

_COLUMNS = ("layer", "MACs", "ideal", "predicted", "measured", "busiest", "read", "written",
            "MACs/B", "roof")
_NOTE = """\
The time of a layer begins when the previous layer ends. Work that it does before counts as time of
the previous layer, so a layer may appear faster than its roof."""


def show(found: Explanation) -> None:
    """Print an explanation."""
    total = found.total
    rows = []
    for layer in (*found.layers, total):
        share = 100 * layer.busy[layer.limit] / max(1, layer.predicted)
        rows.append((
            layer.name, f"{layer.macs:,}", f"{layer.ideal:,.0f}", f"{layer.predicted:,}",
            "-" if layer.measured is None else f"{layer.measured:,}",
            f"{layer.limit} {share:.0f}%", f"{layer.bytes_read:,}", f"{layer.bytes_written:,}",
            "-" if layer.intensity is None else f"{layer.intensity:.1f}",
            f"{100 * layer.achieved / layer.roof:.0f}%" if layer.macs else "-"))
    print_table(_COLUMNS, rows, numbers=_COLUMNS[1:],
                title=f"{total.what or 'program'} on {found.preset}, host memory with latency "
                      f"{found.latency} and bandwidth {found.bandwidth:g}")
    click.echo(_NOTE)
    for unit in found.units:
        waiting = ", ".join(f"{what} {100 * cycles / total.predicted:.1f} %" for what, cycles
                            in sorted(unit.waiting.items(), key=lambda item: -item[1]))
        click.echo(f"{unit.unit:6} busy {100 * unit.busy / total.predicted:5.1f} %, "
                   f"waits for: {waiting or 'nothing'}")
    click.echo("effect of changes:")
    for change in found.helps:
        percent = round(-100 * change.saved, 1) + 0.0       # never -0.0
        click.echo(f"  {change.what}: {change.cycles:,} cycles, {percent:+.1f} %")
