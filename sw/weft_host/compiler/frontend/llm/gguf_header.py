"""Header of a GGUF file, checked completely before any data is used.

The format is documented in ``docs/gguf.md`` of ggml. Strings and arrays carry their own lengths;
each is compared with the bytes that the file still has, and with a limit, before memory is taken.
"""

import dataclasses
import struct
import typing

import gguf
import numpy as np
import numpy.typing as npt

from ...verdict import ModelError

__all__ = ["GgufHeader", "MetadataValue", "TensorInfo", "read_header"]

MetadataValue: typing.TypeAlias = (
    bool | int | float | str | list[str] | npt.NDArray[np.generic])
"""Value of a key: a scalar, a string, or an array of one of these."""

VERSIONS = (2, 3)
LARGEST_HEADER = 256 << 20          # bytes
LARGEST_STRING = 1 << 20            # bytes; chat templates are the longest strings
LARGEST_NAME = 1 << 10              # bytes of a key or of a tensor's name
MOST_KEYS, MOST_TENSORS = 1 << 12, 1 << 16
MOST_STRINGS = 1 << 21              # in all arrays together; vocabularies have up to 2^18
MOST_DIMENSIONS = 4
LARGEST_DIMENSION = 1 << 31
LARGEST_ALIGNMENT = 1 << 16

_SCALARS: dict[int, tuple[str, str]] = {
    0: ("<u1", "UINT8"), 1: ("<i1", "INT8"), 2: ("<u2", "UINT16"), 3: ("<i2", "INT16"),
    4: ("<u4", "UINT32"), 5: ("<i4", "INT32"), 6: ("<f4", "FLOAT32"), 7: ("|b1", "BOOL"),
    10: ("<u8", "UINT64"), 11: ("<i8", "INT64"), 12: ("<f8", "FLOAT64")}
