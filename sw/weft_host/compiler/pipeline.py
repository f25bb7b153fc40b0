"""A model to a program, stage by stage."""

import dataclasses

from ..configuration import resolve_config
from ..program.tensor import Tensor
from .emit import emit
from .frontend.tflite import read_model
from .lower.array_operators import Refused, require_int8
from .lower.elementwise import Elementwise, RowSoftmax
from .lower.layer import Layer
from .lower.lowering import lower
from .lower.move import Move
from .plan.allocators import HostMemory, WeightRing
from .schedule.interleave import Piece, interleave
from .schedule.producer_order import shortcuts_first
from .steps.array_step import ArrayStep
from .steps.instruction_stream import Stream
from .steps.map_step import MapStep
from .steps.move_step import MoveStep
from .steps.residency import arrange, ends
from .steps.softmax_step import SoftmaxStep
from .verdict import CapacityError, ModelError, UnsupportedError

__all__ = ["assemble", "check", "compile"]


def check(model, config):
    """Where every operator of a model runs.

    Parameters
    ----------
    model : :class:`bytes` or path
        An int8 ``.tflite`` file.
    config : :class:`weft.spec.config.Config` or :class:`str`
        Hardware to run on, or the name of its preset or of its board.

    Returns
    -------
    list of :class:`Verdict`

    Raises
    ------
    ModelError
        If the file cannot be read.
    """
    return _lowered(read_model(model), resolve_config(config))[0].verdicts


def compile(model, config, *, keep_tensors=False):
    """A model as a :class:`weft_host.Program`.

    Parameters
    ----------
    model : :class:`bytes` or path
        An int8 ``.tflite`` file.
    config : :class:`weft.spec.config.Config` or :class:`str`
        Hardware to run on, or the name of its preset or of its board.
    keep_tensors : :class:`bool`
        Store every intermediate tensor in host memory, where it can be read, also those that
        would only be on chip. Costs cycles; changes no result.

    Raises
    ------
    ModelError
        If the file cannot be read.
    UnsupportedError
        If operators cannot run; it names all of them.
    """
    config = resolve_config(config)
    graph = read_model(model)
    lowered, steps = _lowered(graph, config)
    if lowered.unsupported:
        raise UnsupportedError(graph.source, lowered.unsupported)
    _check_ends(graph, lowered)
    steps = shortcuts_first(steps)
    arrangement = arrange(steps, config)
    memory = HostMemory()
    offsets = {}
    made = [op.outputs[0] for op in graph.operators
            if op.outputs and op.outputs[0] not in lowered.missing]
    read_by_host = {int(name) for step in lowered.host for name in step.inputs}
    outside = {lowered.root(index) for index in (*graph.inputs, *graph.outputs, *read_by_host)}
    for index in [*graph.inputs, *made]:
        root = lowered.root(index)
        if root not in offsets and root not in lowered.host_tensors and (
                keep_tensors or root in outside or root not in arrangement.homes):
            offsets[root] = memory.take(graph.tensor(root).size)
    offsets.update((alias, offsets[root]) for alias, root in lowered.aliases.items()
                   if root in offsets)
    offsets.update((number, memory.take(size)) for number, size in lowered.scratch.items()
                   if number not in arrangement.homes)
    names = _unique_names(graph)

    def tensor(index, base):
        entry = graph.tensor(index)
        root = lowered.root(index)
        return Tensor(
            name=names[index], shape=entry.shape, dtype=entry.dtype, tensor_id=index,
            offset=None if root in lowered.host_tensors else base + offsets[root],
            scale=entry.scale[0] if entry.scale else 1.0,
            zero_point=entry.zero_point[0] if entry.zero_point else 0)

    def tensors(base):
        ends = {*graph.inputs, *graph.outputs}
        return ([tensor(index, base) for index in graph.inputs],
                [tensor(index, base) for index in graph.outputs],
                [tensor(index, base) for index in dict.fromkeys(made) if index not in ends
                 and (index in offsets or index in lowered.host_tensors)])

    host_steps = [dataclasses.replace(step, inputs=[names[int(i)] for i in step.inputs],
                                      outputs=[names[int(i)] for i in step.outputs])
                  for step in lowered.host]
    return assemble(steps, arrangement, config, offsets, memory.size, tensors,
                    host_steps=host_steps, source=graph.source)


