"""A graph to operations and host steps; every operator that cannot run is told, with the reason."""

import dataclasses

from ...program.tensor import HostStep
from ..verdict import Verdict
from . import array_operators, elementwise_operators
from .array_operators import Refused
from .fold_pads import fold_pads
from .move_operators import MOVES

__all__ = ["Lowered", "lower"]


@dataclasses.dataclass
class Lowered:
    """What a graph becomes.

    Attributes
    ----------
    works : list of :class:`Layer`, :class:`Elementwise`, :class:`RowSoftmax`, :class:`Move`
        For the device, in order.
    aliases : dict of int to int
        Tensors that are the same bytes as another one.
    scratch : dict of int to int
        Sizes of tensors that are not in the graph, by number.
    host : list of (:class:`HostStep` with tensor indices as names)
        For the host, in order, before or after the device.
    verdicts : list of :class:`Verdict`
        One for each operator.
    host_tensors : set of int
        Tensors that the device never sees.
    missing : set of int
        Tensors that nothing makes, because nothing needs them.
    """

    works: list = dataclasses.field(default_factory=list)
    aliases: dict[int, int] = dataclasses.field(default_factory=dict)
    scratch: dict[int, int] = dataclasses.field(default_factory=dict)
    host: list[HostStep] = dataclasses.field(default_factory=list)
    verdicts: list[Verdict] = dataclasses.field(default_factory=list)
    host_tensors: set[int] = dataclasses.field(default_factory=set)
    missing: set[int] = dataclasses.field(default_factory=set)

    @property
    def unsupported(self):
        """The verdicts on operators that cannot run."""
        return [verdict for verdict in self.verdicts if verdict.where == "unsupported"]

    def root(self, index):
        """The tensor whose bytes tensor ``index`` has."""
        return self.aliases.get(index, index)


_LAYERS = {
    "CONV_2D": array_operators.convolution, "DEPTHWISE_CONV_2D": array_operators.depthwise,
    "FULLY_CONNECTED": array_operators.fully_connected, "MAX_POOL_2D": array_operators.pooling,
    "AVERAGE_POOL_2D": array_operators.pooling, "MEAN": array_operators.mean,
}
_ALIASES = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")


def lower(graph, on_host=()):
    """The :class:`Lowered` form of a graph. Raises nothing: what cannot run is in the verdicts.

    Operators whose numbers are in ``on_host`` run on the host if it can.
    """
    return _Lowering(graph, on_host).run()


