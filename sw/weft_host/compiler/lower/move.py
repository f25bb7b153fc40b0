"""Operators that only move bytes, as boxes: PAD, CONCATENATION, TRANSPOSE, slices, and so on."""

import dataclasses

import numpy as np

__all__ = ["Box", "Move", "boxes_along", "broadcast", "row_major"]


@dataclasses.dataclass(frozen=True)
class Box:
    """Bytes of one tensor to places in another.

    For every index vector below ``counts``, byte ``first + sum(index * steps)`` of input number
    ``slot`` becomes byte ``to + sum(index * pitches)`` of the output. Steps may be zero or less.
    """

    slot: int
    first: int
    to: int
    counts: tuple[int, ...]
    steps: tuple[int, ...]
    pitches: tuple[int, ...]

    def merged(self):
        """The same box with as few dimensions as can be; the last is a run of bytes."""
        dims: list[tuple[int, int, int]] = []
        for count, step, pitch in zip(self.counts, self.steps, self.pitches):
            if count == 1:
                continue
            if dims and dims[-1][1] == count * step and dims[-1][2] == count * pitch:
                dims[-1] = dims[-1][0] * count, step, pitch
            else:
                dims.append((count, step, pitch))
        if not dims or dims[-1][1:] != (1, 1):
            dims.append((1, 1, 1))
        counts, steps, pitches = zip(*dims)
        return dataclasses.replace(self, counts=counts, steps=steps, pitches=pitches)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Move:
    """Every byte of the output is a byte of an input, or ``fill``.

    Attributes
    ----------
    sources : tuple of :class:`int`
        Tensors that boxes read.
    target : :class:`int`
        The tensor that is made, of ``size`` bytes.
    boxes : tuple of :class:`Box`
        What goes where; they do not overlap in the output.
    fill : :class:`int` or :class:`None`
        What lies in the output where no box does; ``None`` if boxes cover it.
    constant : :class:`bytes`
        Input number ``len(sources)``, if a box reads it.
    """

    name: str
    index: int
    sources: tuple[int, ...]
    target: int
    size: int
    boxes: tuple[Box, ...]
    fill: int | None = None
    constant: bytes = b""

    def describe(self):
        """The operation in a few words, for reports."""
        pieces = f"{len(self.boxes)} piece{'s' * (len(self.boxes) != 1)}"
        return f"copy of {self.size} bytes in {pieces}"


def row_major(shape):
    """Bytes from one element to the next, in each dimension, of int8 without gaps."""
    steps, step = [], 1
    for size in reversed(shape):
        steps.append(step)
        step *= size
    return tuple(reversed(steps))


def broadcast(shape, target):
    """Steps of a tensor of ``shape`` that is repeated to the shape ``target``."""
    steps = row_major(shape)
    lead = len(target) - len(shape)
    return (0,) * lead + tuple(0 if size == 1 else step for size, step in zip(shape, steps))


def boxes_along(source, target, axis, picks):
    """Boxes of a tensor whose elements along ``axis`` are those ``picks`` of the source.

    Picks that go up in equal steps, or repeat, become one box.
    """
    steps, pitches = row_major(source), row_major(target)
    picks = np.asarray(picks)
    boxes, at = [], 0
    while at < len(picks):
        count = 1
        step = int(picks[at + 1] - picks[at]) if at + 1 < len(picks) else 0
        while at + count < len(picks) and picks[at + count] - picks[at + count - 1] == step:
            count += 1
        counts = list(target)
        counts[axis] = count
        each = list(steps)
        each[axis] = step * steps[axis]
        boxes.append(Box(0, int(picks[at]) * steps[axis], at * pitches[axis], tuple(counts),
                         tuple(each), tuple(pitches)))
        at += count
    return tuple(boxes)
