"""Types of arrays and parameters in the golden model."""

import typing
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["AnyArray", "Bytes", "Int32", "Integers", "Pair", "Scale", "Scales", "Values"]

AnyArray: typing.TypeAlias = npt.NDArray[typing.Any]
"""Array of any type."""

Bytes: typing.TypeAlias = npt.NDArray[np.int8]
"""Tensor of int8."""

Int32: typing.TypeAlias = npt.NDArray[np.int32]
"""Tensor of int32, such as a bias."""

Values: typing.TypeAlias = npt.NDArray[np.int64]
"""Values of int32 or int16 arithmetic; int64 keeps intermediate results from overflowing."""

Scale: typing.TypeAlias = float | np.floating[typing.Any]
"""Scale of a tensor."""

Scales: typing.TypeAlias = Scale | npt.NDArray[np.floating[typing.Any]]
"""Scale of a tensor, or one scale for each channel."""

Integers: typing.TypeAlias = Sequence[int] | AnyArray
"""Integers from the options of an operator or from a constant."""

Pair: typing.TypeAlias = tuple[int, int]
"""A vertical and a horizontal number."""
