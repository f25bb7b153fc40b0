"""Array operation: the convolution or pooling to which all layers are lowered."""

import dataclasses
import functools

import numpy as np
import numpy.typing as npt

from weft.spec.integers import ceil_div
from weft.spec.isa import Mode

__all__ = ["Layer"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Layer:
    """Convolution or pooling over an NHWC tensor.

    A fully connected layer and a matrix product are 1 x 1 convolutions over one row of positions.
    A convolution combines all input channels. A pooling and a depthwise convolution are
    *channelwise*: output channel c depends on input channel ``c // depth_multiplier`` only.

    Attributes
    ----------
    name : :class:`str`
        Name for reports and error messages.
    index : :class:`int`
        Index of the operator in the model.
    kind : :class:`str`
        ``"conv"``, ``"depthwise"``, ``"max"`` or ``"average"``.
    sources : tuple of :class:`int`
        Tensor index of the input.
    target : :class:`int`
        Tensor index of the output.
    batch : :class:`int`
        Number of images.
    in_h, in_w, in_c, out_h, out_w, out_c : :class:`int`
        Height, width and channels of an image of the input and of the output.
    kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w : :class:`int`
        Size, stride and dilation of the kernel.
    pad_top, pad_left : :class:`int`
        Rows above and columns to the left of the input that the kernel covers.
    halo : :class:`int`
        Value of the padding, as int8: the input's zero point, or for a pooling a value that
        changes no result.
    weights : int8 array (out_c, kernel_h, kernel_w, in_c) or :class:`None`
        Weights of a convolution. Those of a depthwise convolution lack the last dimension.
    bias : int32 array (out_c,) or :class:`None`
        Bias, into which the input's zero point is folded.
    multiplier, shift : int64 arrays (out_c,)
        Requantiser parameters of each channel. They are unused for ``average``, whose divisor
        depends on the position.
    mode : :class:`weft.spec.isa.Mode`
        Rounding law of the requantiser. With ``RAW``, the outputs are int32.
    zero_point, clamp_min, clamp_max : :class:`int`
        Zero point and bounds of the outputs.
    """

    name: str
    index: int
    kind: str
    sources: tuple[int, ...]
    target: int
    batch: int = 1
    in_h: int
    in_w: int
    in_c: int
    out_h: int
    out_w: int
    out_c: int
    kernel_h: int = 1
    kernel_w: int = 1
    stride_h: int = 1
    stride_w: int = 1
    dilation_h: int = 1
    dilation_w: int = 1
    pad_top: int = 0
    pad_left: int = 0
    halo: int = 0
    weights: npt.NDArray[np.int8] | None = None
    bias: npt.NDArray[np.int32] | None = None
    multiplier: npt.NDArray[np.int64]
    shift: npt.NDArray[np.int64]
    mode: Mode = Mode.TFL2
    zero_point: int = 0
    clamp_min: int = -128
    clamp_max: int = 127

    @property
    def channelwise(self) -> bool:
        """True if each output channel depends on one input channel only."""
        return self.kind != "conv"

    @property
    def pooling(self) -> bool:
        """True if the layer is a pooling, which has neither weights nor parameters of its own."""
        return self.kind in ("max", "average")

    @property
    def depth_multiplier(self) -> int:
        """Number of output channels per input channel of a channelwise layer."""
        return self.out_c // self.in_c

    @property
    def maximum(self) -> bool:
        """True if passes are combined by their maximum, not by their sum."""
        return self.kind == "max"

    @property
    def out_size(self) -> int:
        """Bytes of one output element."""
        return 4 if self.mode == Mode.RAW else 1

    @functools.cached_property
    def per_channel(self) -> bool:
        """True if multipliers or shifts differ between channels."""
        return not self.pooling and self.mode != Mode.RAW and not (
            bool((self.multiplier == self.multiplier[0]).all())
            and bool((self.shift == self.shift[0]).all()))

    @property
    def macs(self) -> int:
        """Number of multiply-accumulate operations of a convolution; 0 for a pooling."""
        if self.pooling:
            return 0
        return self.batch * self.out_h * self.out_w * self.out_c * self.kernel_h \
            * self.kernel_w * (1 if self.channelwise else self.in_c)

    @property
    def pad_bottom(self) -> int:
        """Rows below the input that the kernel covers."""
        return max(0, (self.out_h - 1) * self.stride_h + (self.kernel_h - 1) * self.dilation_h + 1
                   - self.pad_top - self.in_h)

    @property
    def pad_right(self) -> int:
        """Columns to the right of the input that the kernel covers."""
        return max(0, (self.out_w - 1) * self.stride_w + (self.kernel_w - 1) * self.dilation_w + 1
                   - self.pad_left - self.in_w)

    @property
    def pointwise(self) -> bool:
        """True if each output position depends on the input position of the same index only."""
        return self.kernel_h == self.kernel_w == self.stride_h == self.stride_w == 1 and (
            self.pad_top == self.pad_left == self.pad_bottom == self.pad_right == 0)

    def flattened(self) -> "Layer":
        """Return a pointwise layer with all positions in one row; return other layers unchanged."""
        if not self.pointwise:
            return self
        count = self.batch * self.in_h * self.in_w
        return dataclasses.replace(self, batch=1, in_h=1, in_w=count, out_h=1, out_w=count,
                                   dilation_h=1, dilation_w=1)

    def folded(self, width: int) -> "Layer":
        """Return a global pooling with its channels split into groups, which become positions.

        A pass then has as many positions as there are groups, and one tile serves all groups.
        Other layers, and poolings whose channels do not divide evenly, are returned unchanged.

        Parameters
        ----------
        width : :class:`int`
            Largest number of channels in a group.
        """
        is_global = (self.kernel_h, self.kernel_w, 1, 1) == (
            self.in_h, self.in_w, self.out_h, self.out_w)
        size = max(size for size in range(1, width + 1) if self.out_c % size == 0)
        groups = self.out_c // size
        if not (self.pooling and is_global and self.batch == 1) or size * 2 <= width \
                or groups == 1:
            return self
        return dataclasses.replace(
            self, in_w=self.in_w * groups, in_c=size, out_w=groups, out_c=size,
            dilation_w=groups, stride_h=1, stride_w=1, multiplier=self.multiplier[:size],
            shift=self.shift[:size])

    def widened(self, rows: int, cols: int) -> "Layer":
        """Return the layer with neighbouring positions merged where this fills idle columns.

        A convolution with few output channels leaves columns of the array idle. Two neighbouring
        positions are equivalent to one position with twice the channels, a kernel that is wider by
        the stride, and weights of zero outside of each position's window. The output has the same
        bytes. Positions are merged if the wider kernel row takes no more chunks per position.

        Parameters
        ----------
        rows, cols : :class:`int`
            Size of the array.
        """
        if self.weights is None or self.bias is None or self.channelwise or self.out_size > 1 \
                or self.dilation_w > 1:
            return self

        def chunks(count: int) -> int:
            return ceil_div((self.kernel_w + (count - 1) * self.stride_w) * self.in_c, rows)

        counts = [count for count in range(1, cols // self.out_c + 1) if self.out_w % count == 0]
        count = min(counts or [1], key=lambda count: (chunks(count) / count, count))
        if count == 1:
            return self
        stride, taps = self.stride_w, self.kernel_w
        weights = np.zeros((count, self.out_c, self.kernel_h, taps + (count - 1) * stride,
                            self.in_c), np.int8)
        for number in range(count):
            weights[number, :, :, number * stride:number * stride + taps] = self.weights
        return dataclasses.replace(
            self, weights=weights.reshape(-1, *weights.shape[2:]), kernel_w=weights.shape[3],
            stride_w=count * stride, out_w=self.out_w // count, out_c=count * self.out_c,
            bias=np.tile(self.bias, count), multiplier=np.tile(self.multiplier, count),
            shift=np.tile(self.shift, count))

    def describe(self) -> str:
        """Return a short description for reports."""
        return (f"{self.kind} {self.kernel_h}x{self.kernel_w}, {self.in_h}x{self.in_w}x"
                f"{self.in_c} to {self.out_h}x{self.out_w}x{self.out_c}")
