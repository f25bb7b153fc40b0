"""Typed access to the metadata of a GGUF file."""

import math
import reprlib
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ...verdict import ModelError
from .gguf_header import MetadataValue

__all__ = ["Metadata"]


class Metadata:
    """Keys of a file with checks of their types and ranges.

    All methods raise :class:`weft_host.ModelError` if the value has another type, is out of range,
    or is missing without a default.

    Parameters
    ----------
    values : dict of :data:`.gguf_header.MetadataValue`
    source : :class:`str`
        Path of the file, for messages.
    """

    def __init__(self, values: Mapping[str, MetadataValue], source: str) -> None:
        self._values, self.source = values, source

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def keys(self) -> list[str]:
        """Return all keys in the order of the file."""
        return list(self._values)

    def _wrong(self, key: str, expected: str) -> ModelError:
        value = self._values.get(key)
        if value is None:
            return ModelError(f"{self.source} lacks the key {key!r}; convert the model again")
        return ModelError(f"{self.source} is damaged: {key!r} is {reprlib.repr(value)} instead of "
                          f"{expected}; obtain the file again")

    def integer(self, key: str, least: int, most: int, default: int | None = None) -> int:
        """Return an integer from ``least`` to ``most``."""
        value = self._values.get(key, default)
        # some writers store one number a layer; all layers are equal here
        if isinstance(value, np.ndarray) and value.dtype.kind in "iu" and len(set(
                value[:1 << 16].tolist())) == 1:
            value = int(value[0])
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self._wrong(key, f"a number from {least} to {most}")
        return value

    def real(self, key: str, least: float, most: float, default: float | None = None) -> float:
        """Return a finite number from ``least`` to ``most``."""
        value = self._values.get(key, default)
        if (isinstance(value, bool) or not isinstance(value, (int, float))
                or not math.isfinite(value) or not least <= value <= most):
            raise self._wrong(key, f"a number from {least:g} to {most:g}")
        return float(value)

    def string(self, key: str, default: str | None = None) -> str:
        """Return a string."""
        value = self._values.get(key, default)
        if not isinstance(value, str):
            raise self._wrong(key, "a string")
        return value

    def boolean(self, key: str, default: bool) -> bool:
        """Return a truth value."""
        value = self._values.get(key, default)
        if not isinstance(value, bool):
            raise self._wrong(key, "a truth value")
        return value

    def strings(self, key: str) -> list[str]:
        """Return an array of strings."""
        value = self._values.get(key)
        if not isinstance(value, list):
            raise self._wrong(key, "an array of strings")
        return value

    def numbers(self, key: str, kinds: str, length: int) -> npt.NDArray[np.generic]:
        """Return an array of ``length`` numbers; ``kinds`` are numpy's letters, as ``"iu"``."""
        value = self._values.get(key)
        if (not isinstance(value, np.ndarray) or value.dtype.kind not in kinds
                or len(value) != length):
            raise self._wrong(key, f"an array of {length} "
                              f"{'integers' if 'i' in kinds else 'numbers'}")
        return value
