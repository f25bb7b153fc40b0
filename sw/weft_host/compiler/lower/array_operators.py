"""Lowering of operators with weights: CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ..frontend.graph import Graph, GraphTensor, Operator
from ..verdict import Refused
from .layer import Layer
from .operands import operation_name, quantization, require_int8
from .quantize import activation_range, quantize_multiplier
from .window import window_geometry

__all__ = ["convolution", "depthwise", "fully_connected", "output_range"]

_Weights = npt.NDArray[np.int8]


def convolution(graph: Graph, op: Operator) -> Layer:
    """Lower a CONV_2D."""
    source, weights, values, bias, target = _operands(graph, op)
    if len(weights.shape) != 4:
        raise Refused(f"its weights have shape {weights.shape}; four dimensions are required")
    if len(source.shape) == 4 and weights.shape[3] != source.shape[3]:
        raise Refused(f"its weights have {weights.shape[3]} input channels, but the input has "
                      f"{source.shape[3]}: grouped convolutions are not supported")
    geometry = window_geometry(op, source, target, weights.shape[1], weights.shape[2])
    channels = weights.shape[0]
    if channels != geometry["out_c"]:
        raise Refused(f"its weights have {channels} output channels, but the output has "
                      f"{geometry['out_c']}")
    return Layer(
        **geometry, kind="conv", weights=values,
        **_common(op, source, weights, values, bias, target, channels))


def depthwise(graph: Graph, op: Operator) -> Layer:
    """Lower a DEPTHWISE_CONV_2D. With one input channel, it becomes a convolution."""
    source, weights, values, bias, target = _operands(graph, op)
    if len(weights.shape) != 4 or weights.shape[0] != 1:
        raise Refused(f"its weights have shape {weights.shape} instead of (1, height, width, "
                      "channels)")
    geometry = window_geometry(op, source, target, weights.shape[1], weights.shape[2])
    channels = weights.shape[3]
    if channels != geometry["out_c"] or channels % geometry["in_c"]:
        raise Refused(f"its weights have {channels} channels, but the input has "
                      f"{geometry['in_c']} and the output {geometry['out_c']}")
    taps = np.ascontiguousarray(values[0].transpose(2, 0, 1))
    single = geometry["in_c"] == 1
    return Layer(
        **geometry, kind="conv" if single else "depthwise",
        weights=taps[..., None] if single else taps,
        **_common(op, source, weights, taps, bias, target, channels, axis=3))


def fully_connected(graph: Graph, op: Operator) -> Layer:
    """Lower a FULLY_CONNECTED to a 1 x 1 convolution over one row of positions."""
    source, weights, values, bias, target = _operands(graph, op)
    if op.options.get("format", "DEFAULT") != "DEFAULT":
        raise Refused(f"its weights format {op.options['format']} is not DEFAULT")
    if len(weights.shape) != 2:
        raise Refused(f"its weights have shape {weights.shape}; two dimensions are required")
    channels, depth = weights.shape
    if source.size % depth:
        raise Refused(f"its input has {source.size} elements, which is not a multiple of the "
                      f"{depth} columns of its weights")
    count = source.size // depth
    if target.size != count * channels:
        raise Refused(f"its output has {target.size} elements instead of {count * channels}")
    return Layer(
        kind="conv", in_h=1, in_w=count, in_c=depth, out_h=1, out_w=count, out_c=channels,
        weights=values.reshape(channels, 1, 1, depth),
        **_common(op, source, weights, values, bias, target, channels, product_in_float32=True))


def output_range(op: Operator, target: GraphTensor) -> tuple[int, int]:
    """Return the least and greatest output of an operator with a fused activation.

    Raises
    ------
    Refused
        If the activation is unknown.
    """
    scale, zero = quantization(target)
    try:
        return activation_range(op.options.get("activation", "NONE"), scale, zero)
    except ValueError as error:
        raise Refused(str(error)) from None


def _operands(graph: Graph, op: Operator) -> tuple[
        GraphTensor, GraphTensor, _Weights, GraphTensor | None, GraphTensor]:
    """Return input, weights, values of the weights, bias, and output; check their types."""
    if len(op.inputs) < 2 or not op.outputs or op.inputs[1] < 0:
        raise Refused("it lacks weights or an output")
    source, weights = graph.tensor(op.inputs[0]), graph.tensor(op.inputs[1])
    bias = graph.operand(op.inputs[2]) if len(op.inputs) > 2 else None
    target = graph.tensor(op.outputs[0])
    require_int8(source, weights, target)
    if weights.value is None:
        raise Refused(f"its weights {weights.name!r} are not constant")
    if bias is not None:
        if bias.dtype != "int32":
            raise Refused(f"its bias {bias.name!r} has type {bias.dtype}; only int32 is supported")
        if bias.value is None:
            raise Refused(f"its bias {bias.name!r} is not constant")
    return source, weights, weights.value, bias, target


def _common(op: Operator, source: GraphTensor, weights: GraphTensor, values: _Weights,
            bias: GraphTensor | None, target: GraphTensor, channels: int, *, axis: int = 0,
            product_in_float32: bool = False) -> dict[str, Any]:
    """Return the attributes of :class:`Layer` that all operators with weights share.

    Parameters
    ----------
    values : int8 array (channels, ...)
        Weights with the output channels in the first dimension.
    axis : :class:`int`
        Dimension of the output channels in ``weights``.
    product_in_float32 : :class:`bool`
        The reference kernel multiplies the scales of input and weights in float32 if there is one
        scale for all weights.
    """
    multiplier, shift = _multipliers(source, weights, target, channels, axis, product_in_float32)
    _, zero = quantization(source)
    low, high = output_range(op, target)
    return dict(
        name=operation_name(op), index=op.index, sources=(source.index,), target=target.index,
        halo=zero, bias=_folded_bias(values, bias, zero, channels), multiplier=multiplier,
        shift=shift, zero_point=quantization(target)[1], clamp_min=low, clamp_max=high)


def _multipliers(
        source: GraphTensor, weights: GraphTensor, target: GraphTensor, channels: int, axis: int,
        product_in_float32: bool) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the multiplier and shift of each output channel."""
    s_in, _ = quantization(source)
    s_out, _ = quantization(target)
    if len(weights.scale) not in (1, channels):
        raise Refused(f"its weights {weights.name!r} have {len(weights.scale)} scales for "
                      f"{channels} channels")
    if len(weights.scale) > 1 and weights.axis != axis:
        raise Refused(f"its weights {weights.name!r} are quantised along dimension {weights.axis}; "
                      f"only dimension {axis} is supported")
    if any(weights.zero_point):
        raise Refused(f"its weights {weights.name!r} have a zero point other than 0; only "
                      "symmetric weights are supported")
    if len(weights.scale) == 1 and product_in_float32:
        products = [float(np.float32(s_in) * np.float32(weights.scale[0]))]
    else:
        products = [s_in * scale for scale in weights.scale]
    try:
        pairs = [quantize_multiplier(product / s_out) for product in products]
    except ValueError as error:
        raise Refused(f"its scales are not supported: {error}") from None
    if len(pairs) == 1:
        pairs *= channels
    multiplier, shift = np.array(pairs, np.int64).T
    return multiplier, shift


def _folded_bias(weights: _Weights, bias: GraphTensor | None, zero: int,
                 channels: int) -> npt.NDArray[np.int32]:
    """Return the bias minus the input's zero point times the sum of the weights, modulo 2^32."""
    sums = weights.reshape(channels, -1).astype(np.int64).sum(axis=1)
    total = -zero * sums
    if bias is not None and bias.value is not None:
        if bias.value.size != channels:
            raise Refused(f"its bias has {bias.value.size} elements for {channels} channels")
        total = total + bias.value.reshape(-1).astype(np.int64)
    wrapped: npt.NDArray[np.int32] = total.astype(np.uint32).view(np.int32)
    return wrapped
