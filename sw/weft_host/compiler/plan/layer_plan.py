"""Plan of a layer: the sizes of its blocks and buffers."""

import dataclasses

from weft.spec.config import Config

from ..lower.layer import Layer
from .kernel_blocks import tile_width

__all__ = ["LayerPlan", "parameter_bytes"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class LayerPlan:
    """Division of the work of a layer.

    A layer is executed by four nested loops: over blocks of output positions, over groups of
    output tiles that are stored together, over blocks of the kernel, and over the output tiles of
    a group. Partial sums stay in the accumulators over all blocks of the kernel.

    Attributes
    ----------
    kernel_y, kernel_x, channels : :class:`int`
        Largest block of the kernel: rows, columns, input channels. For a channelwise layer,
        ``channels`` are the output channels of one block.
    y_count, x_count : :class:`int`
        Largest block of output positions.
    group : :class:`int`
        Number of output tiles that are stored together. A tile is as wide as the array.
    whole_input : :class:`bool`
        The scratchpad holds the whole input at once, halo included. It is loaded row by row.
    input_on_chip, output_on_chip : :class:`bool`
        The input is in the scratchpad before the step; the output stays there after it. Neither
        needs a buffer.
    row_filters : :class:`bool`
        A depthwise layer runs as filters along x instead of diagonal tiles.
    lines : :class:`int`
        Lines of a tile that are loaded, which are the last ones. The other lines are zeros.
    sliced : :class:`bool`
        The blocks of the kernel are slices of the input channels, and the scratchpad holds the
        whole input.
    input_buffers, output_buffers : :class:`int`
        Number of buffers. With two, copies run while the array computes.
    input_bytes, output_bytes, parameter_bytes : :class:`int`
        Size of each input and output buffer, and of the buffer for parameters.
    parameters_resident : :class:`bool`
        Parameters are loaded once per layer, not once per group.
    weights_resident : :class:`bool`
        Weights are loaded once per layer, not once per block of positions.
    tiles_per_load : :class:`int`
        Largest number of tiles in one load of weights.
    cycles : :class:`int`
        Estimated duration.
    """

    kernel_y: int
    kernel_x: int
    channels: int
    y_count: int
    x_count: int
    group: int
    whole_input: bool
    input_buffers: int
    output_buffers: int
    input_bytes: int
    output_bytes: int
    parameter_bytes: int
    parameters_resident: bool
    weights_resident: bool
    tiles_per_load: int
    cycles: int = 0
    input_on_chip: bool = False
    output_on_chip: bool = False
    row_filters: bool = False
    lines: int
    sliced: bool = False

    @property
    def on_chip(self) -> bool:
        """True if the input is in the scratchpad before the step, and the output stays there."""
        return self.input_on_chip and self.output_on_chip

    @property
    def buffer_bytes(self) -> int:
        """Bytes of the scratchpad for all buffers and parameters."""
        return self.input_buffers * self.input_bytes + self.output_buffers * self.output_bytes \
            + self.parameter_bytes


def parameter_bytes(layer: Layer, config: Config) -> int:
    """Return the bytes of the parameters of one output tile.

    These are the biases, followed by multipliers and shifts if they differ between channels.
    """
    return tile_width(layer, config) * (12 if layer.per_channel else 4)
