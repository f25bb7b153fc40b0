"""What VECTOR computes byte by byte: unary functions, ADD, SUB, MUL, and SOFTMAX."""

import dataclasses

import numpy as np

from weft.spec.isa import Mode

__all__ = ["Elementwise", "RowSoftmax"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Elementwise:
    """``table_a[a]``, ``table_a[a] + table_b[b]`` or their product, requantised.

    Attributes
    ----------
    sources : tuple of :class:`int`
        Tensors: operand a, and b unless it is a constant or there is none.
    target : :class:`int`
        The tensor that is made.
    shape : (height, width, channels)
        Of output and operands alike.
    op : :class:`int`
        0 for one operand, 1 for the sum, 2 for the product.
    tables : tuple of int32 arrays (256,)
        One for each operand; entry ``i`` stands for byte ``i - 128``.
    constant : int8 array (height or 1, width * channels) or :class:`None`
        Operand b; one row serves all.
    mode, multiplier, shift, zero_point, clamp_min, clamp_max
        The requantiser.
    """

    name: str
    index: int
    sources: tuple[int, ...]
    target: int
    shape: tuple[int, int, int]
    op: int = 0
    tables: tuple[np.ndarray, ...]
    constant: np.ndarray | None = None
    mode: Mode = Mode.TFL2
    multiplier: int
    shift: int
    zero_point: int = 0
    clamp_min: int = -128
    clamp_max: int = 127

    def describe(self):
        """The operation in a few words, for reports."""
        what = ("table", "sum", "product")[self.op]
        return f"{what}, {'x'.join(map(str, self.shape))}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class RowSoftmax:
    """SOFTMAX of ``rows`` rows of ``size`` bytes; ``table`` holds the exponentials."""

    name: str
    index: int
    sources: tuple[int, ...]
    target: int
    rows: int
    size: int
    table: np.ndarray

    def describe(self):
        """The operation in a few words, for reports."""
        return f"softmax, {self.rows} x {self.size}"
