"""Layout of the cache in host memory, and the stores of new keys and values."""

from weft.spec.integers import ceil_div, round_up

from .builder import HostArea, ProgramBuilder
from .step_values import BLOCK, CacheShape, StepRegisters

__all__ = ["CacheLayout", "store_position"]


class CacheLayout:
    """Addresses of the caches of all layers and heads in their section of host memory.

    Parameters
    ----------
    shape : :class:`CacheShape`
    layers, heads : :class:`int`
        Number of layers, and of heads of keys and values.
    """

    def __init__(self, shape: CacheShape, layers: int, heads: int) -> None:
        self.shape, self.heads = shape, heads
        self._keys = shape.blocks * shape.key_block_bytes
        self._values = shape.blocks * shape.value_block_bytes
        self.scale_pitch = 2 * BLOCK * shape.blocks
        self._layer = round_up(heads * (self._keys + self._values + 2 * self.scale_pitch), 64)
        self.size = layers * self._layer

    def keys(self, layer: int, head: int) -> int:
        """Return the address of the keys of a head."""
        return layer * self._layer + head * self._keys

    def values(self, layer: int, head: int) -> int:
        """Return the address of the values of a head."""
        return layer * self._layer + self.heads * self._keys + head * self._values

    def scales(self, layer: int, head: int, *, values: bool) -> int:
        """Return the address of the scales of the keys, or values, of a head."""
        return (layer * self._layer + self.heads * (self._keys + self._values)
                + (values * self.heads + head) * self.scale_pitch)


def store_position(builder: ProgramBuilder, cache: CacheLayout, registers: StepRegisters,
                   layer: int, vectors: int, scales: int) -> None:
    """Append the stores of the new keys and values of all heads, and of their scales.

    Parameters
    ----------
    builder, cache, registers : where to append, and the addresses in host memory.
    layer : index of the layer.
    vectors : address of the int8 keys of all heads, followed by the values of all heads.
    scales : address of the uint16 scales of the keys, followed by those of the values.
    """
    config, shape, heads = builder.config, cache.shape, cache.heads
    size = shape.head_size
    for head in range(heads):
        for first in range(0, size, config.rows):
            count = min(config.rows, size - first)
            # the elements of a chunk are in reverse order: the last line is the first element
            line = (ceil_div(first, config.rows) + 1) * config.rows - count
            builder.copy("STORE_STEP", HostArea.CACHE, (layer, "keys"), count=count,
                         host_addr=cache.keys(layer, head) + line * config.cols,
                         host_pitch=config.cols, local_addr=vectors + head * size + first,
                         local_pitch=1, bytes=1, host_step=registers.KEY)
        for first in range(0, size, config.cols):
            builder.copy("STORE_STEP", HostArea.CACHE, (layer, "values"), count=1,
                         host_addr=cache.values(layer, head)
                         + first // config.cols * shape.value_tiles * config.tile_bytes,
                         local_addr=vectors + (heads + head) * size + first,
                         bytes=min(config.cols, size - first), host_step=registers.VALUE)
    # the scales of the values follow those of the keys, with the same pitch
    builder.copy("STORE_STEP", HostArea.CACHE, (layer, "scales"), count=2 * heads,
                 local_addr=scales, local_pitch=2, bytes=2,
                 host_addr=cache.scales(layer, 0, values=False), host_pitch=cache.scale_pitch,
                 host_step=registers.SCALE)
