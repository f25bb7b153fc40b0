"""The one operation that the array executes, with every size of it."""

import dataclasses

import numpy as np

from weft.control.isa import Mode

__all__ = ["Layer"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Layer:
    """A convolution or a pooling over an NHWC tensor; everything Weft runs is lowered to this.

    A fully connected layer and a matrix product are 1 x 1 convolutions over one row of positions.
    A convolution combines all input channels; a pooling is *channelwise*: output channel c reads
    input channel c alone, through an identity tile.

    Attributes
    ----------
    kind : :class:`str`
        ``"conv"``, ``"max"`` or ``"average"``.
    source, target : :class:`int`
        Tensors that are read and written.
    halo : :class:`int`
        What lies around the input, as int8: its zero point; what changes no result for pooling.
    weights : int8 array (out_channels, kernel_h, kernel_w, in_channels) or :class:`None`
        Of a convolution.
    bias : int32 array (out_channels,) or :class:`None`
        With the input's zero point folded in.
    multiplier, shift : int64 arrays (out_channels,)
        Requantiser of each channel; unused by ``average``, whose divisor depends on the position.
    mode : :class:`weft.control.isa.Mode`
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
        return self.kind == "conv" and self.mode != Mode.RAW and not (
            (self.multiplier == self.multiplier[0]).all() and (self.shift == self.shift[0]).all())

    @property
    def macs(self):
        """Multiply-accumulates of a convolution; 0 for a pooling."""
        if self.channelwise:
            return 0
        return self.batch * self.out_h * self.out_w * self.out_c * self.kernel_h \
            * self.kernel_w * self.in_c

    def describe(self):
        """The layer in a few words, for reports."""
        return (f"{self.kind} {self.kernel_h}x{self.kernel_w}, {self.in_h}x{self.in_w}x"
                f"{self.in_c} to {self.out_h}x{self.out_w}x{self.out_c}")
