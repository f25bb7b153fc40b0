"""``weft explain``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from weft.spec.config import Config

from ..program.file import Program
from .devices import make_config, make_rtl_device
from .files import OutputFile
from .model import is_program, load_program
from .options import config_options, json_option, memory_options, model_argument
from .output import print_json, progress, write_output
from .trace import inputs_or_zeros

if TYPE_CHECKING:
    from ..perf.explain import Explanation

__all__ = ["explain"]


def _recompiler(path: str) -> Callable[[Config], Program] | None:
    """Return a function that compiles a model for another configuration; None for a program."""
    from .. import compiler
    if is_program(path):
        return None
    return lambda config: compiler.compile(path, config)


@click.command()
@model_argument
@click.option("--measure", is_flag=True, help="Also run the program on the RTL and show its "
                                              "cycles.")
@click.option("--html", "page_path", type=OutputFile(), help="HTML page to write.")
@memory_options
@config_options
@json_option
def explain(model: str, measure: bool, page_path: str | None, latency: int, bandwidth: float,
            preset_name: str, changes: tuple[str, ...], as_json: bool) -> None:
    """Show where the cycles of MODEL go, and which changes would save most of them.

    MODEL is a .tflite file or a compiled program. The cycle model predicts all figures without a
    run; --measure adds those of the RTL.
    """
    from ..perf.explain import explain as explain_program
    from ..perf.explain_page import page

    program = load_program(model, lambda: make_config(preset_name, changes))
    config = program.config
    measured = None
    if measure:
        device = make_rtl_device(config, memory_bytes=program.memory_bytes, latency=latency,
                                 bandwidth=bandwidth)
        progress(f"running {model} on rtl, {config.name}")
        measured = device.record(program, inputs_or_zeros(None, program))
    found = explain_program(program, latency=latency, bandwidth=bandwidth, measured=measured,
                            recompile=_recompiler(model))
    if page_path:
        write_output(page_path, page(found, config.cells,
                                     config.bus_bytes * bandwidth))
        progress(f"wrote {page_path}")
    if as_json:
        print_json(found.as_dict())
    else:
        _show(found)


_ROW = "{:<{width}} {:>11} {:>9} {:>9} {:>9} {:>11} {:>9} {:>9} {:>8} {:>6}"
_NOTE = """\
The time of a layer begins when the previous layer ends. Work that it does before counts as time of
the previous layer, so a layer may appear faster than its roof."""


def _show(found: Explanation) -> None:
    total = found.total
    click.echo(f"{total.what or 'program'} on {found.preset}, host memory with latency "
               f"{found.latency} and bandwidth {found.bandwidth:g}")
    width = max(len(layer.name) for layer in (*found.layers, total))
    click.echo(_ROW.format("layer", "MACs", "ideal", "predicted", "measured", "busiest", "read",
                           "written", "MACs/B", "roof", width=width))
    for layer in (*found.layers, total):
        share = 100 * layer.busy[layer.limit] / max(1, layer.predicted)
        click.echo(_ROW.format(
            layer.name, f"{layer.macs:,}", f"{layer.ideal:,.0f}", f"{layer.predicted:,}",
            "-" if layer.measured is None else f"{layer.measured:,}",
            f"{layer.limit} {share:.0f}%", f"{layer.bytes_read:,}", f"{layer.bytes_written:,}",
            "-" if layer.intensity is None else f"{layer.intensity:.1f}",
            f"{100 * layer.achieved / layer.roof:.0f}%" if layer.macs else "-", width=width))
    click.echo(_NOTE)
    for unit in found.units:
        waiting = ", ".join(f"{what} {100 * cycles / total.predicted:.1f} %" for what, cycles
                            in sorted(unit.waiting.items(), key=lambda item: -item[1]))
        click.echo(f"{unit.unit:6} busy {100 * unit.busy / total.predicted:5.1f} %, "
                   f"waits for: {waiting or 'nothing'}")
    click.echo("effect of changes:")
    for change in found.helps:
        click.echo(f"  {change.what}: {change.cycles:,} cycles, {-100 * change.saved:+.1f} %")
