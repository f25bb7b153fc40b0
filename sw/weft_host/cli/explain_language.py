"""Output of ``weft explain`` for language models."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
import numpy as np
import numpy.typing as npt

from weft.spec.config import Config

from .devices import make_rtl_device, require_memory
from .language import open_source
from .options import chosen_board
from .output import print_json, progress, working
from .tables import print_table

if TYPE_CHECKING:
    from ..device import RtlDevice
    from ..language import LanguageSource
    from ..perf.step_explanation import StepExplanation, StepGroup

__all__ = ["explain_language"]

_COLUMNS = ("layers", "operation", "instructions", "skipped", "weights", "cache", "other",
            "written", "ideal", "array", "elements", "cycles", "limit")
_ORIGINS = {False: "predicted", True: "measured"}
_NOTE = """\
Bytes of weights, cache and other reads, and bytes written; cycles in which the bus transfers the
weights and the cache (ideal), and of the array; {} cycles, which begin for an
instruction when the one before is done, so that they add up, and the unit with most of them. Rows
are sums of the layers that they name."""


def explain_language(model: str, context: int | None, measure: bool, latency: int,
                     bandwidth: float, preset_name: str, changes: tuple[str, ...],
                     as_json: bool) -> None:
    """Explain the step of a language model at the last position of a context, and print it."""
    from ..board_fit import BoardFit
    from ..compiler import CapacityError
    from ..perf.step_explanation import (
        completion_cycles,
        explain_step,
        predict_step,
        step_changes,
    )

    source, config = open_source(model, preset_name, changes)
    board = chosen_board()
    counters: dict[str, int] = {}
    with working():
        program, data = source.compiled(config, context, progress=progress)
        fit = BoardFit(board=board, program=program, source=model) if board else None
        if fit and not fit.fits:
            raise CapacityError(fit.refusal())
        values = data.registers.values(0, data.context - 1)
        prediction = predict_step(program, values, latency=latency, bandwidth=bandwidth,
                                  progress=progress)
        times = prediction.times
        if measure:
            compiled = dataclasses.replace(source, file=None, program=program)
            times, counters = _measured(compiled, config, latency, bandwidth)
        found = explain_step(program, values, completion_cycles(times), bandwidth=bandwidth)
        helps = step_changes(program, values, prediction.cycles, latency=latency,
                             bandwidth=bandwidth, progress=progress)
    least = source.sizes.ideal_bytes(data.context, codes=config.weights_4bit)
    ratio = found.total.cycles * config.bus_bytes / least
    if as_json:
        print_json({"model": model, "context": data.context, "origin": _ORIGINS[measure],
                    "ideal_bytes": least, "ratio": ratio, **found.as_dict(),
                    "helps": [dataclasses.asdict(change) for change in helps],
                    "memory_bytes": program.memory_bytes, "latency": latency,
                    "counters": counters})
        return
    _show(found, f"{model} on {found.preset}, position {data.context - 1}", _ORIGINS[measure])
    click.echo("predicted effect of changes:")
    for change in helps:
        click.echo(f"  {change.what}: {change.cycles:,} cycles, "
                   f"{round(-100 * change.saved, 1) + 0.0:+.1f} %")
    click.echo(f"ideal bytes without padding: {least:,}, {least / config.bus_bytes:,.0f} cycles; "
               f"{_ORIGINS[measure]}: {found.total.cycles:,.0f} cycles, ratio {ratio:.3f}")
    if fit:
        click.echo(f"{fit.board.name}: {fit.memory_text()}")


def _measured(source: LanguageSource, config: Config, latency: int,
              bandwidth: float) -> tuple[npt.NDArray[np.int64], dict[str, int]]:
    """Return the times of each instruction of a program on the RTL, and the counters of the step.

    The step is that of the last position.
    """
    from ..language import DeviceFactory, LanguageModel

    devices = []

    def make(size: int) -> RtlDevice:
        require_memory(config, size, source.path)
        devices.append(make_rtl_device(config, memory_bytes=size, latency=latency,
                                       bandwidth=bandwidth))
        return devices[0]

    running = LanguageModel(source, DeviceFactory(config, make), progress=progress)
    progress(f"running a step of {source.path} on rtl, {config.name}")
    position = running.context - 1
    counters, times = devices[0].recorded(
        running.program, lambda: running.timing_step(position), running.step_values(0, position))
    return times, counters


def _row(names: str, groups: Sequence[StepGroup]) -> tuple[str, ...]:
    works = [group.work for group in groups]

    def total(name: str) -> str:
        return f"{sum(getattr(work, name) for work in works):,}"

    return (names, groups[0].kind, *map(total, (
        "instructions", "skipped", "weight_bytes", "cache_bytes", "other_bytes", "written_bytes")),
        f"{sum(group.ideal for group in groups):,.0f}", total("array_cycles"), total("elements"),
        f"{sum(group.cycles for group in groups):,.0f}", groups[0].limit)


def _show(found: StepExplanation, title: str, origin: str) -> None:
    by_layer = [list(members) for _, members in itertools.groupby(
        found.groups, key=lambda group: group.layer)]
    rows = []
    # neighbouring layers with the same work are one row for each kind
    for _, members in itertools.groupby(
            by_layer, key=lambda groups: [(group.kind, group.work) for group in groups]):
        layers = list(members)
        first, last = layers[0][0].layer, layers[-1][0].layer
        names = first if first == last else f"{first} to {last.removeprefix('layer ')}"
        rows += [_row(names, groups) for groups in zip(*layers)]
    rows += [_row("all", [group]) for group in (*found.kinds, found.total)]
    print_table(_COLUMNS, rows, title=title, numbers=_COLUMNS[2:-1])
    click.echo(_NOTE.format(origin))
