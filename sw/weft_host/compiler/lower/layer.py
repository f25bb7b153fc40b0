"""The one operation that the array executes, with every size of it."""

import dataclasses

import numpy as np

from weft.spec.isa import Mode

__all__ = ["Layer"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Layer:
    """A convolution or a pooling over an NHWC tensor; everything Weft runs is lowered to this.

    A fully connected layer and a matrix product are 1 x 1 convolutions over one row of positions.
    A convolution combines all input channels. A pooling and a depthwise convolution are
    *channelwise*: output channel c reads input channel ``c // depth_multiplier`` alone.

    Attributes
    ----------
    kind : :class:`str`
        ``"conv"``, ``"depthwise"``, ``"max"`` or ``"average"``.
    source, target : :class:`int`
        Tensors that are read and written.
    halo : :class:`int`
        What lies around the input, as int8: its zero point; what changes no result for pooling.
    weights : int8 array (out_channels, kernel_h, kernel_w, in_channels) or :class:`None`
        Of a convolution; of a depthwise one without the last dimension.
    bias : int32 array (out_channels,) or :class:`None`
        With the input's zero point folded in.
    multiplier, shift : int64 arrays (out_channels,)
        Requantiser of each channel; unused by ``average``, whose divisor depends on the position.
    mode : :class:`weft.spec.isa.Mode`
        How accumulators become outputs. ``RAW`` writes int32.
    """

    name: str
    index: int
    kind: str
    source: int
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
    weights: np.ndarray | None = None
    bias: np.ndarray | None = None
    multiplier: np.ndarray
    shift: np.ndarray
    mode: Mode = Mode.TFL2
    zero_point: int = 0
    clamp_min: int = -128
    clamp_max: int = 127

    @property
    def channelwise(self):
        """Each output channel depends on one input channel."""
        return self.kind != "conv"

    @property
    def pooling(self):
        """It has no weights and no parameters of its own."""
        return self.kind in ("max", "average")

    @property
    def depth_multiplier(self):
        """Output channels that read one input channel, if it is channelwise."""
        return self.out_c // self.in_c

    @property
    def maximum(self):
        """Passes are combined by maximum."""
        return self.kind == "max"

    @property
    def out_size(self):
        """Bytes of one output element."""
        return 4 if self.mode == Mode.RAW else 1

    @property
    def per_channel(self):
        """Multipliers or shifts differ between channels."""
        return not self.pooling and self.mode != Mode.RAW and not (
            (self.multiplier == self.multiplier[0]).all() and (self.shift == self.shift[0]).all())

    @property
    def macs(self):
        """Multiply-accumulates of a convolution; 0 for a pooling."""
        if self.pooling:
            return 0
        return self.batch * self.out_h * self.out_w * self.out_c * self.kernel_h \
            * self.kernel_w * (1 if self.channelwise else self.in_c)

    @property
    def pad_bottom(self):
        """Rows below the input that are read."""
        return max(0, (self.out_h - 1) * self.stride_h + (self.kernel_h - 1) * self.dilation_h + 1
                   - self.pad_top - self.in_h)

    @property
    def pad_right(self):
        """Columns to the right of the input that are read."""
        return max(0, (self.out_w - 1) * self.stride_w + (self.kernel_w - 1) * self.dilation_w + 1
                   - self.pad_left - self.in_w)

    @property
    def pointwise(self):
        """Output position p depends on input position p alone, wherever it is in the image."""
        return self.kernel_h == self.kernel_w == self.stride_h == self.stride_w == 1 and (
            self.pad_top == self.pad_left == self.pad_bottom == self.pad_right == 0)

    def flattened(self):
        """A pointwise layer as one row of positions; any other as it is."""
        if not self.pointwise:
            return self
        count = self.batch * self.in_h * self.in_w
        return dataclasses.replace(self, batch=1, in_h=1, in_w=count, out_h=1, out_w=count,
                                   dilation_h=1, dilation_w=1)

    def folded(self, width):
        """A pooling of the whole input with groups of channels as positions, where they divide.

        ``width`` channels make a group at most. A pass then has as many positions as there are
        groups, and one tile serves them all.
        """
        whole = (self.kernel_h, self.kernel_w, 1, 1) == (
            self.in_h, self.in_w, self.out_h, self.out_w)
        size = max(size for size in range(1, width + 1) if self.out_c % size == 0)
        groups = self.out_c // size
        if not (self.pooling and whole and self.batch == 1) or size * 2 <= width or groups == 1:
            return self
        return dataclasses.replace(
            self, in_w=self.in_w * groups, in_c=size, out_w=groups, out_c=size,
            dilation_w=groups, stride_h=1, stride_w=1, multiplier=self.multiplier[:size],
            shift=self.shift[:size])

    def widened(self, rows, cols):
        """The layer with neighbouring positions side by side in the columns, where that pays.

        A convolution with few output channels leaves columns idle. Two positions beside each
        other are one position with twice the channels, a kernel that is wider by the stride, and
        weights of zero where the other position's window is; the bytes of the output are the same.
        It pays while the wider kernel row takes no more chunks.
        """
        if self.weights is None or self.bias is None or self.channelwise or self.out_size > 1 \
                or self.dilation_w > 1:
            return self

        def chunks(count):
            return -(-(self.kernel_w + (count - 1) * self.stride_w) * self.in_c // rows)

        counts = [count for count in range(1, cols // self.out_c + 1) if self.out_w % count == 0]
        count = min(counts or [1], key=lambda count: (chunks(count) / count, count))
        if count == 1:
            return self
        step, taps = self.stride_w, self.kernel_w
        weights = np.zeros((count, self.out_c, self.kernel_h, taps + (count - 1) * step,
                            self.in_c), np.int8)
        for number in range(count):
            weights[number, :, :, number * step:number * step + taps] = self.weights
        return dataclasses.replace(
            self, weights=weights.reshape(-1, *weights.shape[2:]), kernel_w=weights.shape[3],
            stride_w=count * step, out_w=self.out_w // count, out_c=count * self.out_c,
            bias=np.tile(self.bias, count), multiplier=np.tile(self.multiplier, count),
            shift=np.tile(self.shift, count))

    def describe(self):
        """The layer in a few words, for reports."""
        return (f"{self.kind} {self.kernel_h}x{self.kernel_w}, {self.in_h}x{self.in_w}x"
                f"{self.in_c} to {self.out_h}x{self.out_w}x{self.out_c}")
