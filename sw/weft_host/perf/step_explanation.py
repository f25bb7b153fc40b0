"""Explanation of a step of a language model: work and cycles of layers and kinds of operations."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from weft.spec import isa
from weft.spec.config import Config

from ..errors import ProgramError
from ..program.file import Program
from ..program.labels import instruction_labels
from ..program.validate import check_program
from ..progress import Progress, silent
from .cycle_model import Prediction, predict
from .hardware_changes import Change
from .step_work import Work, step_work

__all__ = ["StepExplanation", "StepGroup", "completion_cycles", "explain_step", "predict_step",
           "step_changes"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class StepGroup:
    """Instructions of a step that belong together.

    Attributes
    ----------
    layer : :class:`str`
        Name of the layer, or ``"all"``.
    kind : :class:`str`
        Kind of operation, or ``"all"``.
    work : :class:`Work`
    ideal : :class:`float`
        Cycles in which the bus transfers the weights and the cache.
    cycles : :class:`float`
        Cycles of the instructions.
    limit : :class:`str`
        Unit whose instructions have most of these cycles.
    """

    layer: str
    kind: str
    work: Work
    ideal: float
    cycles: float
    limit: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class StepExplanation:
    """Explanation of a step.

    Attributes
    ----------
    preset : :class:`str`
        Name of the configuration.
    bandwidth : :class:`float`
        Bandwidth of host memory in beats per cycle.
    groups : tuple of :class:`StepGroup`
        One for each layer and kind of operation, in the order of the program.
    layers, kinds : tuple of :class:`StepGroup`
        Sums for each layer, and for each kind of operation.
    total : :class:`StepGroup`
    """

    preset: str
    bandwidth: float
    groups: tuple[StepGroup, ...]
    layers: tuple[StepGroup, ...]
    kinds: tuple[StepGroup, ...]
    total: StepGroup

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return dataclasses.asdict(self)


def completion_cycles(times: npt.ArrayLike) -> list[int]:
    """Return the cycles of each instruction of a run; they add up to the time of the last done.

    An instruction has the cycles from the completion of the one that was done before it to its own.

    Parameters
    ----------
    times : array of the rows ``queued``, ``issued`` and ``done``
        From :meth:`weft_host.device.RtlDevice.recorded` or from the cycle model.
    """
    done = np.asarray(times)[-1]
    order = np.argsort(done, kind="stable")
    found = np.zeros(len(done), np.int64)
    found[order] = np.diff(done[order], prepend=0)
    return [int(cycles) for cycles in found]


def predict_step(program: Program, values: Sequence[int], *, latency: int = 20,
                 bandwidth: float = 1.0, config: Config | None = None,
                 progress: Progress = silent) -> Prediction:
    """Predict a step of a language model with the cycle model.

    Parameters
    ----------
    program : :class:`weft_host.Program`
    values : sequence of :class:`int`
        Contents of the step registers.
    latency, bandwidth, config, progress
        See :func:`weft_host.perf.cycle_model.predict`.

    Raises
    ------
    ProgramError
        If the program has an instruction that the hardware would refuse, or never ends.
    """
    for index, violation in check_program(program, steps=values):
        raise ProgramError(f"the program is damaged: instruction {index}: {violation.reason}; "
                           "compile the model again")
    try:
        return predict(program, steps=values, latency=latency, bandwidth=bandwidth, config=config,
                       progress=progress)
    except ValueError as error:
        raise ProgramError(f"the program is damaged: {error}; compile the model again") from None


def explain_step(program: Program, values: Sequence[int], cycles: Sequence[float], *,
                 bandwidth: float = 1.0) -> StepExplanation:
    """Explain the work of a step of a language model.

    Parameters
    ----------
    program : :class:`weft_host.Program`
        Program of a language model.
    values : sequence of :class:`int`
        Contents of the step registers, see :meth:`weft_host.LanguageModel.step_values`.
    cycles : sequence of numbers
        Cycles of each instruction, measured or predicted, which are added up for each group; see
        :func:`completion_cycles`.
    bandwidth : :class:`float`
        Bandwidth of host memory in beats per cycle.

    Raises
    ------
    ProgramError
        If the program has no labels of its instructions, or instructions that do not exist.
    ValueError
        If there is not one number of cycles for each instruction.
    """
    labels = instruction_labels(program)
    if labels is None or len(program.windows) < 2:
        raise ProgramError("the program has no names of layers and parts; compile the model again")
    if len(cycles) != program.instruction_count:
        raise ValueError(f"{len(cycles)} numbers of cycles for {program.instruction_count} "
                         "instructions")
    try:
        works = step_work(program, values)
    except ValueError as error:
        raise ProgramError(f"the program is damaged: {error}; compile the model again") from None
    units = [isa.BY_OPCODE[program.instructions[isa.INSTRUCTION_BYTES * index]].unit
             for index in range(program.instruction_count)]
    beat = program.config.bus_bytes * bandwidth

    def group(layer: str, kind: str, members: Sequence[int]) -> StepGroup:
        by_unit = [0.0] * len(isa.UNITS)
        for index in members:
            by_unit[units[index]] += cycles[index]
        work = Work.total(works[index] for index in members)
        return StepGroup(layer=layer, kind=kind, work=work, cycles=float(sum(by_unit)),
                         ideal=(work.weight_bytes + work.cache_bytes) / beat,
                         limit=isa.UNITS[by_unit.index(max(by_unit))])

    def grouped(keys: Sequence[tuple[str, str]]) -> tuple[StepGroup, ...]:
        members: dict[tuple[str, str], list[int]] = {}
        for index, key in enumerate(keys):
            members.setdefault(key, []).append(index)
        return tuple(group(*key, indices) for key, indices in members.items())

    return StepExplanation(
        preset=program.config.name, bandwidth=bandwidth,
        groups=grouped([(label.layer, label.kind) for label in labels]),
        layers=grouped([(label.layer, "all") for label in labels]),
        kinds=grouped([("all", label.kind) for label in labels]),
        total=group("all", "all", range(len(works))))


def step_changes(program: Program, values: Sequence[int], cycles: int, *, latency: int = 20,
                 bandwidth: float = 1.0, progress: Progress = silent) -> list[Change]:
    """Predict the effect of hardware changes on a step, and return the largest saving first.

    Parameters
    ----------
    program, values, latency, bandwidth, progress
        See :func:`predict_step`.
    cycles : :class:`int`
        Predicted cycles without a change.
    """
    config, found = program.config, []
    wide, lines = {"bus_width": 2 * config.bus_width}, {"tile_lines": 2}
    # memory and array often take the same time, so that one alone saves nothing
    candidates: tuple[tuple[str, dict[str, Any]], ...] = (
        ("host memory twice as wide", wide), ("two lines of a tile per cycle", lines),
        ("host memory twice as wide, and two lines of a tile per cycle", wide | lines),
        ("vector lanes doubled", {"vector_lanes": 2 * config.vector_lanes}),
        ("queues twice as deep", {"queue_depth": 2 * config.queue_depth}))
    for what, parameters in candidates:
        if parameters.get("tile_lines") == config.tile_lines:
            continue
        try:
            changed = dataclasses.replace(config, **parameters)
        except ValueError:          # no configuration allows it
            continue
        after = predict_step(program, values, latency=latency, bandwidth=bandwidth, config=changed,
                             progress=progress).cycles
        found.append(Change(what=what, cycles=after, saved=1 - after / cycles))
    return sorted(found, key=lambda change: (change.cycles, change.what))
