"""Predicted effect of hardware changes on the cycles of a program."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import gc
import multiprocessing
import os
import signal
import threading
import typing
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from weft.spec.config import Config

from ..program.file import Program
from ..progress import Progress, silent
from .cycle_model import predict

__all__ = ["LONG", "Change", "changes_of", "predict_changes", "usable_processors"]

LONG = 4000         # instructions of a program for which the start of further processes pays
MOST_JOBS = 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class Change:
    """Predicted effect of a hardware change; ``saved`` is the saved share of the cycles."""

    what: str
    cycles: int
    saved: float


class _Candidate(typing.NamedTuple):
    what: str
    config: dict[str, typing.Any] = {}
    memory: dict[str, typing.Any] = {}
    recompiled: bool = False


def _candidates(config: Config, latency: int, bandwidth: float) -> list[_Candidate]:
    """Return the changes to try. Other memory sizes need the model compiled again."""
    weights = {"wgt_bytes": 2 * config.wgt_bytes}
    found = [
        _Candidate("host memory twice as wide", {"bus_width": 2 * config.bus_width}),
        _Candidate("host memory with half the latency", {}, {"latency": max(1, latency // 2)}),
        _Candidate("vector lanes doubled", {"vector_lanes": 2 * config.vector_lanes}),
        _Candidate("scratchpad banks doubled", {"spad_banks": 2 * config.spad_banks}),
        _Candidate("queues twice as deep", {"queue_depth": 2 * config.queue_depth}),
        _Candidate("bursts in flight doubled", {"outstanding": 2 * config.outstanding}),
        _Candidate("scratchpad doubled", {"spad_bytes": 2 * config.spad_bytes}, {}, True),
        _Candidate("weight buffer doubled", weights, {}, True),
        _Candidate("accumulators doubled", {"acc_rows": 2 * config.acc_rows}, {}, True),
        _Candidate("array with twice the columns", {"cols": 2 * config.cols, **weights}, {}, True),
        _Candidate("array with twice the rows", {"rows": 2 * config.rows, **weights}, {}, True)]
    if bandwidth < 1:
        found.append(_Candidate("host memory with twice the bandwidth", {},
                                {"bandwidth": min(1.0, 2 * bandwidth)}))
    return found


def predict_changes(program: Program, cycles: int, latency: int, bandwidth: float,
                    recompile: Callable[[Config], Program] | None = None, *, jobs: int = 1,
                    progress: Progress | None = None) -> list[Change]:
    """Predict the effect of hardware changes, each alone, and return the largest saving first.

    See :func:`changes_of`; ``cycles`` are the predicted cycles without a change.
    """
    with changes_of(program, latency, bandwidth, recompile, jobs=jobs,
                    progress=progress) as changes:
        return changes(cycles)


@contextlib.contextmanager
def changes_of(program: Program, latency: int, bandwidth: float,
               recompile: Callable[[Config], Program] | None = None, *, jobs: int = 1,
               progress: Progress | None = None) -> Iterator[Callable[[int], list[Change]]]:
    """Begin to predict the effect of hardware changes, each alone.

    Yields a function that returns the changes for the predicted cycles without one, the largest
    saving first. With several jobs, the work is done while the caller predicts these.

    Faster parts run the same program; other sizes need it compiled again. Changes that no valid
    configuration allows are left out.

    Parameters
    ----------
    program : :class:`weft_host.program.file.Program`
    latency : :class:`int`
        Latency of host memory in cycles.
    bandwidth : :class:`float`
        Beats per cycle of host memory.
    recompile : callable or :class:`None`
        Compiles the same model for another configuration. Without it, changes that need another
        program are left out.
    jobs : :class:`int`
        Processes that share the work on a long program, which changes no figure. With more than
        one, ``recompile`` must be picklable, and a script that calls this function needs the usual
        ``if __name__ == "__main__":``.
    progress : callable or :class:`None`
        Receives a sentence for each change; see :mod:`weft_host.progress`.
    """
    report, config, tasks = progress or silent, program.config, []
    for candidate in _candidates(config, latency, bandwidth):
        if candidate.recompiled and recompile is None:
            continue
        try:
            changed = dataclasses.replace(config, **candidate.config)
        except ValueError:
            continue
        memory = {"latency": latency, "bandwidth": bandwidth, **candidate.memory}
        tasks.append(_Task(candidate.what, changed, memory, candidate.recompiled))
    tasks.sort(key=lambda task: not task.recompiled)    # those that take longest first
    work = functools.partial(_predicted, program, recompile)
    jobs = min(jobs, len(tasks)) if program.instruction_count >= LONG else 1
    with _mapping(jobs) as mapping:
        results = mapping(work, tasks)

        def changes(cycles: int) -> list[Change]:
            found = []
            report(f"predicting the effect of change 1 of {len(tasks)}")
            for what, after in results:
                saved = float(np.round(1 - after / cycles, 6))
                found.append(Change(what=what, cycles=after, saved=saved))
                report(f"predicting the effect of change {min(len(found) + 1, len(tasks))} of "
                       f"{len(tasks)}")
            return sorted(found, key=lambda change: (change.cycles, change.what))

        yield changes


class _Task(typing.NamedTuple):
    what: str
    config: Config
    memory: dict[str, typing.Any]
    recompiled: bool


def _predicted(program: Program, recompile: Callable[[Config], Program] | None,
               task: _Task) -> tuple[str, int]:
    """Return the name and the predicted cycles of a change."""
    collects = gc.isenabled()
    gc.disable()        # the objects of a prediction live as long as it does
    try:
        runs = recompile(task.config) if task.recompiled and recompile else program
        return task.what, predict(runs, config=task.config, **task.memory).cycles
    finally:
        if collects:
            gc.enable()


@contextlib.contextmanager
def _mapping(jobs: int) -> Iterator[Callable[..., Iterable[tuple[str, int]]]]:
    """Yield a function like :func:`map` that uses ``jobs`` processes, in any order.

    The processes end with the context, after an exception, too. They ignore Ctrl-C, which the
    caller handles.
    """
    if jobs <= 1:
        yield map
        return
    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if main else None
    try:
        pool = multiprocessing.get_context("spawn").Pool(jobs)
    finally:
        if main:
            signal.signal(signal.SIGINT, before)
    try:
        yield pool.imap_unordered
    finally:
        pool.terminate()
        pool.join()


def usable_processors() -> int:
    """Return the number of processors that this process may use, at most 4 to limit memory."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:          # only Linux has it
        count = os.cpu_count() or 1
    return min(count, MOST_JOBS)
