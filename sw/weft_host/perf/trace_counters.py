"""Counter tracks of a trace: traffic, use of the array, tokens and queues over time."""

from __future__ import annotations

import collections
import itertools
import typing
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from weft.spec import isa
from weft.spec.four_bit import PACKET_BEATS
from weft.spec.integers import ceil_div

from ..program.expand import NO_STEPS, Iteration, unroll
from ..program.file import Program
from .tokens import Token

if typing.TYPE_CHECKING:
    from .trace import Span

__all__ = ["INTERVALS", "counters"]

INTERVALS = 2000
"""Largest number of values of a rate. A shorter run has a value for every 16 cycles."""
SHORTEST = 16

Event: typing.TypeAlias = dict[str, typing.Any]


def counters(program: Program, timeline: Sequence[Span],
             tokens: Sequence[Token], steps: Sequence[int] = NO_STEPS) -> Iterator[Event]:
    """Yield the counter events of a run, for :func:`weft_host.perf.trace.chrome_trace`.

    Parameters
    ----------
    program : :class:`weft_host.program.file.Program`
    timeline : sequence of :class:`weft_host.perf.trace.Span`
    tokens : sequence of :class:`Token`
    steps : sequence of :class:`int`
        Contents of the step registers during the run.
    """
    end = max((span.done for span in timeline), default=0)
    interval = max(SHORTEST, ceil_div(end, INTERVALS))
    edges = np.arange(0, end + interval, interval)
    iterations = unroll(program, steps)
    moved = _transfers(program, iterations, timeline)
    for name, unit, amounts in (
            ("bytes read", "per cycle", moved["LOAD"]),
            ("bytes written", "per cycle", moved["STORE"]),
            ("multiplications", f"per cycle, of {program.config.cells}",
             _multiplications(program, iterations, timeline))):
        yield from _rate(name, unit, amounts, edges)
    pairs: dict[tuple[int, int], list[tuple[int, int]]] = collections.defaultdict(list)
    for token in tokens:
        if token.receiver is not None:
            pair = token.sender.unit, token.receiver.unit
            pairs[pair] += [(token.sender.done, 1), (token.receiver.issued, -1)]
    for (source, target), changes in sorted(pairs.items()):
        yield from _level(f"tokens {isa.UNITS[source]} to {isa.UNITS[target]}", "outstanding",
                          changes)
    for number, name in enumerate(isa.UNITS):
        yield from _level(f"instructions for {name}", "queued", (
            step for span in timeline if span.unit == number and not span.iteration
            for step in ((span.queued, 1), (span.issued, -1))))


def _event(name: str, unit: str, cycle: float, value: float) -> Event:
    """Return the event of a counter, which viewers call by its name and its unit."""
    return {"ph": "C", "pid": 1, "name": name, "ts": cycle, "args": {unit: value}}


def _level(name: str, unit: str, steps: Iterable[tuple[int, int]]) -> Iterator[Event]:
    """Yield a number that changes by ``steps`` of (cycle, difference)."""
    level = 0
    for cycle, changes in itertools.groupby(sorted(steps), key=lambda step: step[0]):
        before, level = level, level + sum(change for _, change in changes)
        if level != before:
            yield _event(name, unit, cycle, level)


def _rate(name: str, unit: str, amounts: Sequence[tuple[Span, float]],
          edges: npt.NDArray[np.int64]) -> Iterator[Event]:
    """Yield amounts per cycle. The amount of an instruction is spread evenly over its time."""
    if not amounts:
        return
    cycles = np.array([[span.start, span.done] for span, _ in amounts]).ravel()
    after = np.cumsum([amount for _, amount in amounts])
    total = np.repeat(np.concatenate([[0], after[:-1]]), 2)
    total[1::2] = after
    rates = np.diff(np.interp(edges, cycles, total)) / np.diff(edges)
    before = None
    for cycle, rate in zip(edges.tolist(), np.round(np.append(rates, 0.0), 3).tolist()):
        if rate != before:
            yield _event(name, unit, cycle, rate)
        before = rate


def _transfers(program: Program, iterations: Sequence[Iteration],
               timeline: Sequence[Span]) -> dict[str, list[tuple[Span, float]]]:
    """Return the bytes of each transfer from (LOAD) and to (STORE) host memory."""
    moved: dict[str, list[tuple[Span, float]]] = {"LOAD": [], "STORE": []}
    direction = {"LOAD": "LOAD", "LOAD_WGT": "LOAD", "LOAD_RING": "LOAD",
                 "LOAD_RING_4BIT": "LOAD", "STORE": "STORE"}
    for iteration, span in zip(iterations, timeline):
        kind = direction.get(iteration.instruction.name)
        if kind:
            fields = iteration.fields
            # a row of LOAD_RING_4BIT is a block
            size = fields.get("bytes", PACKET_BEATS * program.config.cols)
            moved[kind].append((span, fields["count"] * size))
    return moved


def _multiplications(program: Program, iterations: Sequence[Iteration],
                     timeline: Sequence[Span]) -> list[tuple[Span, float]]:
    """Return the multiplications of each MATMUL: its share of those of its layer.

    The shares are in proportion to the vectors that pass the array.
    """
    layers: dict[int, int] = collections.Counter()
    for layer in program.meta.get("layers", ()):
        layers[layer["index"]] += layer["macs"]
    vectors = []
    all_vectors: dict[int, int] = collections.Counter()
    for iteration, span in zip(iterations, timeline):
        if iteration.instruction.name in ("MATMUL", "MATMUL_RING"):
            fields = iteration.fields
            count = fields["row_count"] * fields["chunk_count"] * fields.get("y_count", 1) * (
                fields["x_count"] + fields.get("lead", 0))
            vectors.append((span, count))
            all_vectors[span.layer] += count
    return [(span, layers[span.layer] * count / all_vectors[span.layer])
            for span, count in vectors] if layers else []
