"""``weft bench gemm``, ``weft bench dma`` and ``weft bench models``."""

import dataclasses

import click
from rich.console import Console
from rich.table import Table

from ..errors import InputError
from .options import (
    config_options,
    json_option,
    make_config,
    make_device,
    memory_options,
    print_json,
    progress,
)

__all__ = ["bench"]

_SIZE = click.IntRange(1, 1 << 20)


@click.group()
def bench():
    """Measure matrix products, copies and networks in cycles.

    Every figure is of a run whose result was compared with the emulator, numpy
    or stored results first.
    """


_seed_option = click.option("--seed", type=click.IntRange(0), default=0, show_default=True,
                            help="Of the random data.")


def _rtl_options(command):
    command = click.option(
        "--on", "where", type=click.Choice(["rtl"]), default="rtl", show_default=True,
        help="Device; the emulator has no clock.")(memory_options(command))
    return json_option(config_options(command))


@bench.command()
@click.argument("m", type=_SIZE)
@click.argument("k", type=_SIZE)
@click.argument("n", type=_SIZE)
@_seed_option
@_rtl_options
def gemm(m, k, n, where, latency, bandwidth, seed, preset_name, changes, as_json):
    """Measure int8 A[M, K] @ B[K, N] with bias, requantised to int8.

    Operands and result lie in host memory. The ideal is M*K*N over the number of cells, or
    the bytes of B over the bytes of a beat if that is more.
    """
    from ..perf.microbenchmarks import measure_gemm

    config = make_config(preset_name, changes)
    if m * k + k * n + m * n > 1 << config.addr_width:
        raise InputError(f"{m} x {k} x {n} takes {m * k + k * n + m * n} bytes of host memory; the "
                         f"{config.addr_width} address bits of {config.name} reach "
                         f"{1 << config.addr_width}")
    device = make_device(where, config, memory_bytes=4 * (m * k + k * n + 4 * m * n) + (1 << 20),
                         latency=latency, bandwidth=bandwidth)
    facts = {"preset": config.name, "on": where, "latency": latency, "bandwidth": bandwidth,
             **dataclasses.asdict(measure_gemm(device, m, k, n, seed))}
    if as_json:
        print_json(facts)
    else:
        click.echo(f"{m} x {k} x {n} on {config.name}: {facts['cycles']:,} cycles, "
                   f"ideal {facts['ideal_cycles']:,.0f}, ratio {facts['ratio']:.3f}")


@bench.command()
@click.argument("size", metavar="BYTES", type=click.IntRange(1, 1 << 24))
@_seed_option
@_rtl_options
def dma(size, where, latency, bandwidth, seed, preset_name, changes, as_json):
    """Measure copies of BYTES bytes, both directions, aligned and at odd offsets.

    The ideal is a full beat a cycle; the ratio is the share of that peak.
    """
    from ..perf.microbenchmarks import measure_dma

    config = make_config(preset_name, changes)
    device = make_device(where, config, memory_bytes=4 * (size + config.spad_bytes) + (1 << 20),
                         latency=latency, bandwidth=bandwidth)
    rows = [dataclasses.asdict(entry) for entry in measure_dma(device, size, seed)]
    if as_json:
        print_json(rows)
        return
    table = Table("direction", "host offset", "local offset", "cycles", "ideal", "share of peak",
                  title=f"{size:,} bytes on {config.name}")
    for row in rows:
        table.add_row(row["direction"], str(row["host_offset"]), str(row["local_offset"]),
                      f"{row['cycles']:,}", f"{row['ideal_cycles']:,.0f}",
                      f"{100 * row['ratio']:.1f} %")
    Console().print(table)


@bench.command()
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False))
@click.option("--cases", "most", type=click.IntRange(1), default=None,
              help="Cases of each model at most; all without it.")
@_rtl_options
def models(folder, most, where, latency, bandwidth, preset_name, changes, as_json):
    """Measure every network in DIR, a folder as for weft conformance.

    Tensors stay on chip where they can; inputs and outputs lie in host memory. The ratio is how
    much longer the textbook array of the same size takes for the layers that it computes at all,
    the better of weight- and output-stationary. Exit status 1 if an output differs or the device
    failed, 2 if a network cannot run.
    """
    from ..perf.model_benchmarks import measure_models

    config = make_config(preset_name, changes)

    def on_device(memory_bytes):
        return make_device(where, config, memory_bytes=memory_bytes, latency=latency,
                           bandwidth=bandwidth)

    found = measure_models(folder, config, on_device, most=most, progress=progress)
    rows = [dataclasses.asdict(entry) for entry, _ in found]
    if as_json:
        print_json({"preset": config.name, "on": where, "latency": latency,
                    "bandwidth": bandwidth, "models": rows})
    else:
        table = Table(*MODEL_COLUMNS, title=f"networks on {config.name}, {config.rows} x "
                      f"{config.cols}, memory with {latency} cycles of latency")
        for entry, _ in found:
            table.add_row(*model_row(entry))
        Console().print(table)
        for entry in rows:
            if entry["problem"]:
                click.echo(f"{entry['model']}: {entry['problem']}")
    raise click.exceptions.Exit(max(status for _, status in found))


MODEL_COLUMNS = ("network", "bit-exact cases", "cycles", "MACs", "utilisation",
                 "textbook, weights stay", "textbook, outputs stay", "ratio")


def model_row(entry):
    """The cells of a :class:`weft_host.perf.model_benchmarks.ModelMeasurement` in the table."""
    def shown(value, text):
        return text.format(value) if value is not None else "-"

    return (entry.model, f"{entry.exact}/{entry.cases}", shown(entry.cycles, "{:,}"),
            f"{entry.macs:,}", shown(entry.utilisation, "{:.1%}").replace("%", " %"),
            f"{entry.weight_stationary:,}", f"{entry.output_stationary:,}",
            shown(entry.ratio, "{:.2f}"))
