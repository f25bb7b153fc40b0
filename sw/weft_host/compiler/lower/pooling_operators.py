"""Lowering of operators that reduce windows without weights: poolings and MEAN."""

from typing import Any

import numpy as np

from weft.spec.isa import Mode

from ..frontend.graph import Graph, Operator
from ..verdict import Refused
from .array_operators import output_range
from .layer import Layer
from .operands import input_and_output, operation_name, quantization, require_int8
from .quantize import IDENTITY, mean_multiplier
from .window import window_geometry

__all__ = ["mean", "pooling"]


def pooling(graph: Graph, op: Operator) -> Layer:
    """Lower a MAX_POOL_2D or an AVERAGE_POOL_2D."""
    source, target = input_and_output(graph, op)
    require_int8(source, target)
    if quantization(source) != quantization(target):
        raise Refused(f"its input and output differ in scale or zero point: "
                      f"{quantization(source)} and {quantization(target)}")
    geometry = window_geometry(op, source, target, op.options.get("filter_h", 0),
                               op.options.get("filter_w", 0))
    if geometry["in_c"] != geometry["out_c"]:
        raise Refused(f"its input has {geometry['in_c']} channels, but its output "
                      f"{geometry['out_c']}")
    if geometry["kernel_h"] * geometry["kernel_w"] >= 1 << 22:
        raise Refused(f"its window has {geometry['kernel_h']} x {geometry['kernel_w']} elements; "
                      "fewer than 2^22 are supported")
    low, high = output_range(op, target)
    channels = geometry["out_c"]
    is_max = op.name == "MAX_POOL_2D"
    return Layer(
        **geometry, name=operation_name(op), index=op.index, sources=(source.index,),
        target=target.index, kind="max" if is_max else "average", halo=-128 if is_max else 0,
        multiplier=np.full(channels, IDENTITY[0]), shift=np.full(channels, IDENTITY[1]),
        mode=Mode.AWAY, clamp_min=low, clamp_max=high)


def mean(graph: Graph, op: Operator) -> Layer:
    """Lower a MEAN to a depthwise convolution with weights of 1.

    The axes must be adjacent, apart from dimensions of one element. A mean over the last dimension
    becomes a convolution.
    """
    if len(op.inputs) < 2 or not op.outputs:
        raise Refused("it lacks its axes or an output")
    source, target = input_and_output(graph, op)
    require_int8(source, target)
    outer, inner, is_image = _reduced_shape(graph, op)
    count = source.size // outer // inner
    if target.size != outer * inner:
        raise Refused(f"its output has {target.size} elements instead of {outer * inner}")
    (scale_in, zero_in), (scale_out, zero_out) = quantization(source), quantization(target)
    try:
        parameters = mean_multiplier(scale_in, zero_in, scale_out, zero_out, count)
    except ValueError as error:
        raise Refused(str(error)) from None
    height, width = source.shape[1:3] if is_image else (count, 1)
    geometry: dict[str, Any] = dict(
        batch=outer, in_h=height, in_w=width, in_c=inner, kernel_h=height, kernel_w=width,
        out_h=1, out_w=1, out_c=inner)
    weights = np.ones((inner, height, width), np.int8)
    single = inner == 1
    if single:      # the elements of one mean are consecutive bytes: a convolution over each run
        geometry.update(batch=1, in_h=1, in_w=outer, in_c=count, kernel_h=1, kernel_w=1,
                        out_w=outer)
        weights = np.ones((1, 1, 1, count), np.int8)
    return Layer(
        **geometry, name=operation_name(op), index=op.index, sources=(source.index,),
        target=target.index, kind="conv" if single else "depthwise", weights=weights,
        bias=np.full(inner, parameters.bias, np.int64).astype(np.int32),
        multiplier=np.full(inner, parameters.multiplier), shift=np.full(inner, parameters.shift),
        zero_point=parameters.zero_point)


def _reduced_shape(graph: Graph, op: Operator) -> tuple[int, int, bool]:
    """Return the number of elements before and after the axes of a MEAN.

    The third result is true if the axes are the height and width of an NHWC tensor.
    """
    shape = graph.tensor(op.inputs[0]).shape
    axes = graph.operand(op.inputs[1])
    if axes is None or axes.value is None:
        raise Refused("its axes are not constant")
    rank = len(shape)
    chosen = sorted({int(axis) + rank * (int(axis) < 0) for axis in axes.value.reshape(-1)})
    if not chosen or not 0 <= chosen[0] <= chosen[-1] < rank:
        raise Refused(f"its axes {chosen} do not exist in shape {shape}")
    # dimensions of one element between the axes change nothing
    reduced = [axis for axis in range(chosen[0], chosen[-1] + 1) if shape[axis] > 1]
    if any(axis not in chosen for axis in reduced):
        raise Refused(f"its axes {chosen} of shape {shape} are not adjacent")
    outer, inner = (int(np.prod(part, dtype=np.int64))
                    for part in (shape[:chosen[0]], shape[chosen[-1] + 1:]))
    return outer, inner, chosen == [1, 2] and rank == 4
