"""Weights in a mapped file, converted to float32 on request."""

import dataclasses

import gguf
import numpy as np
import numpy.typing as npt

from ...verdict import ModelError

__all__ = ["BlockCodes", "TYPES", "VECTOR_TYPES", "WeightTensor", "row_bytes"]

TYPES = ("F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1",
         "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K")
"""Supported types of elements, by their names in GGUF."""

VECTOR_TYPES = ("F32", "F16", "BF16")
"""Supported types of the elements of gains and biases."""

_ELEMENTS_AT_ONCE = 1 << 20     # bounds the memory for intermediate results
_FLOAT_SIZES = {"F32": 4, "F16": 2, "BF16": 2}


def row_bytes(kind: str, elements: int) -> int:
    """Return the number of bytes of a row of ``elements`` of a type in :data:`TYPES`."""
    block, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[kind]]
    return elements // block * size


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class BlockCodes:
    """4-bit codes of a tensor. The weights are ``d[..., None] * q + m[..., None]``.

    Attributes
    ----------
    q : uint8 array, shape ``(rows, columns / 32, 32)``
        Codes from 0 to 15.
    d, m : float32 arrays, shape ``(rows, columns / 32)``
        Scale and offset of each block. Q4_0 stores no offset; there, ``m`` is ``-8 * d``.
    """

    q: npt.NDArray[np.uint8]
    d: npt.NDArray[np.float32]
    m: npt.NDArray[np.float32]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class WeightTensor:
    """Matrix or vector in a file. Nothing is read before a method is called.

    Attributes
    ----------
    name : :class:`str`
        Name in the file.
    kind : :class:`str`
        Type of the elements, one of :data:`TYPES`.
    shape : tuple of :class:`int`
        ``(outputs, inputs)`` of a matrix, or ``(elements,)`` of a vector.
    data : uint8 array
        Bytes in the file, ``(rows, bytes of a row)``. The rows are the outputs, or the inputs if
        ``transposed``.
    transposed : :class:`bool`
        Whether the file stores a matrix as ``(inputs, outputs)``.
    source : :class:`str`
        Path of the file.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    data: npt.NDArray[np.uint8]
    transposed: bool = False
    source: str = "the model"

    @property
    def has_codes(self) -> bool:
        """True if the elements are 4-bit codes, which :meth:`codes` returns."""
        return self.kind in ("Q4_0", "Q4_1")

    def rows(self, first: int, last: int) -> "WeightTensor":
        """Return the outputs ``first`` to ``last - 1`` as a tensor, without reading them."""
        if self.transposed or len(self.shape) == 1:
            size = _FLOAT_SIZES[self.kind]
            data = self.data[:, first * size:last * size]
        else:
            data = self.data[first:last]
        return dataclasses.replace(self, shape=(last - first, *self.shape[1:]), data=data)

    def values(self) -> npt.NDArray[np.float32]:
        """Return the elements.

        Returns
        -------
        float32 array, of :attr:`shape`

        Raises
        ------
        ModelError
            If an element is infinite or not a number.
        """
        rows, width = self.data.shape
        out: npt.NDArray[np.float32] = np.empty((rows, self._row_elements()), np.float32)
        step = max(1, _ELEMENTS_AT_ONCE // max(1, out.shape[1]))
        for first in range(0, rows, step):
            with np.errstate(all="ignore"):     # scales that are not finite are reported below
                out[first:first + step] = self._decode(self.data[first:first + step])
            finite = np.isfinite(out[first:first + step]).all(axis=1)
            if not finite.all():
                raise ModelError(
                    f"{self.source} is damaged: row {first + int(finite.argmin())} of tensor "
                    f"{self.name!r} has an element that is not finite; obtain the file again")
        return np.ascontiguousarray(out.T if self.transposed else out).reshape(self.shape)

    def codes(self) -> BlockCodes:
        """Return the 4-bit codes with their scales and offsets.

        Raises
        ------
        ValueError
            If the type has no such codes.
        ModelError
            If a scale or an offset is infinite or not a number.
        """
        if not self.has_codes:
            raise ValueError(f"Tensor {self.name!r} of type {self.kind} has no 4-bit codes; only "
                             "Q4_0 and Q4_1 have")
        head = 2 if self.kind == "Q4_0" else 4
        blocks = self.data.reshape(self.shape[0], self.shape[1] // 32, head + 16)
        scales = np.ascontiguousarray(blocks[..., :head]).view("<f2").astype(np.float32)
        d = scales[..., 0]
        m = d * np.float32(-8) if head == 2 else scales[..., 1]
        if not (np.isfinite(d).all() and np.isfinite(m).all()):
            raise ModelError(f"{self.source} is damaged: tensor {self.name!r} has a block scale "
                             "that is not finite; obtain the file again")
        packed = blocks[..., head:]
        return BlockCodes(q=np.concatenate([packed & 15, packed >> 4], axis=-1),
                          d=np.ascontiguousarray(d), m=np.ascontiguousarray(m))

    def _row_elements(self) -> int:
        return self.shape[0] if self.transposed or len(self.shape) == 1 else self.shape[1]

    def _decode(self, data: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Convert rows of bytes to float32."""
        data = np.ascontiguousarray(data)
        if self.kind == "F32":
            return data.view("<f4")
        if self.kind == "F16":
            return data.view("<f2").astype(np.float32)
        if self.kind == "BF16":
            return (data.view("<u2").astype(np.uint32) << 16).view(np.float32)
        return gguf.dequantize(data, gguf.GGMLQuantizationType[self.kind])
