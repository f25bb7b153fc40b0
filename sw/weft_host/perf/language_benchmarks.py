"""Measurements of language models in cycles."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from weft.spec import isa
from weft.spec.config import Config

from ..compiler.language_model.parts import Part
from ..compiler.language_model.step_data import StepData
from ..device import RtlDevice
from ..errors import InputError, ProgramError
from ..program.file import Program
from ..program.labels import instruction_labels
from ..progress import Progress, silent
from .step_explanation import predict_step
from .step_work import Work, step_work

if TYPE_CHECKING:
    from ..language import LanguageModel

__all__ = ["StepMeasurement", "measure_decode", "predict_decode"]

_ATTENTION = frozenset(part.label for part in (Part.SCORES, Part.SOFTMAX, Part.VALUES))
_COMPUTE = isa.BY_NAME["COMPUTE"].opcode


@dataclasses.dataclass(frozen=True, kw_only=True)
class StepMeasurement:
    """Cycles and traffic of steps of a language model.

    Attributes
    ----------
    cycles : :class:`int`
    bytes_read : :class:`int`
        Bytes that are read from host memory, instructions among them.
    ideal_bytes : :class:`int`
        The weights that the steps need, and the int8 keys and values of the context. Weights are
        int8; with ``weights_4bit``, those whose codes are in the file have 4 bits, and 24 bits for
        every 32 of them. Parameters, instructions and padding do not count.
    ratio : :class:`float`
        Cycles over those in which the bus transfers the ideal bytes, a beat in each cycle.
    """

    cycles: int
    bytes_read: int
    ideal_bytes: int
    ratio: float

    @classmethod
    def of(cls, config: Config, cycles: int, bytes_read: int, ideal: int) -> StepMeasurement:
        """Return a measurement on a configuration."""
        return cls(cycles=cycles, bytes_read=bytes_read, ideal_bytes=ideal,
                   ratio=cycles * config.bus_bytes / ideal)


def measure_decode(model: LanguageModel) -> tuple[StepMeasurement, StepMeasurement]:
    """Measure a step at the last position of the context, and the attention of its layers.

    The attention of a layer begins when its queries are complete with 16 bits, and ends when the
    outputs of all heads are; the second measurement is the sum over all layers, and its ideal bytes
    are the keys and values only.

    Raises
    ------
    InputError
        If the device does not record its instructions: it is not the simulated RTL.
    DeviceError
        If the device stopped with an error.
    """
    device, values = model.device, model.step_values(0, model.context - 1)
    if not isinstance(device, RtlDevice):
        raise InputError("only the simulated RTL records when instructions are done; choose "
                         "another device")
    counters, times = device.recorded(
        model.program, lambda: model.timing_step(model.context - 1), values)
    decode = StepMeasurement.of(model.program.config, counters["CYCLES"], counters["BYTES_READ"],
                                model.sizes.ideal_bytes(
                                    model.context, codes=model.program.config.weights_4bit))
    return decode, _attention(model.program, values, times[-1],
                              model.sizes.cache_bytes(model.context))


def predict_decode(program: Program, data: StepData, *, latency: int = 20, bandwidth: float = 1.0,
                   progress: Progress = silent) -> tuple[StepMeasurement, StepMeasurement]:
    """Predict a step at the last position of the context, and the attention of its layers.

    Both are as :func:`measure_decode` returns them, but from the cycle model.

    Parameters
    ----------
    program : :class:`weft_host.Program`
    data : :class:`weft_host.compiler.language_model.step_data.StepData`
    latency, bandwidth, progress
        See :func:`weft_host.perf.cycle_model.predict`.

    Raises
    ------
    ProgramError
        If the program has an instruction that the hardware would refuse, or never ends.
    """
    values = data.registers.values(0, data.context - 1)
    found = predict_step(program, values, latency=latency, bandwidth=bandwidth, progress=progress)
    decode = StepMeasurement.of(
        program.config, found.cycles, Work.total(step_work(program, values)).read_bytes,
        data.sizes.ideal_bytes(data.context, codes=program.config.weights_4bit))
    return decode, _attention(program, values, found.times[-1],
                              data.sizes.cache_bytes(data.context))


def _attention(program: Program, values: Sequence[int], done: npt.NDArray[np.int64],
               ideal: int) -> StepMeasurement:
    """Return the measurement of the attention of all layers.

    Parameters
    ----------
    program : the program of the step.
    values : contents of the step registers.
    done : cycle in which each instruction is done.
    ideal : bytes of the keys and values.
    """
    labels = instruction_labels(program)
    if labels is None:
        raise ProgramError("the program does not say which instructions belong to the attention")
    ready: dict[str, int] = {}
    output: dict[str, int] = {}
    read = 0
    for index, (label, work) in enumerate(zip(labels, step_work(program, values), strict=True)):
        if label.part in _ATTENTION:
            read += work.read_bytes
            if label.part == Part.SCORES.label and program.instruction(index)[0] == _COMPUTE:
                ready[label.layer] = max(ready.get(label.layer, 0), int(done[index]))
            output[label.layer] = max(output.get(label.layer, 0), int(done[index]))
    cycles = sum(output.values()) - sum(ready.values())
    return StepMeasurement.of(program.config, cycles, read, ideal)