class _Lowering:
    def __init__(self, graph, on_host):
        self.graph, self.folded = fold_pads(graph)
        self.on_host = on_host
        self.result = Lowered()
        self.produced = set(graph.inputs)
        # inputs that are not int8 go to a host step first
        self.outside = {index for index in graph.inputs if graph.tensor(index).dtype != "int8"}
        self.result.host_tensors |= self.outside

    def run(self):
        result = self.result
        for op in self.graph.operators:
            output = self.graph.tensor(op.outputs[0]).name if op.outputs else ""
            try:
                where, reason = self._operator(op)
            except Refused as error:
                where, reason = "unsupported", str(error)
            self.produced.update(op.outputs)
            result.verdicts.append(Verdict(index=op.index, operator=op.name, where=where,
                                           reason=reason, output=output))
        return result

    def _operator(self, op):
        """Where it runs, and why; what it becomes is in the result."""
        if len(op.outputs) > 1:
            raise Refused(f"it has {len(op.outputs)} outputs, supported is one")
        if op.index in self.folded:
            self._check_order(op, op.inputs[:1])
            self.result.missing.add(op.outputs[0])
            return "weft", "no work: the padding of the convolutions that read it"
        if op.name in ("QUANTIZE", "DEQUANTIZE") and (edge := self._edge(op)):
            return edge
        if op.name in (*_ALIASES, "SOFTMAX") and op.inputs and op.outputs:
            if op.inputs[0] in self.result.host_tensors - self.outside:
                return self._after(op, "its input is made on the host")
            if op.index in self.on_host:
                self._check_order(op, op.inputs[:1])
                return self._after(op, "its table does not fit the scratchpad")
        if op.name in _ALIASES:
            return self._alias(op)
        if op.name in _LAYERS:
            self._check_order(op, op.inputs[:1])
            works = [_LAYERS[op.name](self.graph, op)]
        elif op.name in elementwise_operators.UNARY:
            self._check_order(op, op.inputs[:1])
            works = elementwise_operators.unary(self.graph, op)
        elif op.name in ("ADD", "SUB", "MUL"):
            self._check_order(op, op.inputs[:2])
            works = elementwise_operators.binary(self.graph, op, self._scratch)
        elif op.name == "SOFTMAX":
            self._check_order(op, op.inputs[:1])
            works = elementwise_operators.softmax(self.graph, op)
        elif op.name in MOVES:
            self._check_order(op, op.inputs if op.name == "CONCATENATION" else op.inputs[:1])
            works = MOVES[op.name](self.graph, op)
        else:
            raise Refused(self._unknown(op))
        self.result.works += works
        return "weft", works[-1].describe()

    def _scratch(self, size):
        number = len(self.graph.tensors) + len(self.result.scratch)
        self.result.scratch[number] = size
        return number

    def _unknown(self, op):
        types = sorted({self.graph.tensor(index).dtype for index in op.inputs + op.outputs
                        if index >= 0})
        text = "Weft has no such operator"
        if "float32" in types or "float16" in types:
            text += (f", and its tensors are {', '.join(types)}: only int8 models run; quantise it "
                     "first")
        return text

    def _check_order(self, op, sources):
        """The operator reads something that the device has made or was given."""
        if not sources or sources[0] < 0:
            raise Refused("it has no input")
        varying = 0
        for source in sources:
            entry = self.graph.tensor(source)
            if entry is None or entry.value is not None:
                continue
            varying += 1
            if source not in self.produced:
                raise Refused(f"its input {entry.name!r} is made by no earlier operator")
            if source in self.result.host_tensors and entry.dtype == "int8":
                raise Refused(f"its input {entry.name!r} is made on the host, which runs only "
                              "before or after the device")
        if not varying:
            raise Refused(f"its input {self.graph.tensor(sources[0]).name!r} is a constant")

    def _alias(self, op):
        if not op.inputs or not op.outputs:
            raise Refused("it lacks an input or an output")
        source, target = self.graph.tensor(op.inputs[0]), self.graph.tensor(op.outputs[0])
        array_operators.require_int8(source, target)
        _check_sizes(source, target)
        self._check_order(op, op.inputs[:1])
        self.result.aliases[target.index] = self.result.root(source.index)
        return "weft", "no work: the same bytes with another shape"

    def _edge(self, op):
        """QUANTIZE of an input of the model, or DEQUANTIZE: on the host; ``None`` for others."""
        if not op.inputs or not op.outputs:
            raise Refused("it lacks an input or an output")
        source, target = self.graph.tensor(op.inputs[0]), self.graph.tensor(op.outputs[0])
        types = source.dtype, target.dtype
        if op.name == "QUANTIZE" and types == ("float32", "int8"):
            if source.index not in self.outside:
                raise Refused("it quantises a tensor that is no input of the model")
            when, entry = "before", target
        elif op.name == "DEQUANTIZE" and types == ("int8", "float32"):
            self._check_order(op, op.inputs[:1]) if source.index not in self.result.host_tensors \
                else None
            when, entry = "after", source
            self.result.host_tensors.add(target.index)
        else:
            return None
        scale, zero = array_operators.quantization(entry)
        _check_sizes(source, target)
        self._host(op, when, {"scale": scale, "zero_point": zero})
        return "host", f"computed by the host {when} the device"

    def _after(self, op, reason):
        """An operator that the host computes after the device."""
        source, target = self.graph.tensor(op.inputs[0]), self.graph.tensor(op.outputs[0])
        _check_sizes(source, target)
        parameters = {}
        if op.name == "SOFTMAX":
            elementwise_operators.softmax(self.graph, op)
            parameters = {"beta": op.options.get("beta", 1.0),
                          "scale": array_operators.quantization(source)[0]}
        self._host(op, "after", parameters, "RESHAPE" if op.name in _ALIASES else op.name)
        self.result.host_tensors.add(target.index)
        return "host", reason

    def _host(self, op, when, parameters, kind=None):
        self.result.host.append(HostStep(
            kind=kind or op.name, inputs=(str(op.inputs[0]),), outputs=(str(op.outputs[0]),),
            parameters=parameters, when=when))


def _check_sizes(source, target):
    if source.size != target.size:
        raise Refused(f"shape {source.shape} has {source.size} elements, {target.shape} has "
                      f"{target.size}")
