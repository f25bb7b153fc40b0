"""``weft bench gemm`` and ``weft bench dma``."""

import dataclasses

import click
from rich.console import Console
from rich.table import Table

from .options import config_options, json_option, make_config, make_device, print_json

__all__ = ["bench"]

_SIZE = click.IntRange(1, 1 << 20)


@click.group()
def bench():
    """Measure matrix products and copies in cycles.

    Every figure is of a run whose result was compared with the emulator or numpy first.
    """


def _rtl_options(command):
    for option in (
        click.option("--seed", type=int, default=0, show_default=True, help="Of the random data."),
        click.option("--bandwidth", type=click.FloatRange(0.01, 1), default=1.0, show_default=True,
                     help="Beats per cycle of the simulated host memory."),
        click.option("--latency", type=click.IntRange(1, 10000), default=20, show_default=True,
                     help="Cycles of latency of the simulated host memory."),
        click.option("--on", "where", type=click.Choice(["rtl"]), default="rtl", show_default=True,
                     help="Device; the emulator has no clock."),
    ):
        command = option(command)
    return json_option(config_options(command))


@bench.command()
@click.argument("m", type=_SIZE)
@click.argument("k", type=_SIZE)
@click.argument("n", type=_SIZE)
@_rtl_options
def gemm(m, k, n, where, latency, bandwidth, seed, preset_name, changes, as_json):
    """Measure int8 A[M, K] @ B[K, N] with bias, requantised to int8.

    Operands and result lie in host memory. The ideal is M*K*N over the number of cells, or
    the bytes of B over the bytes of a beat if that is more.
    """
    from ..measure import measure_gemm

    config = make_config(preset_name, changes)
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
@_rtl_options
def dma(size, where, latency, bandwidth, seed, preset_name, changes, as_json):
    """Measure copies of BYTES bytes, both directions, aligned and at odd offsets.

    The ideal is a full beat a cycle; the ratio is the share of that peak.
    """
    from ..measure import measure_dma

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
