"""Measured runs, instruction by instruction, and as a file that Perfetto opens.

The file has the trace-event format of Chrome's ``about:tracing``: one process, a thread for each
unit, a complete event ("X") for each instruction; one cycle is shown as one microsecond.
"""

import dataclasses

import numpy as np

from weft.spec import isa

from ..program import disasm
from ..program.expand import unroll

__all__ = ["Span", "chrome_trace", "layer_cycles", "layer_names", "spans"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Span:
    """An instruction of a run, or a row of one, in cycles from the start of the program.

    Attributes
    ----------
    index, row, unit : :class:`int`
        Place in the program, which of the instruction's rows, number of the unit.
    place : :class:`int`
        Place among all rows of the program.
    queued, handed, done : :class:`int`
        When it came into its unit's queue, into its unit, and when it was done.
    start : :class:`int`
        ``handed``, or when the unit was done with the instruction before it, if that is later:
        units take the next instruction while the last one ends.
    layer : :class:`int`
        Index of the operator that it is for, -1 if that is not known.
    """

    index: int
    row: int
    place: int
    unit: int
    queued: int
    handed: int
    start: int
    done: int
    layer: int


def spans(program, times):
    """The :class:`Span` of each row of :func:`unroll`, in the order of the program.

    Parameters
    ----------
    program : :class:`weft_host.program.file.Program`
    times : array of ``queued``, ``handed`` and ``done``
        As :meth:`weft_host.device.RtlDevice.record` gives them, or a cycle model.
    """
    layers = program.meta.get("instruction_layers") or [-1] * program.instruction_count
    last, found = [0] * len(isa.UNITS), []
    for place, (row, (queued, handed, done)) in enumerate(zip(
            unroll(program), np.asarray(times).T.tolist())):
        unit = row.instruction.unit
        found.append(Span(index=row.index, row=row.number, place=place, unit=unit, queued=queued,
                          handed=handed, start=min(max(handed, last[unit]), done), done=done,
                          layer=layers[row.index]))
        last[unit] = done
    return found


def layer_names(program):
    """``{index: name}`` of the layers of a program."""
    return {layer["index"]: layer["name"] for layer in program.meta.get("layers", ())}


def layer_cycles(program, times):
    """``{layer: (first, end)}``: the cycles that belong to each layer, which add up to the run.

    Layers overlap: loads of one are done while another computes. Time is given to layers in the
    order in which they end: from where the layer before has ended to where this one has.
    """
    ends: dict[int, int] = {}
    for span in spans(program, times):
        ends[span.layer] = max(ends.get(span.layer, 0), span.done)
    first, found = 0, {}
    for layer, end in sorted(ends.items(), key=lambda item: (item[1], item[0])):
        found[layer] = first, end
        first = end
    return found


def chrome_trace(program, times):
    """A run as an object for ``json.dump``; see the module."""
    names = layer_names(program)
    events = [{"ph": "M", "pid": 1, "tid": 0, "name": "process_name",
               "args": {"name": f"weft {program.config.name}"}}]
    for unit, name in enumerate(isa.UNITS):
        events.append({"ph": "M", "pid": 1, "tid": unit + 1, "name": "thread_name",
                       "args": {"name": name}})
        events.append({"ph": "M", "pid": 1, "tid": unit + 1, "name": "thread_sort_index",
                       "args": {"sort_index": unit}})
    for span in spans(program, times):
        entry = disasm.as_dict(program.instruction(span.index), span.index)
        layer = names.get(span.layer, "")
        events.append({
            "ph": "X", "pid": 1, "tid": span.unit + 1, "ts": span.start,
            "dur": span.done - span.start, "name": entry["name"], "cat": layer or "program",
            "args": {"index": span.index, "row": span.row,
                     "layer": layer, "layer_index": span.layer,
                     "queued": span.queued, "handed": span.handed, "done": span.done,
                     "wait": entry["wait"], "signal": entry["signal"], **entry["fields"]}})
    return {"traceEvents": events, "displayTimeUnit": "ms",
            "otherData": {"source": program.meta.get("source", ""),
                          "preset": program.config.name, "unit": "1 us is 1 cycle"}}
