"""Loads of requantiser parameters into the scratchpad, and from there into VECTOR."""

from weft.spec.integers import ceil_div
from weft.spec.isa import Mode

from ..lower.layer import Layer
from ..plan.kernel_blocks import tile_width
from ..plan.layer_plan import LayerPlan, parameter_bytes
from .instruction_stream import HostSection, InstructionStream

__all__ = ["ParameterLoader"]


class ParameterLoader:
    """Emitter of the parameters of a layer's output tiles.

    VECTOR holds the parameters of several tiles. A tile's parameters are read again only if those
    of another tile have replaced them.

    Parameters
    ----------
    stream : :class:`InstructionStream`
        Stream to which the instructions are appended.
    layer, plan : :class:`Layer`, :class:`LayerPlan`
        Layer and division of its work.
    constants : :class:`int`
        Address of the layer's parameters in the section of constants.
    buffer : :class:`int`
        Scratchpad address of the buffer for parameters.
    """

    def __init__(self, stream: InstructionStream, layer: Layer, plan: LayerPlan, constants: int,
                 buffer: int) -> None:
        self._stream, self._layer, self._plan = stream, layer, plan
        self._config = stream.config
        self._constants, self._buffer = constants, buffer
        self._width = tile_width(layer, self._config)
        self._tiles = ceil_div(layer.out_c, self._width)
        self._block = parameter_bytes(layer, self._config)
        # the output tile whose parameters are in each run of ``cols`` parameter slots of VECTOR
        self._held: list[int | None] = [None] * (
            self._config.param_channels // self._config.cols)
        # the multiplier, shift and number of channels that VECTOR holds for a pooling
        self._held_pooling: tuple[tuple[int, int], int] | None = None
        self._group_address: int | None = None
        self._half = 0

    def begin(self) -> None:
        """Emit the fill of a pooling's biases with 0, before its first drain."""
        if self._layer.pooling:
            self._stream.fill(self._buffer, 4 * self._width, 0)

    def load_resident(self) -> None:
        """Emit the load of the parameters of all tiles, if they stay in the scratchpad."""
        if not self._layer.pooling and self._plan.parameters_resident:
            self._stream.load(HostSection.CONSTANTS, self._constants, self._buffer,
                              self._tiles * self._block)

    def end_group(self) -> None:
        """Record that all tiles of a group have been drained."""
        self._group_address = None

    def pooling_parameters(self, channels: int, scale: tuple[int, int]) -> int:
        """Emit the PARAMS of a pooling, and return the first parameter slot of VECTOR that it uses.

        One set of parameters serves every tile that has no more channels than the set.

        Parameters
        ----------
        channels : :class:`int`
            Channels of the tile.
        scale : (:class:`int`, :class:`int`)
            Multiplier and shift of all channels.
        """
        held = self._held_pooling
        if held is None or held[0] != scale or held[1] < channels:
            self._stream.params(self._buffer, channels, multiplier=scale[0], shift=scale[1])
            self._held_pooling = scale, channels
        return 0

    def tile_parameters(self, tiles: range, tile: int, channels: int) -> int:
        """Emit the PARAMS of an output tile, and return its first parameter slot of VECTOR.

        Parameters
        ----------
        tiles : :class:`range`
            Output tiles of the group.
        tile, channels : :class:`int`
            Output tile, and its number of channels.
        """
        layer, held = self._layer, self._held
        slot = tile % len(held)
        channel = slot * self._config.cols
        if held[slot] == tile:
            return channel
        held[slot] = tile
        if self._plan.parameters_resident:
            address = self._buffer + tile * self._block
        else:
            address = self._load_group(tiles) + (tile - tiles[0]) * self._block
        if layer.per_channel:
            self._stream.params(address, channels, channel=channel,
                                scale_addr=address + 4 * self._width)
            return channel
        if self._plan.parameters_resident and self._width == self._config.cols:
            # the biases of neighbouring tiles are consecutive: one PARAMS reads those of all
            # tiles up to the last slot
            last = min(self._tiles, tile - slot + len(held))
            held[slot:slot + last - tile] = range(tile, last)
            channels = min(last * self._width, layer.out_c) - tile * self._width
        if layer.mode == Mode.RAW:
            self._stream.params(address, channels, channel=channel)
        else:
            self._stream.params(address, channels, channel=channel,
                                multiplier=int(layer.multiplier[0]), shift=int(layer.shift[0]))
        return channel

    def _load_group(self, tiles: range) -> int:
        """Load the parameters of a group into a half of the buffer, and return their address."""
        if self._group_address is None:
            self._group_address = self._buffer + self._half * (self._plan.parameter_bytes // 2)
            self._half ^= 1
            self._stream.load(HostSection.CONSTANTS, self._constants + tiles[0] * self._block,
                              self._group_address, len(tiles) * self._block)
        return self._group_address
