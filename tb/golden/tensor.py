"""Tensor of a ``.tflite`` file, as the golden model reads it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from golden.arrays import AnyArray

__all__ = ["Tensor"]


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """Type, shape, quantisation and, for a constant, value of one tensor.

    The type is a numpy type, or None for a type that no golden operator accepts.
    """

    dtype: type[np.generic] | None
    shape: tuple[int, ...]
    scale: npt.NDArray[np.float32]
    zero_point: npt.NDArray[np.int64]
    value: AnyArray | None
