"""A graph to layers and host steps; every operator that cannot run is told, with the reason."""

import dataclasses

from ..tensor import HostStep
from . import lower_ops
from .layer import Layer
from .lower_ops import Refused
from .verdict import Verdict

__all__ = ["Lowered", "lower"]


@dataclasses.dataclass
class Lowered:
    """What a graph becomes.

    Attributes
    ----------
    layers : list of :class:`Layer`
        For the device, in order.
    aliases : dict of int to int
        Tensors that are the same bytes as another one.
    host : list of (:class:`HostStep` with tensor indices as names)
        For the host, in order, after the device.
    verdicts : list of :class:`Verdict`
        One for each operator.
    host_tensors : set of int
        Tensors that only host steps make.
    """

    layers: list[Layer] = dataclasses.field(default_factory=list)
    aliases: dict[int, int] = dataclasses.field(default_factory=dict)
    host: list[HostStep] = dataclasses.field(default_factory=list)
    verdicts: list[Verdict] = dataclasses.field(default_factory=list)
    host_tensors: set[int] = dataclasses.field(default_factory=set)

    @property
    def unsupported(self):
        """The verdicts on operators that cannot run."""
        return [verdict for verdict in self.verdicts if verdict.where == "unsupported"]


_LAYERS = {"CONV_2D": lower_ops.convolution, "FULLY_CONNECTED": lower_ops.fully_connected,
           "MAX_POOL_2D": lower_ops.pooling, "AVERAGE_POOL_2D": lower_ops.pooling}


def lower(graph):
    """The :class:`Lowered` form of a graph. Raises nothing: what cannot run is in the verdicts."""
    result = Lowered()
    produced = set(graph.inputs)
    for op in graph.operators:
        output = graph.tensor(op.outputs[0]).name if op.outputs else ""
        where, reason = "weft", ""
        try:
            if op.name == "SOFTMAX":
                where, reason = "host", _softmax(graph, op, result)
            elif op.name == "RESHAPE":
                where, reason = _reshape(graph, op, produced, result)
            elif op.name in _LAYERS:
                _check_order(graph, op, produced, result)
                layer = _LAYERS[op.name](graph, op)
                result.layers.append(layer)
                reason = layer.describe()
            else:
                raise Refused(_unknown(graph, op))
        except Refused as error:
            where, reason = "unsupported", str(error)
        produced.update(op.outputs)
        result.verdicts.append(Verdict(index=op.index, operator=op.name, where=where,
                                       reason=reason, output=output))
    return result


def _unknown(graph, op):
    types = sorted({graph.tensor(index).dtype for index in op.inputs + op.outputs if index >= 0})
    text = "Weft has no such operator"
    if "float32" in types or "float16" in types:
        text += f", and its tensors are {', '.join(types)}: only int8 models run; quantise it first"
    return text


def _check_order(graph, op, produced, result):
    """An operator of the device reads something that the device has made or was given."""
    source = op.inputs[0] if op.inputs else -1
    if source < 0:
        raise Refused("it has no input")
    if graph.tensor(source).value is not None:
        raise Refused(f"its input {graph.tensor(source).name!r} is a constant")
    if source not in produced:
        raise Refused(f"its input {graph.tensor(source).name!r} is made by no earlier operator")
    if source in result.host_tensors:
        raise Refused(f"its input {graph.tensor(source).name!r} is made on the host, which runs "
                      "only after the device")


def _reshape(graph, op, produced, result):
    if not op.inputs or not op.outputs:
        raise Refused("it lacks an input or an output")
    source, target = graph.tensor(op.inputs[0]), graph.tensor(op.outputs[0])
    lower_ops.require_int8(source, target)
    if source.size != target.size:
        raise Refused(f"shape {source.shape} has {source.size} elements, {target.shape} has "
                      f"{target.size}")
    if source.index in result.host_tensors:
        result.host.append(HostStep(kind="RESHAPE", inputs=(str(source.index),),
                                    outputs=(str(target.index),)))
        result.host_tensors.add(target.index)
        return "host", "its input is made on the host"
    _check_order(graph, op, produced, result)
    result.aliases[target.index] = result.aliases.get(source.index, source.index)
    return "weft", "no work: the same bytes with another shape"


def _softmax(graph, op, result):
    if not op.inputs or not op.outputs:
        raise Refused("it lacks an input or an output")
    source, target = graph.tensor(op.inputs[0]), graph.tensor(op.outputs[0])
    lower_ops.require_int8(source, target)
    scale, _ = lower_ops.quantization(source)
    out_scale, out_zero = lower_ops.quantization(target)
    if (out_scale, out_zero) != (1 / 256, -128):
        raise Refused(f"its output has scale {out_scale} and zero point {out_zero}; supported is "
                      "1/256 and -128")
    result.host.append(HostStep(
        kind="SOFTMAX", inputs=(str(source.index),), outputs=(str(target.index),),
        parameters={"beta": op.options.get("beta", 1.0), "scale": scale}))
    result.host_tensors.add(target.index)
    return "computed by the host after the device"
