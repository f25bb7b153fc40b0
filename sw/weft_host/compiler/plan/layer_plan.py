"""How a layer is cut: what :mod:`.tile` decides and :mod:`.generate` follows."""

import dataclasses

from .kernel_blocks import tile_width

__all__ = ["Plan", "align", "param_block"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """How a layer is cut.

    The order of work is: blocks of output positions; in each, groups of output tiles that are
    stored together; in each, blocks of the kernel; in each, output tiles. Partial sums stay in the
    accumulators over the blocks of the kernel.

    Attributes
    ----------
    kernel_y, kernel_x, channels : :class:`int`
        Largest block of the kernel. For a channelwise layer, ``channels`` is one group of outputs.
    y_count, x_count : :class:`int`
        Largest block of output positions.
    group : :class:`int`
        Output tiles, each as wide as the array, that are stored together.
    whole : :class:`bool`
        The scratchpad holds the whole input at once, halo included, loaded row by row.
    fed, kept : :class:`bool`
        The input is in the scratchpad already; the output stays there. Neither needs a buffer.
    filtered : :class:`bool`
        A depthwise layer runs as filters along x instead of diagonal tiles.
    lines : :class:`int`
        Lines of a tile that are loaded, the last ones; the others are zeros.
    sliced : :class:`bool`
        The blocks of the kernel are slices of the input's channels, and the whole input is there.
    act_regions, out_regions : :class:`int`
        Buffers for inputs and for outputs; two let copies hide behind the array.
    act_bytes, out_bytes, param_bytes : :class:`int`
        Bytes of each buffer, and of all parameters that are on chip at once.
    params_resident : :class:`bool`
        Parameters are loaded once, not group by group.
    weights_resident : :class:`bool`
        Weights are loaded once, not for each block of positions.
    packet : :class:`int`
        Most tiles in one load of weights.
    cycles : :class:`int`
        Estimate for the layer.
    """

    kernel_y: int
    kernel_x: int
    channels: int
    y_count: int
    x_count: int
    group: int
    whole: bool
    act_regions: int
    out_regions: int
    act_bytes: int
    out_bytes: int
    param_bytes: int
    params_resident: bool
    weights_resident: bool
    packet: int
    cycles: int = 0
    fed: bool = False
    kept: bool = False
    filtered: bool = False
    lines: int
    sliced: bool = False

    def tiling(self):
        """``(kernel_y, kernel_x, channels)``: the arguments of :func:`kernel.blocks`."""
        return self.kernel_y, self.kernel_x, self.channels


def param_block(layer, config):
    """Bytes of the parameters of one output tile: biases, then scales where they differ."""
    return tile_width(layer, config) * (12 if layer.per_channel else 4)


def align(value, config):
    """Scratchpad regions begin at multiples of what a port moves in a cycle."""
    return -(-value // config.spad_row_bytes) * config.spad_row_bytes
