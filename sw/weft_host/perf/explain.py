"""Explanation of a program's cycles: time and bottleneck of each layer and unit."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from weft.spec import isa
from weft.spec.config import Config

from ..program.file import Program
from ..progress import Progress
from .cycle_model import Prediction, predict
from .hardware_changes import Change, changes_of
from .trace import Span, layer_cycles, layer_names, layer_times, spans

if typing.TYPE_CHECKING:
    from ..device.base import Result

__all__ = ["Explanation", "LayerReport", "UnitReport", "explain"]

FETCH, ISSUE, END = "instruction fetch", "issue", "end of the program"


@dataclasses.dataclass(frozen=True, kw_only=True)
class UnitReport:
    """Cycles of a unit.

    Attributes
    ----------
    unit : :class:`str`
    busy : :class:`int`
        Cycles with an instruction in progress.
    waiting : :class:`dict`
        Other cycles by cause: the name of another unit for its token, ``"instruction fetch"`` while
        the queue is empty, ``"issue"`` for the latency of an instruction that is ready,
        ``"end of the program"`` after the unit's last instruction.
    """

    unit: str
    busy: int
    waiting: dict[str, int]


@dataclasses.dataclass(frozen=True, kw_only=True)
class LayerReport:
    """Figures of a layer or of the whole program.

    Attributes
    ----------
    name, what : :class:`str`
        Name and description.
    index : :class:`int`
        Index of the operator in the model; -1 for the whole program.
    macs : :class:`int`
        Multiplications.
    ideal : :class:`float`
        Cycles for ``macs`` if all cells are busy.
    predicted : :class:`int`
        Predicted cycles. Those of all layers add up to the whole.
    measured : :class:`int` or :class:`None`
        Measured cycles; None without a run.
    first : :class:`int`
        Cycle in which the layer's predicted time begins.
    bytes_read, bytes_written : :class:`int`
        Traffic of loads and stores to host memory. That of the whole program includes instructions.
    intensity : :class:`float` or :class:`None`
        Multiplications per byte; None without traffic.
    roof : :class:`float`
        Multiplications per cycle that array and host memory allow at this intensity.
    achieved : :class:`float`
        Multiplications per cycle as measured, or as predicted without a run.
    busy : :class:`dict`
        Cycles of the layer's time in which each unit is busy, with any layer.
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
    busy: dict[str, int]
    limit: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Explanation:
    """Explanation of a program.

    Attributes
    ----------
    preset : :class:`str`
        Name of the configuration.
    latency : :class:`int`
        Latency of host memory in cycles.
    bandwidth : :class:`float`
        Bandwidth of host memory in beats per cycle.
    total : :class:`LayerReport`
        Report on the whole program.
    layers : list of :class:`LayerReport`
        Report on each layer, in order.
    units : list of :class:`UnitReport`
        Report on each unit.
    helps : list of :class:`Change`
        Predicted effects of hardware changes, the largest saving first.
    spans : list of :class:`weft_host.perf.trace.Span`
        Predicted instructions, for a timeline.
    counters : :class:`dict`
        Performance counters of the measured run.
    """

    preset: str
    latency: int
    bandwidth: float
    total: LayerReport
    layers: list[LayerReport]
    units: list[UnitReport]
    helps: list[Change]
    spans: list[Span]
    counters: dict[str, int]

    def as_dict(self) -> dict[str, typing.Any]:
        """Return plain data, without the timeline."""
        facts = dataclasses.asdict(dataclasses.replace(self, spans=[]))
        del facts["spans"]
        return facts


class _Busy:
    """Busy cycles of a unit up to any cycle."""

    def __init__(self, timeline: Iterable[Span]) -> None:
        intervals: list[list[int]] = []         # disjoint, in order
        for span in timeline:
            if intervals and span.issued <= intervals[-1][1]:
                intervals[-1][1] = max(intervals[-1][1], span.done)
            else:
                intervals.append([span.issued, span.done])
        self._firsts, self._ends = np.array(intervals, np.int64).reshape(-1, 2).T
        self._before = np.concatenate([[0], np.cumsum(self._ends - self._firsts)])

    def up_to(self, cycle: int) -> int:
        """Return the busy cycles before ``cycle``."""
        begun = int(np.searchsorted(self._firsts, cycle))
        if not begun:
            return 0
        return int(self._before[begun] - max(0, self._ends[begun - 1] - cycle))


def _unit_report(prediction: Prediction, unit: int, timeline: Iterable[Span]) -> UnitReport:
    waiting: dict[str, int] = {}

    def wait(cause: str, cycles: int) -> None:
        if cycles > 0:
            waiting[cause] = waiting.get(cause, 0) + cycles

    free = busy = 0
    for span in timeline:
        if span.issued > free:
            sender = int(prediction.senders[span.position])
            token = int(prediction.tokens[span.position])
            head = min(max(int(prediction.heads[span.position]), free), span.issued)
            ready = min(max(token, head), span.issued) if sender >= 0 else head
            wait(FETCH, head - free)
            if sender >= 0:
                wait(isa.UNITS[sender], ready - head)
            wait(ISSUE, span.issued - ready)
            free = span.issued
        busy += max(0, span.done - free)
        free = max(free, span.done)
    wait(END, prediction.cycles - free)
    return UnitReport(unit=isa.UNITS[unit], busy=busy, waiting=waiting)


