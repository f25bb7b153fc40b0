"""Where the cycles of a program go, and what would save most of them."""

import dataclasses

import numpy as np

from weft.spec import isa

from .cycle_model import predict
from .trace import layer_cycles, layer_names, spans

__all__ = ["Change", "Explanation", "LayerReport", "UnitReport", "changes", "explain"]

HAND_OVER, FETCH, END = "hand-over", "an instruction", "the end"


@dataclasses.dataclass(frozen=True, kw_only=True)
class UnitReport:
    """A unit's time, in cycles.

    Attributes
    ----------
    unit : :class:`str`
    busy : :class:`int`
        With an instruction in work.
    waiting : :class:`dict`
        By what it waited for: another unit's token, ``"an instruction"`` that was not in its queue
        yet, the ``"hand-over"`` of one that could go, ``"the end"`` after its last one.
    """

    unit: str
    busy: int
    waiting: dict


@dataclasses.dataclass(frozen=True, kw_only=True)
class LayerReport:
    """A layer, or the whole program.

    Attributes
    ----------
    name, what : :class:`str`
    index : :class:`int`
        Of the operator in the model; -1 for the whole.
    macs : :class:`int`
    ideal : :class:`float`
        Cycles in which all cells could do ``macs``.
    predicted, measured : :class:`int`
        Cycles; ``measured`` is ``None`` without a run. Those of layers add up to the whole.
    first : :class:`int`
        The predicted cycle that it begins with.
    bytes_read, bytes_written : :class:`int`
        Of host memory, by its loads and stores; the whole also reads its instructions.
    intensity : :class:`float` or :class:`None`
        Multiplications a byte; ``None`` where nothing is moved.
    roof : :class:`float`
        Multiplications a cycle that array and host memory allow at this intensity.
    achieved : :class:`float`
        Multiplications a cycle, as measured, or else as predicted.
    busy : :class:`dict`
        For each unit the cycles of this layer's time in which it is busy, with whatever layer.
    limit : :class:`str`
        The busiest unit.
    """

    name: str
    what: str
    index: int
    macs: int
    ideal: float
    predicted: int
    measured: int | None
    first: int
    bytes_read: int
    bytes_written: int
    intensity: float | None
    roof: float
    achieved: float
    busy: dict
    limit: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Change:
    """What the model says of other hardware. ``saved`` is a share of the predicted cycles."""

    what: str
    cycles: int
    saved: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Explanation:
    """All of it; ``spans`` are the predicted instructions, for a timeline."""

    preset: str
    latency: int
    bandwidth: float
    total: LayerReport
    layers: list
    units: list
    helps: list
    spans: list
    counters: dict

    def as_dict(self):
        """Plain data, without the timeline."""
        facts = dataclasses.asdict(dataclasses.replace(self, spans=[]))
        del facts["spans"]
        return facts


def _busy(found):
    """For each unit its busy intervals, in order and apart."""
    intervals: list[list[list[int]]] = [[] for _ in isa.UNITS]
    for span in found:
        mine = intervals[span.unit]
        if mine and span.handed <= mine[-1][1]:
            mine[-1][1] = max(mine[-1][1], span.done)
        else:
            mine.append([span.handed, span.done])
    return intervals


def _overlap(intervals, first, end):
    return sum(max(0, min(b, end) - max(a, first)) for a, b in intervals)


def _units(prediction, found):
    """What each unit did with the predicted cycles."""
    reports = []
    for unit, name in enumerate(isa.UNITS):
        waiting: dict[str, int] = {}

        def wait(what, cycles, waiting=waiting):
            if cycles > 0:
                waiting[what] = waiting.get(what, 0) + cycles

        free = busy = 0
        for span in (span for span in found if span.unit == unit):
            if span.handed > free:
                giver, token = prediction.givers[span.place], int(prediction.tokens[span.place])
                head = min(max(int(prediction.heads[span.place]), free), span.handed)
                given = min(max(token, head), span.handed) if giver >= 0 else head
                wait(FETCH, head - free)
                if giver >= 0:
                    wait(isa.UNITS[giver], given - head)
                wait(HAND_OVER, span.handed - given)
                free = span.handed
            busy += max(0, span.done - free)
            free = max(free, span.done)
        wait(END, prediction.cycles - free)
        reports.append(UnitReport(unit=name, busy=busy, waiting=waiting))
    return reports


def _traffic(program):
    """``{layer: [bytes read, bytes written]}``, without the instructions."""
    layers = program.meta.get("instruction_layers") or [-1] * program.instruction_count
    moved: dict[int, list[int]] = {}
    for index, layer in enumerate(layers):
        instruction, fields = isa.decode(program.instruction(index))
        place = {"LOAD": 0, "LOAD_WGT": 0, "STORE": 1}.get(instruction.name)
        entry = moved.setdefault(layer, [0, 0])
        if place is not None:
            entry[place] += fields["count"] * fields["bytes"]
    return moved


