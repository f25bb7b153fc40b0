"""Header of a ``.safetensors`` file, checked completely before any data is used.

The package ``safetensors`` has no numpy type for BF16, and this header is a short JSON text; the
tests compare the reader with that package. The format is 8 bytes of length, the JSON, the data.
"""

import dataclasses
import struct

import numpy as np
import numpy.typing as npt

from ...verdict import ModelError
from .bounded_json import Object, parse_json

__all__ = ["StoredTensor", "read_header"]

LARGEST_HEADER = 32 << 20       # bytes; the header of a model with 100,000 tensors has 10 MiB
LARGEST_DIMENSION = 1 << 31
MOST_DIMENSIONS = 8
_BITS = {"BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "U16": 16, "I16": 16, "F16": 16,
         "BF16": 16, "U32": 32, "I32": 32, "F32": 32, "U64": 64, "I64": 64, "F64": 64}


@dataclasses.dataclass(frozen=True, kw_only=True)
class StoredTensor:
    """Tensor of a file.

    Attributes
    ----------
    kind : :class:`str`
        Name of the type of the elements.
    shape : tuple of :class:`int`
    offset, size : :class:`int`
        First byte in the file, and number of bytes.
    """

    kind: str
    shape: tuple[int, ...]
    offset: int
    size: int


def read_header(data: npt.NDArray[np.uint8], source: str) -> dict[str, StoredTensor]:
    """Read and check the header of a file.

    Parameters
    ----------
    data : uint8 array, shape ``(bytes,)``
        The mapped file, at least 8 bytes.
    source : :class:`str`
        Its path, for messages.

    Returns
    -------
    dict of :class:`StoredTensor`
        By name. No two tensors overlap.

    Raises
    ------
    ModelError
        If the header contradicts itself or the file's size.
    """
    def damage(problem: str) -> ModelError:
        return ModelError(f"{source} is damaged: {problem}; obtain the file again")

    length: int = struct.unpack_from("<Q", data.data)[0]
    if length > min(len(data) - 8, LARGEST_HEADER):
        raise damage(f"its header has {length} bytes, but at most "
                     f"{min(len(data) - 8, LARGEST_HEADER)} are possible")
    try:
        text = bytes(data[8:8 + length]).decode()
    except UnicodeDecodeError as error:
        raise damage(f"byte {8 + error.start} of its header is not UTF-8") from None
    parsed = parse_json(text, source)
    start = 8 + length
    found = {name: _tensor(parsed.member(name), name, start, len(data))
             for name in parsed.values if name != "__metadata__"}
    by_offset = sorted((t for t in found.items() if t[1].size), key=lambda item: item[1].offset)
    for (name, before), (other, after) in zip(by_offset, by_offset[1:]):
        if before.offset + before.size > after.offset:
            raise damage(f"tensors {name[:80]!r} and {other[:80]!r} overlap")
    return found


def _tensor(entry: Object, name: str, start: int, end: int) -> StoredTensor:
    """Return one tensor of a header whose data has the bytes ``start`` to ``end - 1``."""
    def damage(problem: str) -> ModelError:
        return ModelError(f"{entry.source} is damaged: tensor {name[:80]!r} {problem}; obtain the "
                          "file again")

    kind, shape, offsets = entry.string("dtype"), entry.array("shape"), entry.array("data_offsets")
    if kind not in _BITS:
        raise damage(f"has elements of the unknown type {kind[:20]!r}")
    if len(shape) > MOST_DIMENSIONS or not all(
            type(size) is int and 0 <= size <= LARGEST_DIMENSION for size in shape):
        raise damage(f"has the shape {str(shape)[:80]}; a shape has at most {MOST_DIMENSIONS} "
                     f"sizes from 0 to {LARGEST_DIMENSION}")
    if len(offsets) != 2 or not all(type(offset) is int for offset in offsets):
        raise damage(f"has the offsets {str(offsets)[:80]} instead of two numbers")
    first, last = offsets
    if not 0 <= first <= last <= end - start:
        raise damage(f"is at bytes {first} to {last} of the data, which has {end - start} bytes")
    elements = 1
    for size in shape:
        elements *= size
    if elements * _BITS[kind] // 8 != last - first:
        raise damage(f"of shape {tuple(shape)} and type {kind} needs "
                     f"{elements * _BITS[kind] // 8} bytes, but has {last - first}")
    return StoredTensor(kind=kind, shape=tuple(shape), offset=start + first, size=last - first)
