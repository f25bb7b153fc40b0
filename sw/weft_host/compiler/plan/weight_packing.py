"""Packing of weights into tiles, in the order in which their lines enter the array."""

import numpy as np
import numpy.typing as npt

from weft.spec.config import Config
from weft.spec.integers import ceil_div, round_up

from ..lower.layer import Layer
from .kernel_blocks import KernelBlock, filter_phases, tile_width

__all__ = ["identity_tile", "pack_channelwise", "pack_convolution"]

_Tiles = npt.NDArray[np.int8]


def pack_convolution(layer: Layer, block: KernelBlock, config: Config) -> _Tiles:
    """Return the weights of a convolution as an array (output tiles, passes, rows, cols)."""
    assert layer.weights is not None, "a convolution has weights"
    rows, cols = config.rows, config.cols
    taps = layer.weights[:, block.y0:block.y1, block.x0:block.x1, block.c0:block.c1]
    channels, height, width, depth = taps.shape
    if layer.dilation_w == 1 or width == 1:
        runs = taps.reshape(channels, height, width * depth)
    else:
        runs = taps.reshape(channels, height * width, depth)
    chunks = ceil_div(runs.shape[2], rows)
    padded = np.zeros((round_up(channels, cols), runs.shape[1], chunks * rows), np.int8)
    padded[:channels, :, :runs.shape[2]] = runs
    tiles = padded.reshape(-1, cols, runs.shape[1] * chunks, rows)
    # line i holds the weights of array row rows - 1 - i
    return np.ascontiguousarray(tiles.transpose(0, 2, 3, 1)[:, :, ::-1])


def pack_channelwise(layer: Layer, block: KernelBlock, config: Config, *,
                     row_filters: bool) -> _Tiles:
    """Return the weights of a depthwise layer as an array (output tiles, passes, rows, cols).

    A tile is a filter along x if ``row_filters`` is set, and otherwise a diagonal with one tap.
    """
    assert layer.weights is not None, "a depthwise convolution has weights"
    rows, width, depth = config.rows, tile_width(layer, config), layer.depth_multiplier
    taps = layer.weights[:, block.y0:block.y1, block.x0:block.x1]
    channels, height, across = taps.shape
    count = ceil_div(channels, width)
    if row_filters:
        phases, lead = filter_phases(layer, across)
        tiles = np.zeros((count, height, phases, rows, config.cols), np.int8)
        for channel in range(channels):
            tile, column = divmod(channel, width)
            for phase in range(phases):
                line = taps[channel, :, phase::phases]
                # tap j is on line rows - 1 - lead + j
                tiles[tile, :, phase, rows - 1 - lead:rows - 1 - lead + line.shape[1],
                      column] = line
        return tiles.reshape(count, height * phases, rows, config.cols)
    tiles = np.zeros((count, height * across, rows, config.cols), np.int8)
    for channel in range(channels):
        tile, column = divmod(channel, width)
        row = channel // depth - tile * width // depth
        tiles[tile, :, rows - 1 - row, column] = taps[channel].reshape(-1)
    return tiles


def identity_tile(config: Config) -> _Tiles:
    """Return the tile that passes channel c of a vector to column c."""
    return np.ascontiguousarray(np.eye(config.rows, config.cols, dtype=np.int8)[::-1])
