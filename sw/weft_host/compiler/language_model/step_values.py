"""Step registers: what changes from one evaluation of the program to the next."""

import dataclasses

from weft.spec.config import Config
from weft.spec.integers import ceil_div
from weft.spec.step_instructions import STEP_REGISTERS

from ..verdict import CapacityError

__all__ = ["BLOCK", "CacheShape", "StepRegisters"]

BLOCK = 256
"""Positions of a block of the softmax."""


@dataclasses.dataclass(frozen=True)
class CacheShape:
    """Sizes of the cache of one head in host memory.

    Keys of a block are tiles ``(position tile, chunk of elements, line, position)``, values are
    tiles ``(group of elements, position tile, line, element)``.

    Attributes
    ----------
    config : :class:`weft.spec.config.Config`
    head_size, context : :class:`int`
    """

    config: Config
    head_size: int
    context: int

    @property
    def blocks(self) -> int:
        """Blocks of the context."""
        return ceil_div(self.context, BLOCK)

    @property
    def chunks(self) -> int:
        """Chunks of the elements of a key."""
        return ceil_div(self.head_size, self.config.rows)

    @property
    def groups(self) -> int:
        """Groups of the elements of a value."""
        return ceil_div(self.head_size, self.config.cols)

    @property
    def key_tiles(self) -> int:
        """Position tiles of the keys of a block."""
        return BLOCK // self.config.cols

    @property
    def value_tiles(self) -> int:
        """Position tiles of the values of a block."""
        return BLOCK // self.config.rows

    @property
    def key_block_bytes(self) -> int:
        """Bytes of the keys of a block."""
        return self.key_tiles * self.chunks * self.config.tile_bytes

    @property
    def value_block_bytes(self) -> int:
        """Bytes of the values of a block."""
        return self.value_tiles * self.groups * self.config.tile_bytes

    def key_offset(self, position: int) -> int:
        """Return the address of the first element of a key, relative to the head's keys."""
        block, inside = divmod(position, BLOCK)
        tile, column = divmod(inside, self.config.cols)
        return (block * self.key_block_bytes + tile * self.chunks * self.config.tile_bytes
                + column)

    def value_offset(self, position: int) -> int:
        """Return the address of the first element of a value, relative to the head's values."""
        block, inside = divmod(position, BLOCK)
        tile, row = divmod(inside, self.config.rows)
        return (block * self.value_block_bytes + tile * self.config.tile_bytes
                + (self.config.rows - 1 - row) * self.config.cols)


class StepRegisters:
    """Allocation of the step registers, and their contents at a position.

    Register 0 is always 0.

    Parameters
    ----------
    shape : :class:`CacheShape`
    embedding_bytes, rotation_bytes, position_bytes : :class:`int`
        Bytes from one row of the table of text tokens, of the table of rotations and of the table
        of positions to the next.
    """

    ZERO, TOKEN, ROTATION, POSITION, KEY, VALUE, SCALE, KEY_BLOCK, VALUE_BLOCK, SCALE_BLOCK, \
        ELEMENTS = range(11)
    FIRST_COUNT = 11

    def __init__(self, shape: CacheShape, embedding_bytes: int, rotation_bytes: int,
                 position_bytes: int) -> None:
        self.shape = shape
        self._row_bytes = embedding_bytes, rotation_bytes, position_bytes
        self._counts: dict[tuple[str, int, int], int] = {}

    def key_tiles(self, first: int, most: int) -> int:
        """Return the register with the key tiles of the newest block from ``first`` on.

        There are at most ``most`` of them.
        """
        return self._register(("keys", first, most))

    def value_tiles(self, first: int, most: int) -> int:
        """Return the register with the value tiles of the newest block from ``first`` on."""
        return self._register(("values", first, most))

    def in_old_block(self, block: int, value: int) -> int:
        """Return the register that is ``value`` while ``block`` is full and not the newest one."""
        return self._register(("old", block, value))

    def _register(self, key: tuple[str, int, int]) -> int:
        register = self.FIRST_COUNT + self._counts.setdefault(key, len(self._counts))
        if register >= STEP_REGISTERS:
            raise CapacityError(
                f"a context of {self.shape.context} positions needs more than the "
                f"{STEP_REGISTERS} step registers on {self.shape.config.name}; choose a shorter "
                "one with --context, or a configuration with more accumulator rows")
        return register

    def values(self, token: int, position: int) -> list[int]:
        """Return the contents of all registers for a text token at a position."""
        shape = self.shape
        block, inside = divmod(position, BLOCK)
        tiles = {"keys": ceil_div(inside + 1, shape.config.cols),
                 "values": ceil_div(inside + 1, shape.config.rows)}
        values = [0] * STEP_REGISTERS
        embedding, rotation, table = self._row_bytes
        values[:self.FIRST_COUNT] = (
            0, token * embedding, position * rotation, position * table,
            shape.key_offset(position), shape.value_offset(position), 2 * position,
            block * shape.key_block_bytes, block * shape.value_block_bytes, 2 * BLOCK * block,
            inside + 1)
        for (kind, first, number), index in self._counts.items():
            values[self.FIRST_COUNT + index] = number * (first < block) if kind == "old" \
                else min(max(tiles[kind] - first, 0), number)
        return values
