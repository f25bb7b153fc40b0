"""``weft conformance``."""

import dataclasses

import click
from rich.console import Console
from rich.table import Table

from .options import (
    config_options,
    device_options,
    json_option,
    make_config,
    make_device,
    print_json,
    progress,
)

__all__ = ["conformance", "facts"]


def facts(config, where, reports):
    """The reports of a run as plain data."""
    mismatch = next((report.mismatch for report in reports if report.mismatch), None)
    return {
        "preset": config.name, "on": where,
        "cases": sum(report.cases for report in reports),
        "exact": sum(report.exact for report in reports),
        "tensors_compared": sum(report.tensors for report in reports),
        "tensors_not_compared": sum(len(report.not_compared) for report in reports),
        "first_mismatch": dataclasses.asdict(mismatch) if mismatch else None,
        "models": [{**dataclasses.asdict(report), "status": report.status} for report in reports],
    }


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False))
@click.option("--cases", "most", type=click.IntRange(1), default=None,
              help="Cases of each model at most; all without it.")
@device_options
@config_options
@json_option
def conformance(folder, most, where, latency, bandwidth, preset_name, changes, as_json):
    """Compare every model in DIR, every case, every tensor, with stored results.

    DIR holds model.tflite and its cases (*.npz: in0, out0, t<i> for tensor i), or folders that
    do. Exit status 1 if a tensor differs or the device failed, 2 if a model or a case cannot run.
    """
    from .. import compiler
    from ..conformance import run_models

    config = make_config(preset_name, changes, where)

    def on_device(memory_bytes):
        return make_device(where, config, memory_bytes=memory_bytes, latency=latency,
                           bandwidth=bandwidth)

    reports = run_models(
        folder, lambda path: compiler.compile(path, config, keep_tensors=True), on_device,
        most=most, progress=progress)
    if as_json:
        print_json(facts(config, where, reports))
    else:
        _show(config, where, reports)
    raise click.exceptions.Exit(max(report.status for report in reports))


def _show(config, where, reports):
    table = Table("model", "cases", "exact", "tensors compared", "elements", "not compared",
                  title=f"conformance of {config.name} on {where}")
    for report in reports:
        cases = f"{report.cases}" + (f" (+{report.left_out} left out)" if report.left_out else "")
        table.add_row(report.model, cases, str(report.exact), f"{report.tensors:,}",
                      f"{report.elements:,}", str(len(report.not_compared)))
    Console().print(table)
    for report in reports:
        for name, reason in report.not_compared.items():
            click.echo(f"{report.model}: {name} is not compared: {reason}")
        for name in report.not_stored:
            click.echo(f"{report.model}: the cases have nothing for tensor {name!r}")
        for problem in (report.refusal, report.failure, report.mismatch):
            if problem:
                click.echo(f"{report.model}: {problem}")