def assemble(steps, arrangement, config, offsets, tensor_bytes, make_tensors, host_steps=(),
             source=""):
    """The program of steps whose tensors lie at ``offsets`` of tensor memory, or at home."""
    stream, ring, memory = Stream(config), WeightRing(config), HostMemory()
    sections, pieces, layers = [], [], []
    for number, step in enumerate(steps):
        plan, buffers = arrangement.plans[number], arrangement.buffers[number]
        sources, target = ends(step, arrangement.homes)
        raw = step.constants(plan, sources, target)
        at = memory.take(len(raw))
        sections.append(raw.ljust(memory.size - at, b"\0"))
        place = tuple(offsets.get(source) for source in step.sources), offsets.get(step.target), at
        pieces.append(Piece(step, plan, at, buffers, arrangement.early, target, step.generate(
            stream, plan, place, ring, buffers, sources, target)))
        layers.append({"name": step.name, "index": step.index, "what": step.describe(),
                       "macs": step.macs,
                       "on_chip": [home is not None for home in (*sources, target)],
                       "estimated_cycles": plan.cycles, "plan": dataclasses.asdict(plan)})
    interleave(stream, pieces)
    meta = {"source": source, "macs": sum(step.macs for step in steps), "layers": layers}
    return emit(stream, b"".join(sections), tensor_bytes, make_tensors, host_steps=host_steps,
                meta=meta)


def _lowered(graph, config):
    """The lowered graph and its steps; what does not fit on its own is unsupported."""
    lowered = lower(graph)
    steps = [_step(work, lowered, config) for work in lowered.works]
    large = [step.index for step in steps
             if isinstance(step, SoftmaxStep) and not _fits(step, config)]
    if large:
        lowered = lower(graph, on_host=large)
        steps = [_step(work, lowered, config) for work in lowered.works]
    verdicts = {verdict.index: verdict for verdict in lowered.verdicts}
    for step in steps:
        try:
            _plan_alone(step, config)
        except CapacityError as error:
            verdicts[step.index] = dataclasses.replace(
                verdicts[step.index], where="unsupported", reason=str(error))
    lowered.verdicts = list(verdicts.values())
    return lowered, steps


def _plan_alone(step, config):
    return step.plan(config, config.spad_bytes, (None,) * len(step.sources), None)


def _fits(step, config):
    try:
        _plan_alone(step, config)
    except CapacityError:
        return False
    return True


_STEPS = {Elementwise: MapStep, RowSoftmax: SoftmaxStep, Move: MoveStep}


def _step(work, lowered, config):
    """An operation as a step, its inputs named by their roots."""
    if isinstance(work, Layer):
        return ArrayStep(dataclasses.replace(work, source=lowered.root(work.source)), config)
    sources = tuple(map(lowered.root, work.sources))
    return _STEPS[type(work)](dataclasses.replace(work, sources=sources), config)


def _check_ends(graph, lowered):
    """Inputs and outputs of the model are int8 tensors that something makes.

    Others are fine where the host turns them into int8 or makes them of it.
    """
    made = {*graph.inputs, *(index for op in graph.operators for index in op.outputs)}
    for index in (*graph.inputs, *graph.outputs):
        entry = graph.tensor(index)
        try:
            if index not in lowered.host_tensors:
                require_int8(entry)
        except Refused as error:
            raise ModelError(f"{graph.source}: an input or output cannot be used: "
                             f"{error}") from None
        if index not in made:
            raise ModelError(f"{graph.source}: output {entry.name!r} is made by no operator")
    both = set(graph.inputs) & set(graph.outputs)
    if both:
        raise ModelError(f"{graph.source}: tensor {graph.tensor(min(both)).name!r} is an input and "
                         "an output of the model")


def _unique_names(graph):
    """A name for each tensor: the file's, with ``#index`` where it is missing or not unique."""
    names = [entry.name for entry in graph.tensors]
    return [name if name and names.count(name) == 1 else f"{name}#{index}"
            for index, name in enumerate(names)]
