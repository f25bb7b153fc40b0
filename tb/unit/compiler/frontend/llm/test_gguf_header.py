"""Checks of the header of a GGUF file, on headers written byte by byte."""

import re
import struct

import numpy as np
import pytest

from weft_host.compiler.frontend.llm import gguf_header
from weft_host.compiler.frontend.llm.gguf_header import read_header
from weft_host.compiler.verdict import ModelError

U8, I8, U32, F32, BOOL, STRING, ARRAY, U64 = 0, 1, 4, 6, 7, 8, 9, 10
TYPE_F32, TYPE_F16, TYPE_Q4_0, TYPE_Q4_K = 0, 1, 2, 12


def u32(value):
    return struct.pack("<I", value)


def u64(value):
    return struct.pack("<Q", value)


def text(value):
    data = value.encode() if isinstance(value, str) else value
    return u64(len(data)) + data


def key(name, kind, value):
    return text(name) + u32(kind) + value


def tensor(name="t", dims=(4,), kind=TYPE_F32, offset=0):
    return (text(name) + u32(len(dims)) + b"".join(map(u64, dims)) + u32(kind) + u64(offset))


def build(keys=(), tensors=(), data=64, version=3, counts=None):
    """Return a file; ``counts`` replaces the numbers of tensors and keys."""
    counted = counts or (len(tensors), len(keys))
    header = b"GGUF" + u32(version) + u64(counted[0]) + u64(counted[1])
    header += b"".join(keys) + b"".join(tensors)
    return header + bytes(-len(header) % 32) + bytes(data)


def read(data):
    return read_header(np.frombuffer(data, np.uint8), "x.gguf")


def test_reads_every_type_of_value():
    header = read(build([
        key("a", U8, b"\xff"), key("b", I8, b"\xff"), key("c", U32, u32(7)),
        key("d", F32, struct.pack("<f", 0.5)), key("e", BOOL, b"\x01"), key("f", STRING, text("é")),
        key("g", ARRAY, u32(STRING) + u64(2) + text("x") + text("")),
        key("h", ARRAY, u32(U32) + u64(3) + u32(1) + u32(2) + u32(3)), key("i", U64, u64(2**63))]))
    array = header.metadata.pop("h")
    assert array.dtype == "<u4" and array.tolist() == [1, 2, 3]
    assert header.metadata == {"a": 255, "b": -1, "c": 7, "d": 0.5, "e": True, "f": "é",
                               "g": ["x", ""], "i": 2**63}
    assert header.metadata["e"] is True and header.tensors == ()


@pytest.mark.parametrize("alignment", [1, 32, 64, 4096])
def test_offsets_count_from_the_aligned_end_of_the_header(alignment):
    data = build([key("general.alignment", U32, u32(alignment))], [tensor(offset=alignment)])
    data += bytes(2 * alignment + 64)
    header = read(data)
    assert header.alignment == alignment and header.data_offset % alignment == 0
    assert header.tensors[0].offset == header.data_offset + alignment


def test_dimensions_are_reversed_and_sizes_follow_from_the_type():
    header = read(build(tensors=[
        tensor("a", (3, 2), TYPE_F16), tensor("b", (64, 5), TYPE_Q4_0, 32),
        tensor("c", (256, 1, 2), TYPE_Q4_K, 224), tensor("d", (5,), 250, 0)], data=1024))
    assert [(t.shape, t.kind, t.size) for t in header.tensors] == [
        ((2, 3), "F16", 12), ((5, 64), "Q4_0", 180), ((2, 1, 256), "Q4_K", 288),
        ((5,), "type 250", 0)]


def test_an_empty_model_of_version_2_is_read():
    assert read(build(version=2)).version == 2


