"""Geometry of operators that slide a window over an image."""

from typing import Any

from weft.spec.integers import ceil_div

from ..frontend.graph import GraphTensor, Operator
from ..verdict import Refused

__all__ = ["window_geometry"]


def window_geometry(op: Operator, source: GraphTensor, target: GraphTensor, kernel_h: int,
                    kernel_w: int) -> dict[str, Any]:
    """Return the shapes, strides, dilations and padding of an NHWC operator.

    The result holds the attributes of these names of
    :class:`~weft_host.compiler.lower.layer.Layer`.

    Parameters
    ----------
    op : :class:`Operator`
        Operator with the options ``padding`` and ``stride_h``, ``stride_w``, and optionally
        ``dilation_h``, ``dilation_w`` and ``pads``, which
        :func:`~weft_host.compiler.lower.fold_pads.fold_pads` adds.
    source, target : :class:`GraphTensor`
        Input and output.
    kernel_h, kernel_w : :class:`int`
        Size of the window.

    Raises
    ------
    Refused
        If the options are invalid or contradict the shape of the output.
    """
    if len(source.shape) != 4 or len(target.shape) != 4:
        raise Refused(f"shapes {source.shape} and {target.shape} must have four dimensions")
    options = op.options
    geometry: dict[str, Any] = {}
    pads = []
    if options.get("padding") not in ("SAME", "VALID"):
        raise Refused(f"padding {options.get('padding')} is not SAME or VALID")
    # (before, after) along height and width of a PAD that was folded into this operator
    folded_pads = options.get("pads", ((0, 0), (0, 0)))
    for axis, (name, kernel) in enumerate((("h", kernel_h), ("w", kernel_w)), start=1):
        stride, dilation = options[f"stride_{name}"], options.get(f"dilation_{name}", 1)
        if stride < 1 or dilation < 1 or kernel < 1:
            raise Refused(f"kernel {kernel}, stride {stride} and dilation {dilation} along {name} "
                          "must be at least 1")
        reach, size = (kernel - 1) * dilation + 1, source.shape[axis]
        if options["padding"] == "SAME":
            out = ceil_div(size, stride)
            pads.append(max(0, (out - 1) * stride + reach - size) // 2)
        else:
            before, after = folded_pads[axis - 1]
            size += before + after
            out = (size - reach) // stride + 1
            pads.append(before)
        if out < 1 or out != target.shape[axis]:
            raise Refused(f"its output has {target.shape[axis]} elements along {name}, but an "
                          f"input of {size} results in {out}")
        geometry[f"stride_{name}"], geometry[f"dilation_{name}"] = stride, dilation
    if source.shape[0] != target.shape[0]:
        raise Refused(f"its batch size changes from {source.shape[0]} to {target.shape[0]}")
    return dict(geometry, pad_top=pads[0], pad_left=pads[1], kernel_h=kernel_h, kernel_w=kernel_w,
                batch=source.shape[0], in_h=source.shape[1], in_w=source.shape[2],
                in_c=source.shape[3], out_h=target.shape[1], out_w=target.shape[2],
                out_c=target.shape[3])
