"""Order of the elements of queries and keys on the device.

The device rotates neighbouring elements. Tiles of keys hold the elements of each chunk of ``rows``
in reverse order, so keys have it from their projection on. Values keep their order.
"""

import dataclasses

import numpy as np
import numpy.typing as npt

from ..frontend.llm.architecture import Architecture
from .factors import Integers
from .heads import HeadNorm
from .parameters import Attention, rotation_tables
from .quantize import Matrix

__all__ = ["HeadOrder"]


class HeadOrder:
    """Permutation of the elements of heads.

    Parameters
    ----------
    model : :class:`Architecture`
    rows : :class:`int`
        Rows of the array.
    """

    def __init__(self, model: Architecture, rows: int) -> None:
        self._model, self._rows = model, rows
        size = model.head_size
        self._rotated = model.rope.dimensions if model.rope else 0
        order = np.arange(size)
        if model.rope is not None and model.rope.pairs == "halves":
            half = self._rotated // 2
            order[:self._rotated] = np.arange(self._rotated).reshape(2, half).T.reshape(-1)
        self._queries = order
        self._keys = order[self._reversed()]
        self.key_rotation = 4 * size
        """Offset of the rotations of keys in a row of the table, in bytes."""
        self.rotation_bytes = 8 * size if model.rope else 0
        """Bytes of a row of the table of rotations."""

    def _reversed(self) -> Integers:
        """Return the element of a query at each place of a key."""
        size = self._model.head_size
        return np.concatenate([
            np.arange(first, min(first + self._rows, size))[::-1]
            for first in range(0, size, self._rows)])

    def rotated_parts(self, *, keys: bool) -> list[tuple[int, int]]:
        """Return the first place and the number of places of each run of rotated elements."""
        if not keys:
            return [(0, self._rotated)]
        places = np.flatnonzero(self._reversed() < self._rotated)
        runs = np.split(places, np.flatnonzero(np.diff(places) > 1) + 1)
        return [(int(run[0]), len(run)) for run in runs if len(run)]

    def rotation_table(self, model: Architecture, context: int) -> bytes:
        """Return pairs of cosine and sine for queries and for keys, a row for each position."""
        cosines, sines = rotation_tables(model, context)
        table = np.zeros((context, 2, model.head_size), np.int64)
        table[:, 0, :self._rotated:2], table[:, 0, 1:self._rotated:2] = cosines, sines
        # the two elements of a pair are exchanged in keys: the angle has the other sign
        swapped = np.zeros((context, model.head_size), np.int64)
        swapped[:, 1:self._rotated:2], swapped[:, :self._rotated:2] = cosines, -sines
        table[:, 1] = swapped[:, self._reversed()]
        return table.astype("<i4").tobytes()

    def apply(self, attention: Attention) -> Attention:
        """Return the parameters with the outputs of queries and keys in the device's order."""
        return dataclasses.replace(
            attention, q=self._matrix(attention.q, self._queries),
            k=self._matrix(attention.k, self._keys),
            q_norm=_norm(attention.q_norm, self._queries),
            k_norm=_norm(attention.k_norm, self._keys))

    def _matrix(self, matrix: Matrix, order: npt.NDArray[np.int64]) -> Matrix:
        heads = len(matrix.weight) // self._model.head_size
        rows = (np.arange(heads)[:, None] * self._model.head_size + order).reshape(-1)
        return matrix.reordered(rows)


def _norm(norm: HeadNorm | None, order: npt.NDArray[np.int64]) -> HeadNorm | None:
    return norm and dataclasses.replace(norm, gains=norm.gains[order])
