"""Single operators to layers: shapes, padding, zero points and multipliers of each."""

import numpy as np

from weft.spec.isa import Mode

from .layer import Layer
from .lookup_tables import mean_multiplier
from .quantize import IDENTITY, activation_range, quantize_multiplier

__all__ = ["Refused", "convolution", "depthwise", "fully_connected", "mean", "pooling",
           "quantization", "require_int8"]


class Refused(Exception):
    """An operator cannot run; the text is the reason in its verdict."""


def require_int8(*tensors):
    """Refuse unless every tensor is int8 with known, non-empty shape."""
    for tensor in tensors:
        if tensor.dtype != "int8":
            hint = "; quantise the model to int8" if tensor.dtype.startswith("float") else ""
            raise Refused(f"tensor {tensor.name!r} is {tensor.dtype}, supported is int8{hint}")
        if tensor.size < 1:
            raise Refused(f"tensor {tensor.name!r} has shape {tensor.shape}, which is empty")


def quantization(tensor):
    """Scale and zero point of a tensor that has one of each."""
    if len(tensor.scale) != 1:
        raise Refused(f"tensor {tensor.name!r} has {len(tensor.scale)} scales, supported is one")
    zero = tensor.zero_point[0] if tensor.zero_point else 0
    if not -128 <= zero <= 127 or not tensor.scale[0] > 0:
        raise Refused(f"tensor {tensor.name!r} has scale {tensor.scale[0]} and zero point {zero}")
    return tensor.scale[0], zero


def _operands(graph, op):
    """Input, weights, bias or ``None``, and output; their types are checked."""
    if len(op.inputs) < 2 or not op.outputs or op.inputs[1] < 0:
        raise Refused("it lacks weights or an output")
    source, weights = graph.tensor(op.inputs[0]), graph.tensor(op.inputs[1])
    bias = graph.tensor(op.inputs[2]) if len(op.inputs) > 2 else None
    target = graph.tensor(op.outputs[0])
    require_int8(source, weights, target)
    if weights.value is None:
        raise Refused(f"its weights {weights.name!r} are not constant")
    if bias is not None:
        if bias.dtype != "int32":
            raise Refused(f"its bias {bias.name!r} is {bias.dtype}, supported is int32")
        if bias.value is None:
            raise Refused(f"its bias {bias.name!r} is not constant")
    return source, weights, bias, target


def _activation(op, target):
    scale, zero = quantization(target)
    try:
        return activation_range(op.options.get("activation", "NONE"), scale, zero)
    except ValueError as error:
        raise Refused(str(error)) from None


def _scales(source, weights, target, channels, product_in_float32, axis=0):
    """Multiplier and shift of each channel; channels are dimension ``axis`` of the weights."""
    s_in, _ = quantization(source)
    s_out, _ = quantization(target)
    if len(weights.scale) not in (1, channels):
        raise Refused(f"its weights {weights.name!r} have {len(weights.scale)} scales for "
                      f"{channels} channels")
    if len(weights.scale) > 1 and weights.axis != axis:
        raise Refused(f"its weights {weights.name!r} are quantised along dimension {weights.axis}, "
                      f"supported is {axis}")
    if any(weights.zero_point):
        raise Refused(f"its weights {weights.name!r} have a zero point other than 0; Weft's "
                      "weights are symmetric")
    if len(weights.scale) == 1 and product_in_float32:
        products = [float(np.float32(s_in) * np.float32(weights.scale[0]))]
    else:
        products = [s_in * scale for scale in weights.scale]
    try:
        pairs = [quantize_multiplier(product / s_out) for product in products]
    except ValueError as error:
        raise Refused(f"its scales do not fit: {error}") from None
    if len(pairs) == 1:
        pairs *= channels
    multiplier, shift = np.array(pairs, np.int64).T
    return multiplier, shift


def _folded_bias(weights, bias, zero, channels):
    """Bias minus the input's zero point times the sum of the weights, modulo 2^32."""
    sums = weights.reshape(channels, -1).astype(np.int64).sum(axis=1)
    total = -zero * sums
    if bias is not None:
        if bias.value.size != channels:
            raise Refused(f"its bias has {bias.value.size} elements for {channels} channels")
        total = total + bias.value.reshape(-1).astype(np.int64)
    return total.astype(np.uint32).view(np.int32)