def explain(program, *, latency=20, bandwidth=1.0, measured=None, recompile=None):
    """The :class:`Explanation` of a program.

    Parameters
    ----------
    program : :class:`weft_host.program.file.Program`
    latency, bandwidth
        Of host memory.
    measured : pair of :class:`weft_host.device.Result` and array, or :class:`None`
        What :meth:`weft_host.device.RtlDevice.record` gave for it.
    recompile : callable or :class:`None`
        From a configuration to the same model's program for it; needed to know what larger
        memories would help.
    """
    config = program.config
    prediction = predict(program, latency=latency, bandwidth=bandwidth)
    found = spans(program, prediction.times)
    intervals, moved = _busy(found), _traffic(program)
    times = layer_cycles(program, measured[1]) if measured else {}
    about: dict[int, dict] = {}
    for layer in program.meta.get("layers", ()):
        entry = about.setdefault(layer["index"], {"macs": 0, "what": layer.get("what", "")})
        entry["macs"] += layer["macs"]
    names = layer_names(program)
    cells, beat = config.rows * config.cols, config.bus_bytes * bandwidth

    def report(index, name, what, macs, first, end, took, read, written):
        busy = {unit: _overlap(intervals[number], first, end)
                for number, unit in enumerate(isa.UNITS)}
        intensity = macs / (read + written) if read + written else None
        return LayerReport(
            name=name, what=what, index=index, macs=macs, ideal=macs / cells,
            predicted=end - first, measured=took, first=first, bytes_read=read,
            bytes_written=written, intensity=intensity,
            roof=cells if intensity is None else min(cells, intensity * beat),
            achieved=macs / max(1, took or end - first), busy=busy,
            limit=max(busy, key=lambda unit: busy[unit]))

    layers = []
    for index, (first, end) in layer_cycles(program, prediction.times).items():
        entry = about.get(index, {"macs": 0, "what": ""})
        took = times[index][1] - times[index][0] if times else None
        layers.append(report(index, names.get(index, "program"), entry["what"], entry["macs"],
                             first, end, took, *moved.get(index, (0, 0))))
    read, written = (int(sum(entry[place] for entry in moved.values())) for place in (0, 1))
    total = report(-1, "all", program.meta.get("source", ""),
                   sum(entry["macs"] for entry in about.values()), 0, prediction.cycles,
                   measured[0].cycles if measured else None,
                   read + len(program.instructions), written)
    return Explanation(
        preset=config.name, latency=latency, bandwidth=bandwidth, total=total, layers=layers,
        units=_units(prediction, found),
        helps=changes(program, prediction.cycles, latency, bandwidth, recompile), spans=found,
        counters=measured[0].counters if measured else {})


def changes(program, cycles, latency, bandwidth, recompile=None):
    """What other hardware would save, most first: a list of :class:`Change`.

    Each is predicted on its own. Faster parts run the same program; other sizes need it compiled
    again. What no configuration may have is left out.
    """
    config = program.config
    memory = {"latency": latency, "bandwidth": bandwidth}
    tries = [("host memory twice as wide", {"bus_width": 2 * config.bus_width}, {}, False),
             ("host memory with half the latency", {}, {"latency": max(1, latency // 2)}, False),
             ("vector lanes doubled", {"vector_lanes": 2 * config.vector_lanes}, {}, False),
             ("scratchpad banks doubled", {"spad_banks": 2 * config.spad_banks}, {}, False),
             ("queues twice as deep", {"queue_depth": 2 * config.queue_depth}, {}, False),
             ("bursts in flight doubled", {"outstanding": 2 * config.outstanding}, {}, False),
             ("scratchpad doubled", {"spad_bytes": 2 * config.spad_bytes}, {}, True),
             ("weight buffer doubled", {"wgt_bytes": 2 * config.wgt_bytes}, {}, True),
             ("accumulators doubled", {"acc_rows": 2 * config.acc_rows}, {}, True),
             ("array with twice the columns",
              {"cols": 2 * config.cols, "wgt_bytes": 2 * config.wgt_bytes}, {}, True),
             ("array with twice the rows",
              {"rows": 2 * config.rows, "wgt_bytes": 2 * config.wgt_bytes}, {}, True)]
    if bandwidth < 1:
        tries.append(("host memory with twice the bandwidth", {},
                      {"bandwidth": min(1.0, 2 * bandwidth)}, False))
    found = []
    for what, change, other, again in tries:
        if again and recompile is None:
            continue
        try:
            changed = dataclasses.replace(config, **change)
        except ValueError:
            continue
        runs = recompile(changed) if again else program
        after = predict(runs, config=changed, **{**memory, **other}).cycles
        found.append(Change(what=what, cycles=after, saved=float(np.round(1 - after / cycles, 6))))
    return sorted(found, key=lambda change: (change.cycles, change.what))
