"""Step registers: what changes from one evaluation of the program to the next."""

import dataclasses
import enum
from typing import Any

from weft.spec.config import Config
from weft.spec.integers import ceil_div, round_up
from weft.spec.step_instructions import MOST_STEP_COUNT, STEP_REGISTERS, step_count

from ..frontend.llm.bounded_json import Object
from ..verdict import CapacityError

__all__ = ["BLOCK", "CacheBlock", "CacheShape", "Existence", "StepRegisters"]

BLOCK = 256
"""Positions of a block of the softmax."""

_LARGEST = (1 << 32) - 1        # contents of a register
_COUNTS = ("first keys", "first values", "keys", "values", "old", "newest")


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
    def block_positions(self) -> int:
        """Positions of a block, in whole tiles of keys; a single block has only the context's."""
        return BLOCK if self.blocks > 1 else round_up(self.context, self.config.cols)

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
        return self.block_positions // self.config.cols

    @property
    def value_tiles(self) -> int:
        """Position tiles of the values of a block."""
        return ceil_div(self.block_positions, self.config.rows)

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


class Existence(enum.Enum):
    """Positions at which a block of the cache exists.

    The first block always does. An old one does while it is full and not the newest one; the newest
    one does if it is not the first one.
    """

    FIRST = enum.auto()
    OLD = enum.auto()
    NEWEST = enum.auto()


@dataclasses.dataclass(frozen=True)
class CacheBlock:
    """Block of the cache.

    Attributes
    ----------
    existence : :class:`Existence`
    number : :class:`int`
        Blocks in front of it; 0 for the newest one, whose address is in registers.
    turn : :class:`int`
        0 and 1 in turns, in the order of evaluation.
    """

    existence: Existence
    number: int
    turn: int


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
        ELEMENTS, FIRST_ELEMENTS = range(12)
    FIRST_COUNT = 12

    def __init__(self, shape: CacheShape, embedding_bytes: int, rotation_bytes: int,
                 position_bytes: int) -> None:
        self.shape = shape
        self._row_bytes = embedding_bytes, rotation_bytes, position_bytes
        self._counts: dict[tuple[str, int, int], int] = {}

    def key_tiles(self, block: CacheBlock, first: int, most: int) -> int:
        """Return the count field for the key tiles of a block from ``first`` on.

        There are at most ``most`` of them.
        """
        if block.existence is Existence.OLD:
            return self._existing(block, most)
        kind = "first keys" if block.existence is Existence.FIRST else "keys"
        return self._register((kind, first, most))

    def value_tiles(self, block: CacheBlock) -> int:
        """Return the count field for the value tiles of a block."""
        if block.existence is Existence.OLD:
            return self._existing(block, self.shape.value_tiles)
        kind = "first values" if block.existence is Existence.FIRST else "values"
        return self._register((kind, 0, self.shape.value_tiles))

    def elements(self, block: CacheBlock) -> int:
        """Return the count field for the positions of a block."""
        if block.existence is Existence.OLD:
            return self._existing(block, BLOCK)
        return self.FIRST_ELEMENTS if block.existence is Existence.FIRST else self.ELEMENTS

    def if_it_exists(self, block: CacheBlock, count: int) -> int | None:
        """Return the count field that is ``count`` if a block exists, and otherwise 0.

        ``None`` if it always does.
        """
        return None if block.existence is Existence.FIRST else self._existing(block, count)

    def _existing(self, block: CacheBlock, count: int) -> int:
        if count > MOST_STEP_COUNT:
            raise CapacityError(
                f"a model with heads of {self.shape.head_size} elements needs a count of {count} "
                f"that depends on the position; the largest one is {MOST_STEP_COUNT}; choose a "
                f"context of at most {BLOCK} positions with --context")
        kind = "old" if block.existence is Existence.OLD else "newest"
        return step_count(self._register((kind, block.number, MOST_STEP_COUNT)), count)

    def _register(self, key: tuple[str, int, int]) -> int:
        register = self.FIRST_COUNT + self._counts.setdefault(key, len(self._counts))
        if register >= STEP_REGISTERS:
            raise CapacityError(
                f"a context of {self.shape.context} positions needs more than the "
                f"{STEP_REGISTERS} step registers on {self.shape.config.name}; choose a shorter "
                "one with --context, or a configuration with more accumulator rows")
        return register

    def values(self, token: int, position: int) -> list[int]:
        """Return the contents of all registers for a text token at a position.

        The registers of old blocks and of the newest one contain the largest limit of a count if
        the block exists, so that the limits in the instructions take effect, and otherwise 0.
        """
        shape = self.shape
        block, inside = divmod(position, BLOCK)
        elements = {"first": min(position + 1, BLOCK), "newest": (inside + 1) * (block > 0)}
        values = [0] * STEP_REGISTERS
        embedding, rotation, table = self._row_bytes
        values[:self.FIRST_COUNT] = (
            0, token * embedding, position * rotation, position * table,
            shape.key_offset(position), shape.value_offset(position), 2 * position,
            block * shape.key_block_bytes, block * shape.value_block_bytes, 2 * BLOCK * block,
            elements["newest"], elements["first"])
        for (kind, first, number), index in self._counts.items():
            values[self.FIRST_COUNT + index] = number * {
                "old": first < block, "newest": block > 0}[kind] if kind in ("old", "newest") \
                else min(max(self._tiles(kind, elements) - first, 0), number)
        return values

    def _tiles(self, kind: str, elements: dict[str, int]) -> int:
        """Return the tiles that a count of tiles refers to."""
        of_first, config = kind.startswith("first"), self.shape.config
        return ceil_div(elements["first" if of_first else "newest"],
                        config.cols if kind.endswith("keys") else config.rows)

    def as_dict(self) -> dict[str, Any]:
        """Return everything that determines the contents of the registers, as plain data."""
        return {"head_size": self.shape.head_size, "context": self.shape.context,
                "row_bytes": list(self._row_bytes), "counts": [list(key) for key in self._counts]}

    @classmethod
    def from_object(cls, config: Config, stored: Object) -> "StepRegisters":
        """Return the registers that :meth:`as_dict` describes.

        Raises
        ------
        ModelError
            If a member is missing or out of range.
        """
        shape = CacheShape(config, stored.integer("head_size", 1, _LARGEST),
                           stored.integer("context", 1, _LARGEST))
        row_bytes, counts = stored.array("row_bytes"), stored.array("counts")
        if len(row_bytes) != 3 or not all(_is_size(size) for size in row_bytes):
            raise stored.wrong("row_bytes", "three sizes")
        found = cls(shape, *row_bytes)
        for number, key in enumerate(counts):
            if not (isinstance(key, list) and len(key) == 3 and key[0] in _COUNTS
                    and _is_size(key[1]) and _is_size(key[2])
                    and number < STEP_REGISTERS - cls.FIRST_COUNT):
                raise stored.wrong("counts", "a list of counts")
            found._counts.setdefault((key[0], key[1], key[2]), number)
        if len(found._counts) != len(counts):
            raise stored.wrong("counts", "a list of different counts")
        return found


def _is_size(value: object) -> bool:
    return type(value) is int and 0 <= value <= _LARGEST