def _traffic(program: Program) -> dict[int, list[int]]:
    """Return ``[bytes read, bytes written]`` of each layer, without instructions."""
    layers = program.meta.get("instruction_layers") or [-1] * program.instruction_count
    moved: dict[int, list[int]] = {}
    for index, layer in enumerate(layers):
        instruction, fields = isa.decode(program.instruction(index))
        name = instruction.name if instruction else ""
        direction = {"LOAD": 0, "LOAD_WGT": 0, "STORE": 1}.get(name)
        entry = moved.setdefault(layer, [0, 0])
        if direction is not None:
            entry[direction] += fields["count"] * fields["bytes"]
    return moved


def _layer_facts(program: Program) -> dict[int, tuple[int, str]]:
    """Return the multiplications and the description of each layer."""
    facts: dict[int, tuple[int, str]] = {}
    for layer in program.meta.get("layers", ()):
        macs, what = facts.get(layer["index"], (0, layer.get("what", "")))
        facts[layer["index"]] = macs + layer["macs"], what
    return facts


def explain(program: Program, *, latency: int = 20, bandwidth: float = 1.0,
            measured: tuple[Result, npt.NDArray[np.int64]] | None = None,
            recompile: Callable[[Config], Program] | None = None, jobs: int = 1,
            progress: Progress | None = None) -> Explanation:
    """Explain where the cycles of a program go.

    Parameters
    ----------
    program : :class:`weft_host.program.file.Program`
    latency : :class:`int`
        Latency of host memory in cycles.
    bandwidth : :class:`float`
        Beats per cycle of host memory.
    measured : pair of :class:`weft_host.device.Result` and array, or :class:`None`
        Result of :meth:`weft_host.device.RtlDevice.record` for the program.
    recompile, jobs
        See :func:`weft_host.perf.hardware_changes.changes_of`.
    progress : callable or :class:`None`
        Receives a sentence for each stage of the work; see :mod:`weft_host.progress`.
    """
    with changes_of(program, latency, bandwidth, recompile, jobs=jobs,
                    progress=progress) as changes:
        prediction = predict(program, latency=latency, bandwidth=bandwidth, progress=progress)
        timeline = spans(program, prediction.times)
        units = [[span for span in timeline if span.unit == unit]
                 for unit in range(len(isa.UNITS))]
        total, layers = _layer_reports(program, prediction, timeline, units, bandwidth, measured)
        return Explanation(
            preset=program.config.name, latency=latency, bandwidth=bandwidth, total=total,
            layers=layers, spans=timeline, units=[
                _unit_report(prediction, unit, of_unit) for unit, of_unit in enumerate(units)],
            helps=changes(prediction.cycles), counters=measured[0].counters if measured else {})


def _layer_reports(program: Program, prediction: Prediction, timeline: Sequence[Span],
                   units: Sequence[Sequence[Span]], bandwidth: float,
                   measured: tuple[Result, npt.NDArray[np.int64]] | None,
                   ) -> tuple[LayerReport, list[LayerReport]]:
    """Return the reports on the whole program and on each layer."""
    config = program.config
    busy_cycles, moved = [_Busy(of_unit) for of_unit in units], _traffic(program)
    times = layer_cycles(program, measured[1]) if measured else {}
    facts, names = _layer_facts(program), layer_names(program)
    cells, beat = config.cells, config.bus_bytes * bandwidth

    def report(index: int, name: str, what: str, macs: int, first: int, end: int,
               taken: int | None, read: int, written: int) -> LayerReport:
        busy = {unit: busy_cycles[number].up_to(end) - busy_cycles[number].up_to(first)
                for number, unit in enumerate(isa.UNITS)}
        intensity = macs / (read + written) if read + written else None
        return LayerReport(
            name=name, what=what, index=index, macs=macs, ideal=macs / cells,
            predicted=end - first, measured=taken, first=first, bytes_read=read,
            bytes_written=written, intensity=intensity,
            roof=cells if intensity is None else min(cells, intensity * beat),
            achieved=macs / max(1, taken or end - first), busy=busy,
            limit=max(busy, key=lambda unit: busy[unit]))

    layers = []
    for index, (first, end) in layer_times(timeline).items():
        macs, what = facts.get(index, (0, ""))
        taken = times[index][1] - times[index][0] if times else None
        layers.append(report(index, names.get(index, "program"), what, macs, first, end, taken,
                             *moved.get(index, (0, 0))))
    read, written = (int(sum(entry[direction] for entry in moved.values()))
                     for direction in (0, 1))
    total = report(-1, "all", program.meta.get("source", ""),
                   sum(macs for macs, _ in facts.values()), 0, prediction.cycles,
                   measured[0].cycles if measured else None,
                   read + len(program.instructions), written)
    return total, layers
