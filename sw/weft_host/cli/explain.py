"""``weft explain``."""

import click

from .model import load_program
from .options import (
    OutputFile,
    config_options,
    json_option,
    make_config,
    make_device,
    memory_options,
    print_json,
    progress,
    write_atomically,
)
from .trace import any_inputs

__all__ = ["explain"]


def _recompiler(path):
    """How to compile a model again for other sizes; nothing for a program file."""
    from .. import compiler
    with open(path, "rb") as file:
        if file.read(8) == b"WEFTPROG":
            return None
    return lambda config: compiler.compile(path, config)


@click.command()
@click.argument("model", type=click.Path(exists=True, dir_okay=False))
@click.option("--measure", is_flag=True, help="Also run it on the RTL, and say what that took.")
@click.option("--html", "page_path", type=OutputFile(), help="HTML page to write.")
@memory_options
@config_options
@json_option
def explain(model, measure, page_path, latency, bandwidth, preset_name, changes, as_json):
    """Say where the cycles of MODEL go, and what would save most of them.

    MODEL is a .tflite file or a compiled program. The figures are those of the cycle model, which
    needs no run; --measure sets those of the RTL beside them.
    """
    from ..perf.explain import explain as explain_program
    from ..perf.explain_page import page

    program = load_program(model, lambda: make_config(preset_name, changes))
    config = program.config
    measured = None
    if measure:
        device = make_device("rtl", config, memory_bytes=program.memory_bytes, latency=latency,
                             bandwidth=bandwidth)
        progress(f"running {model} on rtl, {config.name}")
        measured = device.record(program, any_inputs(None, program))
    found = explain_program(program, latency=latency, bandwidth=bandwidth, measured=measured,
                            recompile=_recompiler(model))
    if page_path:
        text = page(found, config.rows * config.cols, config.bus_bytes * bandwidth)
        write_atomically(page_path, text.encode())
        progress(f"wrote {page_path}")
    if as_json:
        print_json(found.as_dict())
    else:
        _show(found)


def _show(found):
    total = found.total
    click.echo(f"{total.what or 'program'} on {found.preset}, host memory with latency "
               f"{found.latency} and bandwidth {found.bandwidth:g}")
    width = max(len(layer.name) for layer in (*found.layers, total))
    row = "{:<{width}} {:>11} {:>9} {:>9} {:>9} {:>11} {:>9} {:>9} {:>8} {:>6}"
    click.echo(row.format("layer", "MACs", "ideal", "predicted", "measured", "busiest", "read",
                          "written", "MACs/B", "roof", width=width))
    for layer in (*found.layers, total):
        share = 100 * layer.busy[layer.limit] / max(1, layer.predicted)
        click.echo(row.format(
            layer.name, f"{layer.macs:,}", f"{layer.ideal:,.0f}", f"{layer.predicted:,}",
            "-" if layer.measured is None else f"{layer.measured:,}",
            f"{layer.limit} {share:.0f}%", f"{layer.bytes_read:,}", f"{layer.bytes_written:,}",
            "-" if layer.intensity is None else f"{layer.intensity:.1f}",
            f"{100 * layer.achieved / layer.roof:.0f}%" if layer.macs else "-", width=width))
    click.echo("A layer's time goes from where the one before has ended to where it has; what it "
               "does before\nthat is the other's time, so a layer may seem faster than the roof.")
    for unit in found.units:
        waiting = ", ".join(f"{what} {100 * cycles / total.predicted:.1f} %" for what, cycles
                            in sorted(unit.waiting.items(), key=lambda item: -item[1]))
        click.echo(f"{unit.unit:6} busy {100 * unit.busy / total.predicted:5.1f} %, "
                   f"waits for: {waiting or 'nothing'}")
    click.echo("what would help:")
    for change in found.helps:
        click.echo(f"  {change.what}: {change.cycles:,} cycles, {-100 * change.saved:+.1f} %")
