"""Compiler pipeline: the stages from a model file to a program."""

import dataclasses
import os
from collections.abc import Iterator, Sequence
from typing import Any

from weft.spec.config import Config

from ..configuration import resolve_config
from ..program.file import Program
from ..program.tensor import HostStep
from ..progress import Progress, silent
from .emit import emit
from .frontend.graph import Graph
from .frontend.tflite import read_model
from .lower.elementwise import Elementwise, RowSoftmax
from .lower.layer import Layer
from .lower.lowered import Lowered, Operation
from .lower.lowering import lower
from .lower.move import Move
from .lower.operands import require_int8
from .plan.allocators import HostMemoryAllocator, WeightBufferRing
from .plan.layer_plan import LayerPlan
from .plan.map_plan import MapPlan
from .plan.move_plan import MovePlan
from .plan.softmax_plan import SoftmaxPlan
from .plan.tensor_layout import TensorLayout, lay_out_tensors, unique_names
from .schedule.interleave import StepEmission, interleave
from .schedule.producer_order import longest_producer_last
from .steps.array_step import ArrayStep
from .steps.instruction_stream import InstructionStream
from .steps.map_step import MapStep
from .steps.move_step import MoveStep
from .steps.residency import Arrangement, arrange, resident_operands
from .steps.softmax_step import SoftmaxStep
from .steps.step import HostAddresses, Step, StepMemory
from .verdict import CapacityError, ModelError, Refused, UnsupportedError, Verdict

__all__ = ["assemble", "check", "compile"]


def check(model: bytes | str | os.PathLike[str], config: Config | str, *,
          progress: Progress | None = None) -> list[Verdict]:
    """Decide for every operator of a model whether the device or the host executes it.

    Parameters
    ----------
    model : :class:`bytes` or path
        Content or path of an int8 ``.tflite`` file.
    config : :class:`weft.spec.config.Config` or :class:`str`
        Configuration that would execute the model, or the name of its preset or of its board.
    progress : callable or :class:`None`
        Receives a sentence for each stage of the work; see :mod:`weft_host.progress`.

    Returns
    -------
    list of :class:`Verdict`
        One verdict per operator, in execution order.

    Raises
    ------
    ModelError
        If the file cannot be read, or if no operator uses an input or output that is not supported.
    """
    return _lowered_steps(read_model(model), resolve_config(config),
                          progress or silent)[0].verdicts


def compile(model: bytes | str | os.PathLike[str], config: Config | str, *,
            keep_tensors: bool = False, progress: Progress | None = None) -> Program:
    """Compile a model.

    Parameters
    ----------
    model : :class:`bytes` or path
        Content or path of an int8 ``.tflite`` file.
    config : :class:`weft.spec.config.Config` or :class:`str`
        Configuration that executes the program, or the name of its preset or of its board. The
        program may need more host memory than that board has, so that it can run in simulation:
        compare :attr:`weft_host.Program.memory_bytes` with
        :attr:`weft_boards.Board.memory_bytes`. ``weft compile`` and :meth:`weft_host.Device.run`
        refuse a program that does not fit.
    keep_tensors : :class:`bool`
        Store every intermediate tensor in host memory, where it can be read, even if it could stay
        on chip. This costs cycles, but changes no result.
    progress : callable or :class:`None`
        Receives a sentence for each stage of the work; see :mod:`weft_host.progress`.

    Returns
    -------
    :class:`weft_host.Program`

    Raises
    ------
    ModelError, UnsupportedError
        If :func:`check` raises the error, or reports unsupported operators, which are listed.
    CapacityError
        If the program exceeds the address range of host memory.
    """
    config, report = resolve_config(config), progress or silent
    graph = read_model(model)
    lowered, steps = _lowered_steps(graph, config, report)
    if lowered.unsupported:
        raise UnsupportedError(graph.source, lowered.unsupported)
    steps = longest_producer_last(steps)
    arrangement = arrange(steps, config, progress=report)
    layout = lay_out_tensors(graph, lowered, arrangement.resident, keep_tensors=keep_tensors)
    names = unique_names(graph)
    host_steps = [dataclasses.replace(
        step, inputs=tuple(names[int(index)] for index in step.inputs),
        outputs=tuple(names[int(index)] for index in step.outputs))
        for step in lowered.host_steps]
    return assemble(steps, arrangement, config, layout, host_steps=host_steps,
                    source=graph.source, progress=report)


