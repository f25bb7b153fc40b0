"""Arithmetic of the instruction MATMUL in numpy.

Products of two int8 values are summed in float32, which is exact for up to 2^24 / 2^14 products.
"""

import dataclasses
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from weft.spec.config import Config

__all__ = ["Passes", "dense_sums", "depthwise_sums", "ring_sums"]

_EXACT = 1 << 10        # products that a float32 sums without rounding
_BLOCK = 1 << 22        # elements that one numpy operation handles: bounds its memory


@dataclasses.dataclass(frozen=True)
class Passes:
    """Passes of one MATMUL instruction, with the addresses of their vectors and tiles.

    Attributes
    ----------
    config : :class:`weft.spec.config.Config`
    fields : mapping of :class:`str` to :class:`int`
        Fields of the instruction.
    """

    config: Config
    fields: Mapping[str, int]

    @property
    def count(self) -> int:
        """Number of passes: one for each kernel row and chunk."""
        return self.fields["row_count"] * self.fields["chunk_count"]

    @property
    def position_count(self) -> int:
        """Number of positions, which is the number of accumulator rows."""
        return self.fields["y_count"] * self.fields["x_count"]

    @property
    def positions(self) -> npt.NDArray[np.int64]:
        """Byte offsets of the positions from the first vector of a pass."""
        v = self.fields
        y = np.arange(v["y_count"], dtype=np.int64)[:, None] * v["y_pitch"]
        x = np.arange(v["x_count"], dtype=np.int64) * v["x_pitch"]
        return (y + x).reshape(-1)

    @property
    def busy_cycles(self) -> int:
        """Cycles in which the array computes."""
        return self.count * self.fields["y_count"] * (self.fields["x_count"] + self.fields["lead"])

    def blocks(self) -> Iterator[npt.NDArray[np.int64]]:
        """Yield the indices of the passes in blocks whose sums are exact in float32."""
        rows = self.config.rows
        step = max(1, min(_EXACT // rows, _BLOCK // (self.position_count * rows)))
        for first in range(0, self.count, step):
            yield np.arange(first, min(first + step, self.count), dtype=np.int64)

    def starts(self, block: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the address of the first vector of each pass."""
        v = self.fields
        return (v["act_addr"] + block // v["chunk_count"] * v["row_pitch"]
                + block % v["chunk_count"] * v["chunk_pitch"])

    def tiles(self, block: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the index of the tile of each pass."""
        return self.fields["wgt_addr"] + (0 * block if self.fields["hold"] else block)


def _vectors(acts: npt.NDArray[np.int8], starts: npt.NDArray[np.int64],
             positions: npt.NDArray[np.int64], size: int) -> npt.NDArray[np.float32]:
    """Read vectors of ``size`` bytes, as (pass, position, byte)."""
    return acts[starts[:, None, None] + positions[:, None]
                + np.arange(size, dtype=np.int64)].astype(np.float32)


def dense_sums(acts: npt.NDArray[np.int8], passes: Passes, block: npt.NDArray[np.int64],
               tiles: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Multiply vectors with tiles and combine the passes of a block.

    Parameters
    ----------
    acts : int8 array
        The scratchpad.
    passes : :class:`Passes`
    block : int64 array
        Indices of the passes.
    tiles : float32 array of (pass, array row, column)
        Their weights.

    Returns
    -------
    float32 array of (position, column)
    """
    vectors = _vectors(acts, passes.starts(block), passes.positions, passes.config.rows)
    if passes.fields["maximum"]:
        maximum: npt.NDArray[np.float32] = np.matmul(vectors, tiles).max(axis=0)
        return maximum
    return vectors.transpose(1, 0, 2).reshape(passes.position_count, -1) @ \
        tiles.reshape(-1, passes.config.cols)


def depthwise_sums(acts: npt.NDArray[np.int8], passes: Passes, block: npt.NDArray[np.int64],
                   tiles: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Filter each byte of the vectors along x with its own column and combine the passes.

    Columns beyond the bytes of a vector are 0. Parameters and result are those of
    :func:`dense_sums`.
    """
    config, lead = passes.config, passes.fields["lead"]
    lanes = min(config.rows, config.cols)
    sums = np.zeros((len(block), passes.position_count, config.cols), np.float32)
    for tap in range(lead + 1):
        vectors = _vectors(acts, passes.starts(block) + tap * passes.fields["x_pitch"],
                           passes.positions, lanes)
        sums[..., :lanes] += vectors * tiles[:, lead - tap, None, :lanes]
    combined: npt.NDArray[np.float32] = \
        sums.max(axis=0) if passes.fields["maximum"] else sums.sum(axis=0)
    return combined


def ring_sums(acts: npt.NDArray[np.int8], tiles: npt.NDArray[np.int8], config: Config,
              v: Mapping[str, int]) -> npt.NDArray[np.int64]:
    """Return the sums of each kernel row of a MATMUL_RING, ``(kernel row, position, column)``.

    Parameters
    ----------
    acts : int8 array
        The scratchpad.
    tiles : int8 array
        Bytes of the tiles, one pass after the other.
    config : :class:`weft.spec.config.Config`
    v : mapping of str to int
        Fields of the instruction.
    """
    kernel_rows, chunks, rows = v["row_count"], v["chunk_count"], config.rows
    starts = np.arange(kernel_rows)[:, None, None] * v["row_pitch"] \
        + np.arange(v["x_count"])[:, None] * v["x_pitch"] + np.arange(chunks) * v["chunk_pitch"]
    if not v["row_pitch"]:
        starts = starts[:1]
    vectors = acts[v["act_addr"] + starts[..., None] + np.arange(rows)].astype(np.float32)
    weights = tiles.reshape(kernel_rows, chunks, rows, config.cols)[:, :, ::-1]
    sums = np.zeros((kernel_rows, v["x_count"], config.cols), np.int64)
    step = max(1, _EXACT // rows)
    for first in range(0, chunks, step):
        part = slice(first, first + step)
        size = weights[:, part].shape[1] * rows
        sums += np.matmul(
            vectors[:, :, part].reshape(len(vectors), v["x_count"], size),
            weights[:, part].astype(np.float32).reshape(kernel_rows, size, config.cols)
        ).astype(np.int64)
    return sums
