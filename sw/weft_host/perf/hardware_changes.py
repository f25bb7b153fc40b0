"""Predicted effect of hardware changes on the cycles of a program."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable

import numpy as np

from weft.spec.config import Config

from ..program.file import Program
from .cycle_model import predict

__all__ = ["Change", "predict_changes"]


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
                    recompile: Callable[[Config], Program] | None = None) -> list[Change]:
    """Predict the effect of hardware changes, each alone, and return the largest saving first.

    Faster parts run the same program; other sizes need it compiled again. Changes that no valid
    configuration allows are left out.

    Parameters
    ----------
    program : :class:`weft_host.program.file.Program`
    cycles : :class:`int`
        Predicted cycles without a change.
    latency : :class:`int`
        Latency of host memory in cycles.
    bandwidth : :class:`float`
        Beats per cycle of host memory.
    recompile : callable or :class:`None`
        Compiles the same model for another configuration. Without it, changes that need another
        program are left out.
    """
    config = program.config
    found = []
    for candidate in _candidates(config, latency, bandwidth):
        if candidate.recompiled and recompile is None:
            continue
        try:
            changed = dataclasses.replace(config, **candidate.config)
        except ValueError:
            continue
        runs = recompile(changed) if candidate.recompiled and recompile else program
        memory: dict[str, typing.Any] = {"latency": latency, "bandwidth": bandwidth}
        after = predict(runs, config=changed, **{**memory, **candidate.memory}).cycles
        saved = float(np.round(1 - after / cycles, 6))
        found.append(Change(what=candidate.what, cycles=after, saved=saved))
    return sorted(found, key=lambda change: (change.cycles, change.what))