def assemble(steps: Sequence[Step[Any]], arrangement: Arrangement, config: Config,
             layout: TensorLayout, *, host_steps: Sequence[HostStep] = (),
             source: str = "", progress: Progress = silent) -> Program:
    """Emit planned steps, and return the program.

    Parameters
    ----------
    steps : sequence of :class:`Step`
        Steps in execution order.
    arrangement : :class:`Arrangement`
        Plans and scratchpad addresses of the steps.
    config : :class:`weft.spec.config.Config`
        Configuration that executes the program.
    layout : :class:`TensorLayout`
        Tensors in host memory.
    host_steps : sequence of :class:`HostStep`
        Operators that the host executes.
    source : :class:`str`
        Description of the model, for the metadata.
    progress : callable
        Receives a sentence for each stage of the work.

    Raises
    ------
    CapacityError
        If the program exceeds the address range of host memory.
    """
    stream, ring = InstructionStream(config), WeightBufferRing(config)
    memory = HostMemoryAllocator()
    sections, emissions, layers = [], [], []
    for step, plan, buffers in zip(steps, arrangement.plans, arrangement.buffers):
        sources, target = resident_operands(step, arrangement.resident)
        constants = step.constants(plan, sources, target)
        address = memory.allocate(len(constants))
        sections.append(constants.ljust(memory.size - address, b"\0"))
        host = HostAddresses(
            sources=tuple(layout.offsets.get(index) for index in step.sources),
            target=layout.offsets.get(step.target), constants=address)
        emissions.append(StepEmission(step, plan, StepMemory(
            host=host, buffers=buffers, sources=sources, target=target, weights=ring),
            arrangement.early_parameters))
        layers.append({"name": step.name, "index": step.index, "what": step.describe(),
                       "macs": step.macs,
                       "on_chip": [tensor is not None for tensor in (*sources, target)],
                       "estimated_cycles": plan.cycles, "plan": dataclasses.asdict(plan)})
    interleave(stream, emissions, progress=progress)
    return emit(stream, b"".join(sections), layout, host_steps=host_steps, source=source,
                macs=sum(step.macs for step in steps), layers=layers, progress=progress)


def _lowered_steps(graph: Graph, config: Config,
                   progress: Progress) -> tuple[Lowered, list[Step[Any]]]:
    """Return the lowered graph and its steps.

    An operator gets the verdict "unsupported" if it does not fit the scratchpad even alone, or if
    it uses a tensor that cannot be an input or output of the model.

    Raises
    ------
    ModelError
        If no operator uses such a tensor, and all operators are supported.
    """
    lowered = lower(graph, config)
    steps = [_step(operation, config) for operation in lowered.operations]
    verdicts = {verdict.index: verdict for verdict in lowered.verdicts}
    for number, step in enumerate(steps, 1):
        progress(f"compiling: planning layer {number} of {len(steps)}")
        try:
            step.plan(config.spad_bytes, (None,) * len(step.sources), None)
        except CapacityError as error:
            verdicts[step.index] = dataclasses.replace(
                verdicts[step.index], where="unsupported", reason=str(error))
    unused = []
    for index, reason in _interface_problems(graph, lowered):
        users = [op.index for op in graph.operators if index in (*op.inputs, *op.outputs)]
        unused += [] if users else [reason]
        for user in users:
            if verdicts[user].where != "unsupported":
                verdicts[user] = dataclasses.replace(verdicts[user], where="unsupported",
                                                     reason=reason)
    lowered = dataclasses.replace(lowered, verdicts=list(verdicts.values()))
    if unused and not lowered.unsupported:
        raise ModelError(f"{graph.source}: {unused[0]}")
    return lowered, steps


def _step(operation: Operation, config: Config) -> Step[Any]:
    """Return the step that executes an operation.

    The annotations make the type checker compare the steps and their plans with the protocols.
    """
    match operation:
        case Layer():
            array_step: Step[LayerPlan] = ArrayStep(operation, config)
            return array_step
        case Elementwise():
            map_step: Step[MapPlan] = MapStep(operation, config)
            return map_step
        case RowSoftmax():
            softmax_step: Step[SoftmaxPlan] = SoftmaxStep(operation, config)
            return softmax_step
        case Move():
            move_step: Step[MovePlan] = MoveStep(operation, config)
            return move_step


def _interface_problems(graph: Graph, lowered: Lowered) -> Iterator[tuple[int, str]]:
    """Yield each tensor that cannot be an input or output of a model, and the reason.

    Inputs and outputs are int8 tensors that are computed. Other types are allowed if the host
    converts them.
    """
    computed = {*graph.inputs, *(index for op in graph.operators for index in op.outputs)}
    for index in dict.fromkeys((*graph.inputs, *graph.outputs)):
        tensor = graph.tensor(index)
        try:
            if index not in lowered.host_tensors:
                require_int8(tensor)
        except Refused as error:
            yield index, f"an input or output of the model is not supported: {error}"
        if index not in computed:
            yield index, f"no operator computes the output {tensor.name!r}"
        if index in graph.inputs and index in graph.outputs:
            yield index, f"tensor {tensor.name!r} is both an input and an output of the model"
