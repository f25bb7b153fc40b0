"""A model to a program, stage by stage."""

import dataclasses

from ..tensor import Tensor
from .allocate import HostMemory, WeightRing
from .emit import emit
from .frontend import read_model
from .generate import Place, generate, layer_constants
from .lower import lower
from .lower_ops import Refused, require_int8
from .stream import Stream
from .tile import plan_layer
from .verdict import CapacityError, ModelError, UnsupportedError

__all__ = ["assemble", "check", "compile"]


def check(model, config):
    """Where every operator of a model runs.

    Parameters
    ----------
    model : :class:`bytes` or path
        An int8 ``.tflite`` file.
    config : :class:`weft.config.Config`
        What it is to run on.

    Returns
    -------
    list of :class:`Verdict`

    Raises
    ------
    ModelError
        If the file cannot be read.
    """
    return _lowered(read_model(model), config)[0].verdicts


def compile(model, config):
    """A model as a :class:`weft_host.Program`.

    Parameters
    ----------
    model : :class:`bytes` or path
        An int8 ``.tflite`` file.
    config : :class:`weft.config.Config`
        What it is to run on.

    Raises
    ------
    ModelError
        If the file cannot be read.
    UnsupportedError
        If operators cannot run; it names all of them.
    """
    graph = read_model(model)
    lowered, plans = _lowered(graph, config)
    if lowered.unsupported:
        raise UnsupportedError(graph.source, lowered.unsupported)
    _check_ends(graph)
    memory = HostMemory()
    offsets = {}
    made = [op.outputs[0] for op in graph.operators if op.outputs]
    for index in [*graph.inputs, *made]:
        root = lowered.aliases.get(index, index)
        if root not in offsets and root not in lowered.host_tensors:
            offsets[root] = memory.take(graph.tensor(root).size)
    offsets.update((alias, offsets[root]) for alias, root in lowered.aliases.items())
    names = _unique_names(graph)

    def tensor(index, base):
        entry = graph.tensor(index)
        root = lowered.aliases.get(index, index)
        return Tensor(
            name=names[index], shape=entry.shape, dtype=entry.dtype, tensor_id=index,
            offset=None if root in lowered.host_tensors else base + offsets[root],
            scale=entry.scale[0] if entry.scale else 1.0,
            zero_point=entry.zero_point[0] if entry.zero_point else 0)

    def tensors(base):
        ends = {*graph.inputs, *graph.outputs}
        return ([tensor(index, base) for index in graph.inputs],
                [tensor(index, base) for index in graph.outputs],
                [tensor(index, base) for index in dict.fromkeys(made) if index not in ends])

    steps = [dataclasses.replace(step, inputs=[names[int(i)] for i in step.inputs],
                                 outputs=[names[int(i)] for i in step.outputs])
             for step in lowered.host]
    return assemble(list(zip(lowered.layers, plans)), config, offsets, memory.size, tensors,
                    host_steps=steps, source=graph.source)


def assemble(planned, config, offsets, tensor_bytes, make_tensors, host_steps=(), source=""):
    """The program of planned layers whose tensors lie at ``offsets`` of tensor memory."""
    stream, ring, memory = Stream(config), WeightRing(config), HostMemory()
    sections, layers = [], []
    for layer, plan in planned:
        raw = layer_constants(layer, plan, config)
        at = memory.take(len(raw))
        sections.append(raw.ljust(memory.size - at, b"\0"))
        stream.layer = layer.index
        first = len(stream.drafts)
        generate(stream, layer, plan, Place(offsets[layer.source], offsets[layer.target], at), ring)
        layers.append({"name": layer.name, "index": layer.index, "what": layer.describe(),
                       "macs": layer.macs, "instructions": len(stream.drafts) - first,
                       "estimated_cycles": plan.cycles, "plan": dataclasses.asdict(plan)})
    meta = {"source": source, "macs": sum(layer.macs for layer, _ in planned), "layers": layers}
    return emit(stream, b"".join(sections), tensor_bytes, make_tensors, host_steps=host_steps,
                meta=meta)


def _lowered(graph, config):
    """The lowered graph and a plan for each layer; layers that do not fit are unsupported."""
    lowered = lower(graph)
    plans, verdicts = [], {verdict.index: verdict for verdict in lowered.verdicts}
    for layer in lowered.layers:
        try:
            plans.append(plan_layer(layer, config))
        except CapacityError as error:
            verdicts[layer.index] = dataclasses.replace(
                verdicts[layer.index], where="unsupported", reason=str(error))
    lowered.verdicts = list(verdicts.values())
    return lowered, plans


def _check_ends(graph):
    """Inputs and outputs of the model are int8 tensors that something makes."""
    made = {*graph.inputs, *(index for op in graph.operators for index in op.outputs)}
    for index in (*graph.inputs, *graph.outputs):
        entry = graph.tensor(index)
        try:
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
