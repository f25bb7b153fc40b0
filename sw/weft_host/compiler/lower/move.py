"""Data movement: operations whose output consists of bytes of their inputs."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["Move", "StridedCopy", "broadcast_strides", "copies_along", "row_major_strides"]


@dataclasses.dataclass(frozen=True)
class StridedCopy:
    """Multi-dimensional copy of bytes from one tensor to another.

    For every index vector below ``counts``, byte ``source_offset + sum(index * source_strides)`` of
    operand ``operand`` becomes byte ``target_offset + sum(index * target_strides)`` of the output.
    Source strides may be zero or negative.

    Attributes
    ----------
    operand : :class:`int`
        Number of the input.
    source_offset, target_offset : :class:`int`
        First byte of the input and of the output.
    counts : tuple of :class:`int`
        Number of elements in each dimension.
    source_strides, target_strides : tuple of :class:`int`
        Bytes from one element to the next in each dimension.
    """

    operand: int
    source_offset: int
    target_offset: int
    counts: tuple[int, ...]
    source_strides: tuple[int, ...]
    target_strides: tuple[int, ...]

    def merged(self) -> "StridedCopy":
        """Return the same copy with the fewest dimensions.

        The last dimension is a run of consecutive bytes, in the input and in the output.
        """
        dims: list[tuple[int, int, int]] = []
        for count, source, target in zip(self.counts, self.source_strides, self.target_strides):
            if count == 1:
                continue
            if dims and dims[-1][1] == count * source and dims[-1][2] == count * target:
                dims[-1] = dims[-1][0] * count, source, target
            else:
                dims.append((count, source, target))
        if not dims or dims[-1][1:] != (1, 1):
            dims.append((1, 1, 1))
        counts, source_strides, target_strides = zip(*dims)
        return dataclasses.replace(self, counts=counts, source_strides=source_strides,
                                   target_strides=target_strides)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Move:
    """Operation whose output bytes are bytes of its inputs, or a constant value.

    Attributes
    ----------
    name : :class:`str`
        Name for reports and error messages.
    index : :class:`int`
        Index of the operator in the model.
    sources : tuple of :class:`int`
        Tensor indices of the inputs.
    target : :class:`int`
        Tensor index of the output.
    size : :class:`int`
        Bytes of the output.
    copies : tuple of :class:`StridedCopy`
        Copies that make up the output. Their targets do not overlap.
    fill : :class:`int` or :class:`None`
        Value of the output bytes that no copy writes; ``None`` if the copies write all bytes.
    constant : :class:`bytes`
        Constant data. For the copies, it is operand number ``len(sources)``.
    """

    name: str
    index: int
    sources: tuple[int, ...]
    target: int
    size: int
    copies: tuple[StridedCopy, ...]
    fill: int | None = None
    constant: bytes = b""

    def describe(self) -> str:
        """Return a short description for reports."""
        pieces = f"{len(self.copies)} piece{'s' * (len(self.copies) != 1)}"
        return f"copy of {self.size} bytes in {pieces}"


def row_major_strides(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the strides in bytes of a row-major int8 tensor without gaps."""
    strides, stride = [], 1
    for size in reversed(shape):
        strides.append(stride)
        stride *= size
    return tuple(reversed(strides))


def broadcast_strides(shape: Sequence[int], target: Sequence[int]) -> tuple[int, ...]:
    """Return the strides of a tensor of ``shape`` that is repeated to the shape ``target``."""
    strides = row_major_strides(shape)
    lead = len(target) - len(shape)
    return (0,) * lead + tuple(0 if size == 1 else stride
                               for size, stride in zip(shape, strides))


def copies_along(source: Sequence[int], target: Sequence[int], axis: int,
                 picks: npt.NDArray[np.int64]) -> tuple[StridedCopy, ...]:
    """Return the copies for a tensor that consists of selected slices of another.

    Picks with a constant distance, and repeated picks, become one copy.

    Parameters
    ----------
    source, target : sequence of :class:`int`
        Shapes of the input and of the output.
    axis : :class:`int`
        Dimension along which slices are selected.
    picks : array of :class:`int`
        Index into the input of each slice of the output.
    """
    strides, pitches = row_major_strides(source), row_major_strides(target)
    copies, first = [], 0
    while first < len(picks):
        count = 1
        step = int(picks[first + 1] - picks[first]) if first + 1 < len(picks) else 0
        while first + count < len(picks) \
                and picks[first + count] - picks[first + count - 1] == step:
            count += 1
        counts = list(target)
        counts[axis] = count
        source_strides = list(strides)
        source_strides[axis] = step * strides[axis]
        copies.append(StridedCopy(
            operand=0, source_offset=int(picks[first]) * strides[axis],
            target_offset=first * pitches[axis], counts=tuple(counts),
            source_strides=tuple(source_strides), target_strides=pitches))
        first += count
    return tuple(copies)
