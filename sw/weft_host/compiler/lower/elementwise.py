"""Operations of VECTOR on bytes of the scratchpad: look-up tables, sums, products, and SOFTMAX."""

import dataclasses

import numpy as np
import numpy.typing as npt

from weft.spec.config import Config
from weft.spec.integers import round_up
from weft.spec.isa import TABLE_BYTES, MapOp, Mode

__all__ = ["Elementwise", "RowSoftmax"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Elementwise:
    """Elementwise operation of VECTOR, with the result requantised to int8.

    The result before the requantisation is ``table_a[a]``, ``table_a[a] + table_b[b]`` or
    ``table_a[a] * table_b[b]`` for the bytes ``a`` and ``b`` of the operands.

    Attributes
    ----------
    name : :class:`str`
        Name for reports and error messages.
    index : :class:`int`
        Index of the operator in the model.
    sources : tuple of :class:`int`
        Tensor indices of operand a and, unless it is a constant or absent, of operand b.
    target : :class:`int`
        Tensor index of the output.
    shape : (height, width, channels)
        Shape of the output and of the operands.
    op : :class:`weft.spec.isa.MapOp`
        Combination of the table entries.
    tables : tuple of int32 arrays (256,)
        One table per operand. Entry ``i`` belongs to the byte ``i - 128``.
    constant : int8 array (height or 1, width * channels) or :class:`None`
        Operand b if it is constant. A single row applies to all rows.
    mode, multiplier, shift, zero_point, clamp_min, clamp_max
        Parameters of the requantiser.
    """

    name: str
    index: int
    sources: tuple[int, ...]
    target: int
    shape: tuple[int, int, int]
    op: MapOp = MapOp.A
    tables: tuple[npt.NDArray[np.int32], ...]
    constant: npt.NDArray[np.int8] | None = None
    mode: Mode = Mode.TFL2
    multiplier: int
    shift: int
    zero_point: int = 0
    clamp_min: int = -128
    clamp_max: int = 127

    @property
    def has_constant_rows(self) -> bool:
        """True if operand b is constant and differs from row to row."""
        return self.constant is not None and len(self.constant) > 1

    def describe(self) -> str:
        """Return a short description for reports."""
        kind = {MapOp.A: "table", MapOp.ADD: "sum", MapOp.MULTIPLY: "product"}[self.op]
        return f"{kind}, {'x'.join(map(str, self.shape))}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class RowSoftmax:
    """SOFTMAX of each row of a matrix of bytes.

    Attributes
    ----------
    name : :class:`str`
        Name for reports and error messages.
    index : :class:`int`
        Index of the operator in the model.
    sources : tuple of :class:`int`
        Tensor index of the input.
    target : :class:`int`
        Tensor index of the output.
    rows, size : :class:`int`
        Number of rows, and bytes in a row.
    table : int32 array (256,)
        Exponentials in Q0.31. Entry ``255 - d`` belongs to the distance ``d`` from the row's
        maximum.
    """

    name: str
    index: int
    sources: tuple[int, ...]
    target: int
    rows: int
    size: int
    table: npt.NDArray[np.int32]

    def buffer_bytes(self, config: Config, rows: int) -> int:
        """Return the size of a scratchpad buffer for ``rows`` rows of the input or the output."""
        return round_up(rows * self.size, config.spad_row_bytes)

    def fits(self, config: Config) -> bool:
        """Return whether the table and one row of the input and the output fit the scratchpad."""
        return TABLE_BYTES + 2 * self.buffer_bytes(config, 1) <= config.spad_bytes

    def describe(self) -> str:
        """Return a short description for reports."""
        return f"softmax, {self.rows} x {self.size}"
