"""``weft conformance``."""

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Any

import click

from weft.spec.config import Config

from ..conformance import ModelReport, run_models
from ..device import Device
from ..program.file import Program
from .devices import make_config, make_device
from .options import config_options, device_options, json_option, most_option
from .output import print_json, progress, working
from .tables import print_table

__all__ = ["conformance", "facts"]


def facts(config: Config, where: str, reports: Sequence[ModelReport]) -> dict[str, Any]:
    """Return the reports of a run as plain data."""
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
@most_option
@device_options
@config_options
@click.option("--verbose", is_flag=True,
              help="List the stored arrays that are not compared, with the reasons, and the "
                   "tensors of which the cases have no result.")
@json_option
def conformance(folder: str, most: int | None, where: str, latency: int, bandwidth: float,
                preset_name: str, changes: tuple[str, ...], verbose: bool, as_json: bool) -> None:
    """Compare every tensor in every case of every model in DIR with stored results.

    DIR contains model.tflite and its cases (.npz files with in0, out0, and t<i> for tensor i), or
    folders with these files. Exit status 1 if a tensor differs or the device failed; 2 if a model
    or a case cannot be run.
    """
    from .. import compiler

    config = make_config(preset_name, changes, where)

    def make(memory_bytes: int) -> Device:
        return make_device(where, config, memory_bytes=memory_bytes, latency=latency,
                           bandwidth=bandwidth)

    def compile_model(path: pathlib.Path) -> Program:
        with working():
            return compiler.compile(path, config, keep_tensors=True, progress=progress)

    reports = run_models(folder, compile_model, make, most=most, progress=progress)
    if as_json:
        print_json(facts(config, where, reports))
    else:
        _show(config, where, reports, verbose)
    raise click.exceptions.Exit(max(report.status for report in reports))


def _show(config: Config, where: str, reports: Sequence[ModelReport], verbose: bool) -> None:
    columns = ("model", "cases", "exact", "tensors compared", "elements", "arrays not compared",
               "tensors not stored")
    print_table(columns, [
        (report.model,
         f"{report.cases}" + (f" (+{report.left_out} left out)" if report.left_out else ""),
         report.exact, f"{report.tensors:,}", f"{report.elements:,}",
         f"{len(report.not_compared):,}", f"{len(report.not_stored):,}") for report in reports],
        title=f"conformance of {config.name} on {where}", numbers=columns[2:])
    for report in reports if verbose else ():
        for name, reason in report.not_compared.items():
            click.echo(f"{report.model}: {name} is not compared: {reason}")
        for name in report.not_stored:
            click.echo(f"{report.model}: the cases do not contain tensor {name!r}")
    counts = [(sum(len(report.not_compared) for report in reports),
               "stored array is not compared", "stored arrays are not compared"),
              (sum(len(report.not_stored) for report in reports),
               "tensor has no stored result", "tensors have no stored result")]
    left = [f"{count:,} {one if count == 1 else several}" for count, one, several in counts
            if count]
    if left and not verbose:
        click.echo(f"{' and '.join(left)}; --verbose lists them")
    for report in reports:
        for problem in (report.refusal, report.failure, report.mismatch):
            if problem:
                click.echo(f"{report.model}: {problem}")