def _window(op, source, target, kernel_h, kernel_w):
    """Strides, dilations and padding of an NHWC operator; checks the output's shape."""
    if len(source.shape) != 4 or len(target.shape) != 4:
        raise Refused(f"shapes {source.shape} and {target.shape} must have four dimensions")
    options = op.options
    found = {}
    pads = []
    if options.get("padding") not in ("SAME", "VALID"):
        raise Refused(f"padding {options.get('padding')} is not SAME or VALID")
    # a PAD in front that became part of this operator: (before, after) along h and w
    extra = options.get("pads", ((0, 0), (0, 0)))
    for axis, (name, kernel) in enumerate((("h", kernel_h), ("w", kernel_w)), start=1):
        stride, dilation = options[f"stride_{name}"], options.get(f"dilation_{name}", 1)
        if stride < 1 or dilation < 1 or kernel < 1:
            raise Refused(f"kernel {kernel}, stride {stride}, dilation {dilation} along {name} "
                          "must be at least 1")
        reach, size = (kernel - 1) * dilation + 1, source.shape[axis]
        if options["padding"] == "SAME":
            out = -(-size // stride)
            pads.append(max(0, (out - 1) * stride + reach - size) // 2)
        else:
            before, after = extra[axis - 1]
            size += before + after
            out = (size - reach) // stride + 1
            pads.append(before)
        if out < 1 or out != target.shape[axis]:
            raise Refused(f"its output has {target.shape[axis]} elements along {name}, but an "
                          f"input of {size} makes {out}")
        found[f"stride_{name}"], found[f"dilation_{name}"] = stride, dilation
    if source.shape[0] != target.shape[0]:
        raise Refused(f"batch changes from {source.shape[0]} to {target.shape[0]}")
    return dict(found, pad_top=pads[0], pad_left=pads[1], kernel_h=kernel_h, kernel_w=kernel_w,
                batch=source.shape[0], in_h=source.shape[1], in_w=source.shape[2],
                in_c=source.shape[3], out_h=target.shape[1], out_w=target.shape[2],
                out_c=target.shape[3])


def _named(op, target):
    return dict(name=f"{op.index} {op.name}", index=op.index, source=op.inputs[0],
                target=target.index)


def convolution(graph, op):
    """CONV_2D as a :class:`Layer`."""
    source, weights, bias, target = _operands(graph, op)
    if len(weights.shape) != 4:
        raise Refused(f"its weights have shape {weights.shape}, supported are four dimensions")
    if len(source.shape) == 4 and weights.shape[3] != source.shape[3]:
        raise Refused(f"its weights are for {weights.shape[3]} input channels, the input has "
                      f"{source.shape[3]}: grouped convolutions do not run")
    sizes = _window(op, source, target, weights.shape[1], weights.shape[2])
    channels = weights.shape[0]
    if channels != sizes["out_c"]:
        raise Refused(f"its weights are for {channels} output channels, the output has "
                      f"{sizes['out_c']}")
    multiplier, shift = _scales(source, weights, target, channels, False)
    _, zero = quantization(source)
    low, high = _activation(op, target)
    return Layer(
        **_named(op, target), **sizes, kind="conv", halo=zero, weights=weights.value,
        bias=_folded_bias(weights.value, bias, zero, channels), multiplier=multiplier, shift=shift,
        zero_point=quantization(target)[1], clamp_min=low, clamp_max=high)


def depthwise(graph, op):
    """DEPTHWISE_CONV_2D as a :class:`Layer`; with one input channel it is a convolution."""
    source, weights, bias, target = _operands(graph, op)
    if len(weights.shape) != 4 or weights.shape[0] != 1:
        raise Refused(f"its weights have shape {weights.shape}, supported is (1, height, width, "
                      "channels)")
    sizes = _window(op, source, target, weights.shape[1], weights.shape[2])
    channels = weights.shape[3]
    if channels != sizes["out_c"] or channels % sizes["in_c"]:
        raise Refused(f"its weights are for {channels} channels, the input has {sizes['in_c']}, "
                      f"the output {sizes['out_c']}")
    multiplier, shift = _scales(source, weights, target, channels, False, axis=3)
    _, zero = quantization(source)
    low, high = _activation(op, target)
    taps = np.ascontiguousarray(weights.value[0].transpose(2, 0, 1))
    single = sizes["in_c"] == 1
    return Layer(
        **_named(op, target), **sizes, kind="conv" if single else "depthwise", halo=zero,
        weights=taps[..., None] if single else taps,
        bias=_folded_bias(taps, bias, zero, channels), multiplier=multiplier, shift=shift,
        zero_point=quantization(target)[1], clamp_min=low, clamp_max=high)


def mean(graph, op):
    """MEAN as a depthwise :class:`Layer` with weights of 1 over the axes, which are neighbours."""
    if len(op.inputs) < 2 or not op.outputs:
        raise Refused("it lacks its axes or an output")
    source, target = graph.tensor(op.inputs[0]), graph.tensor(op.outputs[0])
    require_int8(source, target)
    axes = graph.tensor(op.inputs[1])
    if axes is None or axes.value is None:
        raise Refused("its axes are not constant")
    rank = len(source.shape)
    chosen = sorted({int(axis) + rank * (int(axis) < 0) for axis in axes.value.reshape(-1)})
    if not chosen or not 0 <= chosen[0] <= chosen[-1] < rank:
        raise Refused(f"its axes {chosen} do not fit shape {source.shape}")
    # axes of one element between or beside them change nothing
    span = [axis for axis in range(chosen[0], chosen[-1] + 1) if source.shape[axis] > 1]
    if any(axis not in chosen for axis in span):
        raise Refused(f"its axes {chosen} of shape {source.shape} are not neighbours")
    first, last = chosen[0], chosen[-1] + 1
    outer, inner = (int(np.prod(part, dtype=np.int64))
                    for part in (source.shape[:first], source.shape[last:]))
    count = source.size // outer // inner
    if target.size != outer * inner:
        raise Refused(f"its output has {target.size} elements instead of {outer * inner}")
    (scale_in, zero_in), (scale_out, zero_out) = quantization(source), quantization(target)
    try:
        factors = mean_multiplier(scale_in, zero_in, scale_out, zero_out, count)
    except ValueError as error:
        raise Refused(str(error)) from None
    height, width = (source.shape[1:3] if chosen == [1, 2] and rank == 4 else (count, 1))
    sizes = dict(batch=outer, in_h=height, in_w=width, in_c=inner, kernel_h=height, kernel_w=width,
                 out_h=1, out_w=1, out_c=inner)
    weights = np.ones((inner, height, width), np.int8)
    single = inner == 1
    if single:      # rows of one string of bytes
        sizes.update(batch=1, in_h=1, in_w=outer, in_c=count, kernel_h=1, kernel_w=1, out_w=outer)
        weights = np.ones((1, 1, 1, count), np.int8)
    return Layer(
        **_named(op, target), **sizes, kind="conv" if single else "depthwise",
        weights=weights, bias=np.full(inner, factors.bias, np.int64).astype(np.int32),
        multiplier=np.full(inner, factors.multiplier), shift=np.full(inner, factors.shift),
        zero_point=factors.zero_point)


def fully_connected(graph, op):
    """FULLY_CONNECTED as a :class:`Layer`."""
    source, weights, bias, target = _operands(graph, op)
    if op.options.get("format", "DEFAULT") != "DEFAULT":
        raise Refused(f"weights format {op.options['format']} is not DEFAULT")
    if len(weights.shape) != 2:
        raise Refused(f"its weights have shape {weights.shape}, supported are two dimensions")
    channels, depth = weights.shape
    if source.size % depth:
        raise Refused(f"an input of {source.size} elements is no multiple of the {depth} that its "
                      "weights take")
    count = source.size // depth
    if target.size != count * channels:
        raise Refused(f"its output has {target.size} elements instead of {count * channels}")
    multiplier, shift = _scales(source, weights, target, channels, True)
    _, zero = quantization(source)
    low, high = _activation(op, target)
    return Layer(
        **_named(op, target), kind="conv", in_h=1, in_w=count, in_c=depth, out_h=1, out_w=count,
        out_c=channels, halo=zero, weights=weights.value.reshape(channels, 1, 1, depth),
        bias=_folded_bias(weights.value, bias, zero, channels), multiplier=multiplier, shift=shift,
        zero_point=quantization(target)[1], clamp_min=low, clamp_max=high)


def pooling(graph, op):
    """MAX_POOL_2D or AVERAGE_POOL_2D as a :class:`Layer`."""
    if not op.inputs or not op.outputs:
        raise Refused("it lacks an input or an output")
    source, target = graph.tensor(op.inputs[0]), graph.tensor(op.outputs[0])
    require_int8(source, target)
    if quantization(source) != quantization(target):
        raise Refused(f"its input and output differ in scale or zero point: "
                      f"{quantization(source)} and {quantization(target)}")
    sizes = _window(op, source, target, op.options["filter_h"], op.options["filter_w"])
    if sizes["in_c"] != sizes["out_c"]:
        raise Refused(f"channels change from {sizes['in_c']} to {sizes['out_c']}")
    if sizes["kernel_h"] * sizes["kernel_w"] >= 1 << 22:
        raise Refused("its window has 2^22 elements or more")
    low, high = _activation(op, target)
    channels = sizes["out_c"]
    is_max = op.name == "MAX_POOL_2D"
    return Layer(
        **_named(op, target), **sizes, kind="max" if is_max else "average",
        halo=-128 if is_max else 0, multiplier=np.full(channels, IDENTITY[0]),
        shift=np.full(channels, IDENTITY[1]), mode=Mode.AWAY, clamp_min=low, clamp_max=high)
