"""Lowering of a graph. Operators that cannot run are all reported, each with the reason."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from weft.spec.config import Config

from ...program.tensor import HostStep
from ..frontend.graph import Graph, GraphTensor, Operator
from ..verdict import AbsentTensorError, Refused, Verdict
from . import array_operators, elementwise_operators, pooling_operators
from .fold_pads import fold_pads
from .layer import Layer
from .lowered import Lowered, Operation
from .move_operators import MOVES
from .operands import input_and_output, quantization, require_int8

__all__ = ["lower"]

_LAYERS: dict[str, Callable[[Graph, Operator], Layer]] = {
    "CONV_2D": array_operators.convolution, "DEPTHWISE_CONV_2D": array_operators.depthwise,
    "FULLY_CONNECTED": array_operators.fully_connected, "MAX_POOL_2D": pooling_operators.pooling,
    "AVERAGE_POOL_2D": pooling_operators.pooling, "MEAN": pooling_operators.mean,
}
_ALIASES = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")
_Decision = tuple[str, str]
"""Attributes ``where`` and ``reason`` of a :class:`Verdict`."""


def lower(graph: Graph, config: Config) -> Lowered:
    """Lower a graph. Operators that cannot run are reported in the verdicts.

    Parameters
    ----------
    graph : :class:`Graph`
        Model.
    config : :class:`weft.spec.config.Config`
        Configuration that executes the program. A SOFTMAX whose data exceed its scratchpad is left
        to the host.
    """
    return _Lowering(graph, config).run()


class _Lowering:
    def __init__(self, graph: Graph, config: Config) -> None:
        self.graph, self.folded = fold_pads(graph)
        self.config = config
        self.result = Lowered()
        self.produced = set(graph.inputs)
        # inputs of other types than int8, which only a host step can read
        self.host_inputs = {index for index in graph.inputs if graph.tensor(index).dtype != "int8"}
        self.result.host_tensors |= self.host_inputs

    def run(self) -> Lowered:
        result = self.result
        for op in self.graph.operators:
            try:
                output = self.graph.tensor(op.outputs[0]).name if op.outputs else ""
                where, reason = self._operator(op)
            except Refused as error:
                where, reason = "unsupported", str(error)
            except AbsentTensorError:
                raise AbsentTensorError(
                    f"{self.graph.source}: operator {op.index} {op.name} lacks a tensor that it "
                    f"requires; its inputs are the tensors {list(op.inputs)} and its outputs "
                    f"{list(op.outputs)}, where -1 denotes an absent one") from None
            self.produced.update(op.outputs)
            result.verdicts.append(Verdict(index=op.index, operator=op.name, where=where,
                                           reason=reason, output=output))
        return result

    def _operator(self, op: Operator) -> _Decision:
        """Lower an operator into the result, and return the decision about it."""
        if len(op.outputs) > 1:
            raise Refused(f"it has {len(op.outputs)} outputs; only one is supported")
        if op.index in self.folded:
            self._check_inputs(op, op.inputs[:1])
            self.result.elided.add(op.outputs[0])
            return "weft", "no instructions: folded into the padding of the next convolutions"
        if op.name in ("QUANTIZE", "DEQUANTIZE") and (decision := self._conversion(op)):
            return decision
        if op.name in (*_ALIASES, "SOFTMAX") and op.inputs and op.outputs \
                and op.inputs[0] in self.result.host_tensors - self.host_inputs:
            return self._after_device(op, "its input is computed on the host")
        if op.name in _ALIASES:
            return self._alias(op)
        if op.name == "SOFTMAX":
            self._check_inputs(op, op.inputs[:1])
            softmax = elementwise_operators.softmax(self.graph, op)
            if not softmax.fits(self.config):
                return self._after_device(
                    op, "its table and two rows of its data do not fit the scratchpad")
            return self._on_device(softmax)
        return self._on_device(*self._operations(op))

    def _operations(self, op: Operator) -> Sequence[Operation]:
        """Return the operations for an operator that only the device can execute."""
        if op.name in _LAYERS:
            self._check_inputs(op, op.inputs[:1])
            return [_LAYERS[op.name](self.graph, op)]
        if op.name in elementwise_operators.UNARY:
            self._check_inputs(op, op.inputs[:1])
            return [elementwise_operators.unary(self.graph, op)]
        if op.name in ("ADD", "SUB", "MUL"):
            self._check_inputs(op, op.inputs[:2])
            return elementwise_operators.binary(self.graph, op, self._new_tensor)
        if op.name in MOVES:
            self._check_inputs(op, op.inputs if op.name == "CONCATENATION" else op.inputs[:1])
            return [MOVES[op.name](self.graph, op)]
        raise Refused(self._unknown(op))

    def _on_device(self, *operations: Operation) -> _Decision:
        """Add operations to the result, with aliases among their inputs resolved."""
        for operation in operations:
            sources = tuple(map(self.result.root, operation.sources))
            self.result.operations.append(dataclasses.replace(operation, sources=sources))
        return "weft", operations[-1].describe()

    def _new_tensor(self, size: int) -> int:
        """Add an intermediate tensor of ``size`` bytes, and return its index."""
        index = len(self.graph.tensors) + len(self.result.intermediates)
        self.result.intermediates[index] = size
        return index

    def _unknown(self, op: Operator) -> str:
        """Return the reason for an operator that Weft does not implement."""
        types = sorted({self.graph.tensor(index).dtype for index in op.inputs + op.outputs
                        if index >= 0})
        text = "Weft does not implement this operator"
        if "float32" in types or "float16" in types:
            text += (f", and its tensors have the types {', '.join(types)}; quantise the model to "
                     "int8")
        return text

    def _check_inputs(self, op: Operator, sources: Sequence[int]) -> None:
        """Check that an operator for the device reads model inputs or results of the device."""
        if not sources or sources[0] < 0:
            raise Refused("it has no input")
        variables = 0
        for source in sources:
            tensor = self.graph.operand(source)
            if tensor is None or tensor.value is not None:
                continue
            variables += 1
            if source not in self.produced:
                raise Refused(f"no earlier operator produces its input {tensor.name!r}")
            if source in self.result.host_tensors and tensor.dtype == "int8":
                raise Refused(f"its input {tensor.name!r} is computed on the host, which runs only "
                              "before or after the device")
        if not variables:
            raise Refused(f"its input {self.graph.tensor(sources[0]).name!r} is a constant")

    def _alias(self, op: Operator) -> _Decision:
        """Lower an operator that only changes the shape of a tensor."""
        source, target = input_and_output(self.graph, op)
        require_int8(source, target)
        _check_equal_sizes(source, target)
        self._check_inputs(op, op.inputs[:1])
        self.result.aliases[target.index] = self.result.root(source.index)
        return "weft", "no instructions: the same bytes with another shape"

    def _conversion(self, op: Operator) -> _Decision | None:
        """Lower a conversion from or to float, which the host executes.

        Return ``None`` for a QUANTIZE from int8 to int8, and for other types.
        """
        source, target = input_and_output(self.graph, op)
        types = source.dtype, target.dtype
        if op.name == "QUANTIZE" and types == ("float32", "int8"):
            if source.index not in self.host_inputs:
                raise Refused("it quantises a tensor that is not an input of the model")
            when, quantized = "before", target
        elif op.name == "DEQUANTIZE" and types == ("int8", "float32"):
            if source.index not in self.result.host_tensors:
                self._check_inputs(op, op.inputs[:1])
            when, quantized = "after", source
            self.result.host_tensors.add(target.index)
        else:
            return None
        scale, zero = quantization(quantized)
        _check_equal_sizes(source, target)
        self._add_host_step(op, op.name, when, {"scale": scale, "zero_point": zero})
        return "host", f"computed on the host {when} the device"

    def _after_device(self, op: Operator, reason: str) -> _Decision:
        """Lower an operator that the host executes after the device."""
        source, target = input_and_output(self.graph, op)
        _check_equal_sizes(source, target)
        kind, parameters = "RESHAPE", {}
        if op.name == "SOFTMAX":
            elementwise_operators.softmax(self.graph, op)       # refuses what it does not support
            kind = op.name
            parameters = {"beta": op.options.get("beta", 1.0), "scale": quantization(source)[0]}
        self._add_host_step(op, kind, "after", parameters)
        self.result.host_tensors.add(target.index)
        return "host", reason

    def _add_host_step(self, op: Operator, kind: str, when: str,
                       parameters: dict[str, Any]) -> None:
        self.result.host_steps.append(HostStep(
            kind=kind, inputs=(str(op.inputs[0]),), outputs=(str(op.outputs[0]),),
            parameters=parameters, when=when))


def _check_equal_sizes(source: GraphTensor, target: GraphTensor) -> None:
    if source.size != target.size:
        raise Refused(f"its input of shape {source.shape} has {source.size} elements, but its "
                      f"output of shape {target.shape} has {target.size}")