HUGE = 2**64 - 1
ENDING = r" \(header, before byte \d+\); obtain the file again"
BAD = {
    "tensor count": (build(counts=(HUGE, 0)),
                     f"the number of tensors is {HUGE}; at most 4 are possible"),
    "count of a larger file": (build(counts=(1000, 0)),
                               "the number of tensors is 1000; at most 4 are possible"),
    "key count": (build(counts=(0, HUGE)), f"the number of keys is {HUGE}; at most 7 are possible"),
    "key length": (build([u64(HUGE)]), f"a key has {HUGE} bytes; at most 1024 are accepted"),
    "key beyond": (build([u64(1000)]), "a key needs 1000 bytes, but 64 are left"),
    "key twice": (build([key("a", U8, b"\0")] * 2), "the key 'a' occurs twice"),
    "key not UTF-8": (build([key(b"\xff", U8, b"\0")]), r"a key is not UTF-8: b'\xff'"),
    "value type": (build([key("a", 13, b"")]), "'a' has the unknown type 13"),
    "string length": (build([key("a", STRING, u64(HUGE))]),
                      f"the value of 'a' has {HUGE} bytes; at most 1048576 are accepted"),
    "truth value": (build([key("a", BOOL, b"\x02")]),
                    "the value of 'a' has a byte that is neither 0 nor 1"),
    "array type": (build([key("a", ARRAY, u32(99) + u64(1))]),
                   "'a' has elements of the unknown type 99"),
    "array length": (build([key("a", ARRAY, u32(U32) + u64(HUGE))]),
                     f"the array 'a' of {HUGE} elements needs {4 * HUGE} bytes, but 79 are left"),
    "array of arrays": (build([key("a", ARRAY, u32(ARRAY) + u64(1) + u32(ARRAY) + u64(1))]),
                        "'a' is an array of arrays, which no key of a language model is"),
    "strings": (build([key("a", ARRAY, u32(STRING) + u64(HUGE))]),
                f"the array 'a' of {HUGE} elements is too long; at most 2097152 strings are "
                "accepted in all arrays"),
    "strings beyond": (build([key("a", ARRAY, u32(STRING) + u64(1000))]),
                       "the array 'a' of 1000 elements needs 8000 bytes, but 79 are left"),
    "element length": (build([key("a", ARRAY, u32(STRING) + u64(2) + text("x") + u64(HUGE))]),
                       "element 1 of 'a' is longer than the rest of the file, or than a string "
                       "may be"),
    "element beyond": (build([key("a", ARRAY, u32(STRING) + u64(2) + text("x") + u64(1000))]),
                       "element 1 of 'a' is longer than the rest of the file, or than a string "
                       "may be"),
    "element not UTF-8": (build([key("a", ARRAY, u32(STRING) + u64(1) + text(b"\xc3"))]),
                          "element 0 of 'a' is not UTF-8"),
    "alignment": (build([key("general.alignment", U32, u32(24))]),
                  "the alignment is 24 instead of a power of two up to 65536"),
    "alignment 0": (build([key("general.alignment", U32, u32(0))]),
                    "the alignment is 0 instead of a power of two up to 65536"),
    "alignment type": (build([key("general.alignment", STRING, text("32"))]),
                       "the alignment is '32' instead of a power of two up to 65536"),
    "no dimensions": (build(tensors=[tensor(dims=())]),
                      "tensor 't' has 0 dimensions; 1 to 4 are possible"),
    "dimensions": (build(tensors=[tensor(dims=(1,) * 5)]),
                   "tensor 't' has 5 dimensions; 1 to 4 are possible"),
    "dimension": (build(tensors=[tensor(dims=(4, 0))]),
                  "tensor 't' has the dimensions [4, 0]; each is from 1 to 2147483648"),
    "product": (build(tensors=[tensor(dims=(2**31,) * 4)]),
                f"tensor 't' needs bytes 0 to {4 * 2**124} of the data, which has 64 bytes"),
    "offset": (build(tensors=[tensor(offset=2**63)]),
               f"tensor 't' needs bytes {2**63} to {2**63 + 16} of the data, which has 64 bytes"),
    "misaligned": (build(tensors=[tensor(offset=8)]),
                   "tensor 't' is at offset 8, which is not a multiple of 32"),
    "overlap": (build(tensors=[tensor("a", (16,)), tensor("b", (1,), offset=32)]),
                "tensors 'a' and 'b' overlap at offset 32"),
    "same name": (build(tensors=[tensor(), tensor(offset=32)]), "two tensors have the name 't'"),
    "blocks": (build(tensors=[tensor(dims=(33, 2), kind=TYPE_Q4_0)]),
               "tensor 't' has rows of 33 elements, but Q4_0 has blocks of 32"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_wrong_header_is_refused_with_a_sentence(name):
    data, problem = BAD[name]
    with pytest.raises(ModelError) as error:
        read(data)
    assert re.fullmatch(re.escape(f"x.gguf is damaged: {problem}") + ENDING, str(error.value))


@pytest.mark.parametrize("data, message", [
    (b"TFL3" + bytes(60), "x.gguf is not a GGUF file: its first bytes are b'TFL3' instead of "
                          "b'GGUF'"),
    (build(version=1), "x.gguf has version 1 of the GGUF format; supported are the little-endian "
                       "versions 2 and 3: convert the model again"),
    (build(version=0x03000000), "x.gguf has version 50331648 of the GGUF format (it may be in "
                                "big-endian byte order); supported are the little-endian versions "
                                "2 and 3: convert the model again")])
def test_other_formats_are_named(data, message):
    with pytest.raises(ModelError, match=re.escape(message)):
        read(data)


def test_every_truncation_is_detected():
    data = build([key("a", ARRAY, u32(STRING) + u64(2) + text("xy") + text("z")),
                  key("b", F32, struct.pack("<f", 1))], [tensor("t", (32, 2), TYPE_Q4_0)], data=36)
    read(data)
    for length in range(4, len(data)):
        with pytest.raises(ModelError):
            read(data[:length])


def test_a_header_beyond_the_limit_is_refused(monkeypatch):
    monkeypatch.setattr(gguf_header, "LARGEST_HEADER", 100)
    with pytest.raises(ModelError, match="the array 'a' of 100 elements needs 100 bytes, but"):
        read(build([key("a", ARRAY, u32(U8) + u64(100) + bytes(100))], data=1000))
