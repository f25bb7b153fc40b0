"""``weft bench``, with the verbs ``gemm``, ``dma`` and ``models``."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

from ..device import Device
from .bench_llm import llm
from .devices import make_config, make_rtl_device, require_memory
from .group import VerbGroup
from .options import (
    Command,
    config_options,
    json_option,
    memory_options,
    most_option,
    seed_option,
)
from .output import print_json, progress
from .tables import print_table

if TYPE_CHECKING:
    from ..perf.model_benchmarks import ModelMeasurement

__all__ = ["MODEL_COLUMNS", "bench", "model_row"]

_SIZE = click.IntRange(1, 1 << 20)


@click.group(cls=VerbGroup)
def bench() -> None:
    """Measure matrix products, copies, networks and language models in cycles.

    Before a figure is reported, the result of its run has been compared with the emulator, numpy
    or stored results; except for llm, which measures the time of a step without a text.
    """


bench.add_command(llm)


def _rtl_options(command: Command) -> Command:
    command = click.option(
        "--on", "where", type=click.Choice(["rtl"]), default="rtl", show_default=True,
        help="Device to use; the emulator has no clock.")(memory_options(command))
    return json_option(config_options(command))


@bench.command()
@click.argument("m", type=_SIZE)
@click.argument("k", type=_SIZE)
@click.argument("n", type=_SIZE)
@seed_option
@_rtl_options
def gemm(m: int, k: int, n: int, where: str, latency: int, bandwidth: float, seed: int,
         preset_name: str, changes: tuple[str, ...], as_json: bool) -> None:
    """Measure int8 A[M, K] @ B[K, N] with bias, requantised to int8.

    Operands and result are in host memory. The ideal number of cycles is M*K*N divided by the
    number of cells, or the bytes of B divided by the bytes of a beat if that is more.
    """
    from ..perf.microbenchmarks import measure_gemm

    config = make_config(preset_name, changes)
    require_memory(config, m * k + k * n + m * n, f"{m} x {k} x {n}")
    device = make_rtl_device(config, memory_bytes=4 * (m * k + k * n + 4 * m * n) + (1 << 20),
                             latency=latency, bandwidth=bandwidth)
    measurement = measure_gemm(device, m, k, n, seed)
    if as_json:
        print_json({"preset": config.name, "on": where, "latency": latency, "bandwidth": bandwidth,
                    **dataclasses.asdict(measurement)})
    else:
        click.echo(f"{m} x {k} x {n} on {config.name}: {measurement.cycles:,} cycles, "
                   f"ideal {measurement.ideal_cycles:,.0f}, ratio {measurement.ratio:.3f}")


@bench.command(short_help="Measure copies to and from host memory.")
@click.argument("size", metavar="BYTES", type=click.IntRange(1, 1 << 24))
@seed_option
@_rtl_options
def dma(size: int, where: str, latency: int, bandwidth: float, seed: int, preset_name: str,
        changes: tuple[str, ...], as_json: bool) -> None:
    """Measure copies of BYTES bytes from and to host memory, aligned and at odd offsets.

    The ideal is a full beat per cycle; the ratio is the share of this peak.
    """
    from ..perf.microbenchmarks import dma_programs, measure_dma

    config = make_config(preset_name, changes)
    require_memory(config, dma_programs(config, size, "read", 0, 0).timed.memory_bytes,
                   f"a copy of {size} bytes")
    device = make_rtl_device(config, memory_bytes=4 * (size + config.spad_bytes) + (1 << 20),
                             latency=latency, bandwidth=bandwidth)
    measurements = measure_dma(device, size, seed)
    if as_json:
        print_json([dataclasses.asdict(entry) for entry in measurements])
        return
    columns = ("direction", "host offset", "local offset", "cycles", "ideal", "share of peak")
    print_table(columns, [
        (entry.direction, entry.host_offset, entry.local_offset, f"{entry.cycles:,}",
         f"{entry.ideal_cycles:,.0f}", f"{100 * entry.ratio:.1f} %") for entry in measurements],
        title=f"{size:,} bytes on {config.name}", numbers=columns[1:])


@bench.command(short_help="Measure networks, with the cases of weft conformance.")
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False))
@most_option
@_rtl_options
def models(folder: str, most: int | None, where: str, latency: int, bandwidth: float,
           preset_name: str, changes: tuple[str, ...], as_json: bool) -> None:
    """Measure every network in DIR, a folder as described by weft conformance --help.

    Tensors stay on chip where they fit; inputs and outputs are in host memory. The ratio compares
    with SCALE-Sim's array of the same size: it is that array's cycles for the layers that it can
    compute, weight-stationary or output-stationary, whichever is faster, divided by Weft's cycles.
    Exit status 1 if an output differs or the device failed; 2 if a network cannot be run.
    """
    from ..perf.model_benchmarks import measure_models

    config = make_config(preset_name, changes)

    def make(memory_bytes: int) -> Device:
        return make_rtl_device(config, memory_bytes=memory_bytes, latency=latency,
                               bandwidth=bandwidth)

    found = measure_models(folder, config, make, most=most, progress=progress)
    if as_json:
        print_json({"preset": config.name, "on": where, "latency": latency,
                    "bandwidth": bandwidth,
                    "models": [dataclasses.asdict(entry) for entry, _ in found]})
    else:
        print_table(MODEL_COLUMNS, [model_row(entry) for entry, _ in found],
                    title=f"networks on {config.name}, {config.rows} x {config.cols}, memory with "
                          f"{latency} cycles of latency", numbers=MODEL_COLUMNS[1:])
        for entry, _ in found:
            if entry.problem:
                click.echo(f"{entry.model}: {entry.problem}")
    raise click.exceptions.Exit(max(status for _, status in found))


MODEL_COLUMNS: tuple[str, ...] = (
    "network", "bit-exact cases", "cycles", "MACs", "utilisation", "SCALE-Sim, weight-stationary",
    "SCALE-Sim, output-stationary", "ratio")
"""Head of the table of networks."""


def model_row(entry: ModelMeasurement) -> tuple[str, ...]:
    """Return the cells of a measurement in the table of networks."""
    def shown(value: float | None, text: str) -> str:
        return text.format(value) if value is not None else "-"

    return (entry.model, f"{entry.exact}/{entry.cases}", shown(entry.cycles, "{:,}"),
            f"{entry.macs:,}", shown(entry.utilisation, "{:.1%}").replace("%", " %"),
            f"{entry.weight_stationary:,}", f"{entry.output_stationary:,}",
            shown(entry.ratio, "{:.2f}"))