_BOOL, _STRING, _ARRAY = 7, 8, 9
_U32, _U64 = struct.Struct("<I"), struct.Struct("<Q")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TensorInfo:
    """Tensor of a GGUF file.

    Attributes
    ----------
    name : :class:`str`
    kind : :class:`str`
        Name of the type of the elements, or ``type N`` if ``gguf`` does not know it.
    shape : tuple of :class:`int`
        Numbers of elements, the slowest dimension first.
    offset : :class:`int`
        First byte in the file.
    size : :class:`int`
        Bytes in the file; 0 if the type is not known.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    offset: int
    size: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class GgufHeader:
    """Metadata and tensors of a GGUF file.

    Attributes
    ----------
    version, alignment, data_offset : :class:`int`
        Version of the format; alignment of tensors and first byte of their data, in bytes.
    metadata : dict of :data:`MetadataValue`
    tensors : tuple of :class:`TensorInfo`
        In the order of the file. No two of them overlap.
    """

    version: int
    alignment: int
    data_offset: int
    metadata: dict[str, MetadataValue]
    tensors: tuple[TensorInfo, ...]


def read_header(data: npt.NDArray[np.uint8], source: str) -> GgufHeader:
    """Read and check the header of a file.

    Parameters
    ----------
    data : uint8 array, shape ``(bytes,)``
        The mapped file.
    source : :class:`str`
        Its path, for messages.

    Raises
    ------
    ModelError
        If the file is not GGUF, or if its header contradicts itself or the file's size.
    """
    reader = _HeaderReader(data, source)
    if bytes(data[:4]) != b"GGUF":
        raise ModelError(f"{source} is not a GGUF file: its first bytes are {bytes(data[:4])!r} "
                         "instead of b'GGUF'")
    reader.at = 4
    version = reader.u32("the version")
    if version not in VERSIONS:
        big = " (it may be in big-endian byte order)" if version & 0xFFFF == 0 and version else ""
        raise ModelError(f"{source} has version {version} of the GGUF format{big}; supported are "
                         "the little-endian versions 2 and 3: convert the model again")
    tensors = reader.count("the number of tensors", MOST_TENSORS, 24)
    keys = reader.count("the number of keys", MOST_KEYS, 13)
    metadata: dict[str, MetadataValue] = {}
    for _ in range(keys):
        key = reader.string("a key", LARGEST_NAME)
        if key in metadata:
            raise reader.damage(f"the key {key!r} occurs twice")
        metadata[key] = reader.value(key)
    alignment = metadata.get("general.alignment", 32)
    if (isinstance(alignment, bool) or not isinstance(alignment, int)
            or not 0 < alignment <= LARGEST_ALIGNMENT or alignment & (alignment - 1)):
        raise reader.damage(f"the alignment is {alignment!r} instead of a power of two up to "
                            f"{LARGEST_ALIGNMENT}")
    infos = [reader.tensor() for _ in range(tensors)]
    start = -(-reader.at // alignment) * alignment
    return GgufHeader(version=version, alignment=alignment, data_offset=start, metadata=metadata,
                      tensors=_placed(infos, start, alignment, reader))


def _placed(infos: list[TensorInfo], start: int, alignment: int,
            reader: "_HeaderReader") -> tuple[TensorInfo, ...]:
    """Return the tensors with offsets in the file, after checking that they are disjoint."""
    names: set[str] = set()
    for info in infos:
        if info.name in names:
            raise reader.damage(f"two tensors have the name {info.name!r}")
        names.add(info.name)
        if info.offset % alignment:
            raise reader.damage(f"tensor {info.name!r} is at offset {info.offset}, which is not a "
                                f"multiple of {alignment}")
        if info.offset + info.size > reader.size - start:
            raise reader.damage(
                f"tensor {info.name!r} needs bytes {info.offset} to {info.offset + info.size} of "
                f"the data, which has {max(0, reader.size - start)} bytes")
    by_offset = sorted((info for info in infos if info.size), key=lambda info: info.offset)
    for before, after in zip(by_offset, by_offset[1:]):
        if before.offset + before.size > after.offset:
            raise reader.damage(f"tensors {before.name!r} and {after.name!r} overlap at offset "
                                f"{after.offset}")
    return tuple(dataclasses.replace(info, offset=start + info.offset) for info in infos)


class _HeaderReader:
    """Position in a header; every method checks the bytes that it is about to read."""

    def __init__(self, data: npt.NDArray[np.uint8], source: str) -> None:
        self.size = len(data)
        self.at = 0
        self._data = data.data
        self._source = source
        self._limit = min(self.size, LARGEST_HEADER)
        self._strings = 0

    def damage(self, problem: str) -> ModelError:
        return ModelError(f"{self._source} is damaged: {problem} (header, before byte {self.at}); "
                          "obtain the file again")

    def _need(self, count: int, what: str) -> None:
        if count > self._limit - self.at:
            raise self.damage(f"{what} needs {count} bytes, but {self._limit - self.at} are left")

    def u32(self, what: str) -> int:
        self._need(4, what)
        value: int = _U32.unpack_from(self._data, self.at)[0]
        self.at += 4
        return value

    def u64(self, what: str) -> int:
        self._need(8, what)
        value: int = _U64.unpack_from(self._data, self.at)[0]
        self.at += 8
        return value

    def count(self, what: str, most: int, smallest: int) -> int:
        """Return a count of items that take at least ``smallest`` bytes each."""
        value = self.u64(what)
        if value > most or value * smallest > self.size:
            raise self.damage(f"{what} is {value}; at most {min(most, self.size // smallest)} are "
                              "possible")
        return value

    def string(self, what: str, longest: int = LARGEST_STRING) -> str:
        length = self.u64(f"the length of {what}")
        if length > longest:
            raise self.damage(f"{what} has {length} bytes; at most {longest} are accepted")
        self._need(length, what)
        raw = bytes(self._data[self.at:self.at + length])
        self.at += length
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise self.damage(f"{what} is not UTF-8: {raw[:40]!r}") from None

    def value(self, key: str) -> MetadataValue:
        kind = self.u32(f"the type of {key!r}")
        if kind == _STRING:
            return self.string(f"the value of {key!r}")
        if kind == _ARRAY:
            return self._array(key)
        if kind not in _SCALARS:
            raise self.damage(f"{key!r} has the unknown type {kind}")
        item = self._scalars(kind, 1, f"the value of {key!r}")[0].item()
        return typing.cast(MetadataValue, item)

    def _array(self, key: str) -> MetadataValue:
        kind = self.u32(f"the type of the elements of {key!r}")
        length = self.u64(f"the length of {key!r}")
        what = f"the array {key!r} of {length} elements"
        if kind == _STRING:
            self._strings += length
            if self._strings > MOST_STRINGS:
                raise self.damage(f"{what} is too long; at most {MOST_STRINGS} strings are "
                                  "accepted in all arrays")
            self._need(8 * length, what)
            return self._array_of_strings(key, length)
        if kind == _ARRAY:
            raise self.damage(f"{key!r} is an array of arrays, which no key of a language model is")
        if kind not in _SCALARS:
            raise self.damage(f"{key!r} has elements of the unknown type {kind}")
        return self._scalars(kind, length, what)

    def _array_of_strings(self, key: str, length: int) -> list[str]:
        """Read strings as :meth:`string` does, without a call for each of a hundred thousand."""
        found = []
        at, data, limit, unpack = self.at, self._data, self._limit, _U64.unpack_from
        try:
            for _ in range(length):
                size: int = unpack(data, at)[0]
                at += 8
                if size > LARGEST_STRING or size > limit - at:
                    raise struct.error
                found.append(str(data[at:at + size], "utf-8"))
                at += size
        except struct.error:
            self.at = min(at, limit)
            raise self.damage(f"element {len(found)} of {key!r} is longer than the rest of the "
                              "file, or than a string may be") from None
        except UnicodeDecodeError:
            self.at = at
            raise self.damage(f"element {len(found)} of {key!r} is not UTF-8") from None
        self.at = at
        return found

    def _scalars(self, kind: int, length: int, what: str) -> npt.NDArray[np.generic]:
        dtype = np.dtype(_SCALARS[kind][0])
        self._need(dtype.itemsize * length, what)
        raw = np.frombuffer(self._data, np.uint8, dtype.itemsize * length, self.at)
        self.at += len(raw)
        if kind == _BOOL and (raw > 1).any():
            raise self.damage(f"{what} has a byte that is neither 0 nor 1")
        return raw.copy().view(dtype)

    def tensor(self) -> TensorInfo:
        name = self.string("the name of a tensor", LARGEST_NAME)
        dimensions = self.u32(f"the number of dimensions of {name!r}")
        if not 1 <= dimensions <= MOST_DIMENSIONS:
            raise self.damage(f"tensor {name!r} has {dimensions} dimensions; 1 to "
                              f"{MOST_DIMENSIONS} are possible")
        sizes = [self.u64(f"a dimension of {name!r}") for _ in range(dimensions)]
        if any(not 0 < size <= LARGEST_DIMENSION for size in sizes):
            raise self.damage(f"tensor {name!r} has the dimensions {sizes}; each is from 1 to "
                              f"{LARGEST_DIMENSION}")
        number = self.u32(f"the type of {name!r}")
        offset = self.u64(f"the offset of {name!r}")
        try:
            kind = gguf.GGMLQuantizationType(number)
        except ValueError:
            return TensorInfo(name=name, kind=f"type {number}", shape=tuple(sizes[::-1]),
                              offset=offset, size=0)
        block, block_bytes = gguf.GGML_QUANT_SIZES[kind]
        if sizes[0] % block:
            raise self.damage(f"tensor {name!r} has rows of {sizes[0]} elements, but {kind.name} "
                              f"has blocks of {block}")
        elements = 1
        for size in sizes:
            elements *= size
        return TensorInfo(name=name, kind=kind.name, shape=tuple(sizes[::-1]), offset=offset,
                          size=elements // block * block_bytes)
