"""Runs of programs, instruction by instruction, and as a trace file for Perfetto.

The file has the trace-event format of Chrome's ``about:tracing``: one process, a thread for each
unit, a complete event ("X") for each instruction, an arrow ("s" and "f") for each token, and
counter tracks ("C"). One cycle is shown as one microsecond.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from weft.spec import isa

from ..program import disasm
from ..program.expand import NO_STEPS, unroll
from ..program.file import Program
from .tokens import Token, find_tokens
from .trace_counters import counters

__all__ = ["Span", "chrome_trace", "layer_cycles", "layer_names", "layer_times", "spans"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Span:
    """Instruction of a run, or one of its iterations, in cycles from the start of the program.

    Attributes
    ----------
    index : :class:`int`
        Index of the instruction in the program.
    iteration : :class:`int`
        Number of the iteration in the instruction.
    position : :class:`int`
        Index among all iterations of the program.
    unit : :class:`int`
        Number of the unit.
    queued, issued, done : :class:`int`
        Cycles in which it entered its unit's queue, entered the unit, and was done.
    start : :class:`int`
        ``issued``, or the done of the unit's previous instruction if that is later: a unit accepts
        the next instruction while the previous one ends.
    layer : :class:`int`
        Index of the operator that it belongs to; -1 if unknown.
    """

    index: int
    iteration: int
    position: int
    unit: int
    queued: int
    issued: int
    start: int
    done: int
    layer: int


def spans(program: Program, times: npt.ArrayLike,
          steps: Sequence[int] = NO_STEPS) -> list[Span]:
    """Return a :class:`Span` for each iteration of each instruction, in program order.

    Parameters
    ----------
    program : :class:`weft_host.program.file.Program`
    times : array of the rows ``queued``, ``issued`` and ``done``
        Cycle of each event of each iteration, from :meth:`weft_host.device.RtlDevice.record` or
        from the cycle model.
    steps : sequence of :class:`int`
        Contents of the step registers during the run.
    """
    layers = program.meta.get("instruction_layers") or [-1] * program.instruction_count
    last, found = [0] * len(isa.UNITS), []
    for position, (iteration, (queued, issued, done)) in enumerate(zip(
            unroll(program, steps), np.asarray(times).T.tolist())):
        unit = iteration.instruction.unit
        found.append(Span(index=iteration.index, iteration=iteration.number, position=position,
                          unit=unit, queued=queued, issued=issued,
                          start=min(max(issued, last[unit]), done), done=done,
                          layer=layers[iteration.index]))
        last[unit] = done
    return found


def layer_names(program: Program) -> dict[int, str]:
    """Return the names of a program's layers by index."""
    return {layer["index"]: layer["name"] for layer in program.meta.get("layers", ())}


def layer_cycles(program: Program, times: npt.ArrayLike,
                 steps: Sequence[int] = NO_STEPS) -> dict[int, tuple[int, int]]:
    """Return the cycles ``(first, end)`` of each layer, which add up to the run.

    Layers overlap: the loads of one run while another computes. Cycles are assigned in the order
    in which layers end, each from the end of the layer before to its own end.
    """
    return layer_times(spans(program, times, steps))


def layer_times(timeline: Iterable[Span]) -> dict[int, tuple[int, int]]:
    """Return the :func:`layer_cycles` of a timeline."""
    ends: dict[int, int] = {}
    for span in timeline:
        ends[span.layer] = max(ends.get(span.layer, 0), span.done)
    first, found = 0, {}
    for layer, end in sorted(ends.items(), key=lambda item: (item[1], item[0])):
        found[layer] = first, end
        first = end
    return found


def chrome_trace(program: Program, times: npt.ArrayLike,
                 steps: Sequence[int] = NO_STEPS) -> dict[str, typing.Any]:
    """Return the trace of a run, for ``json.dump``.

    Parameters are those of :func:`spans`. Events have the fields of the instructions as they are
    in the program.
    """
    names = layer_names(program)
    events: list[dict[str, typing.Any]] = [
        {"ph": "M", "pid": 1, "tid": 0, "name": "process_name",
         "args": {"name": f"weft {program.config.name}"}}]
    for unit, name in enumerate(isa.UNITS):
        events.append({"ph": "M", "pid": 1, "tid": unit + 1, "name": "thread_name",
                       "args": {"name": name}})
        events.append({"ph": "M", "pid": 1, "tid": unit + 1, "name": "thread_sort_index",
                       "args": {"sort_index": unit}})
    timeline = spans(program, times, steps)
    for span in timeline:
        entry = disasm.as_dict(program.instruction(span.index), span.index)
        layer = names.get(span.layer, "")
        events.append({
            "ph": "X", "pid": 1, "tid": span.unit + 1, "ts": span.start,
            "dur": span.done - span.start, "name": entry["name"], "cat": layer or "program",
            "args": {"index": span.index, "iteration": span.iteration,
                     "layer": layer, "layer_index": span.layer,
                     "queued": span.queued, "issued": span.issued, "done": span.done,
                     "wait": entry["wait"], "signal": entry["signal"], **entry["fields"]}})
    tokens = find_tokens(program, timeline, steps)
    events += _arrows(tokens)
    events += counters(program, timeline, tokens, steps)
    return {"traceEvents": events, "displayTimeUnit": "ms",
            "otherData": {"source": program.meta.get("source", ""),
                          "preset": program.config.name, "unit": "1 us is 1 cycle"}}


def _arrows(tokens: Iterable[Token]) -> Iterator[dict[str, typing.Any]]:
    """Yield two flow events for each token: in its sender's last cycle, in its receiver's first.

    They are half a cycle inside of the two slices, so that a viewer finds these slices and not
    their neighbours.
    """
    for number, (sender, receiver) in enumerate(tokens, 1):
        if receiver is None:
            continue
        name = f"{isa.UNITS[sender.unit]} to {isa.UNITS[receiver.unit]}"
        common = {"pid": 1, "cat": "token", "name": name, "id": number}
        yield {**common, "ph": "s", "tid": sender.unit + 1, "ts": sender.done - 0.5}
        yield {**common, "ph": "f", "bp": "e", "tid": receiver.unit + 1,
               "ts": receiver.start + 0.5}
