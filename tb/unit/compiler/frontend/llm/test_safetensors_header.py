"""Checks of the header of a safetensors file."""

import json
import re

import numpy as np
import pytest
import safetensors.numpy

from support.language_models.hf_folders import save_tensors
from weft_host.compiler.frontend.llm import safetensors_header
from weft_host.compiler.frontend.llm.safetensors_header import read_header
from weft_host.compiler.verdict import ModelError


def build(header, data=64):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(data)


def entry(dtype="F32", shape=(4,), offsets=(0, 16)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def read(data):
    return read_header(np.frombuffer(data, np.uint8), "x.safetensors")


def test_agrees_with_the_package_safetensors(tmp_path):
    rng = np.random.default_rng(5)
    tensors = {"a": rng.normal(size=(3, 5)).astype(np.float32), "b": np.zeros((0, 4), np.float32),
               "c": np.float32([1.5]), "d": rng.integers(0, 9, (2, 2, 2)).astype(np.float32)}
    path = tmp_path / "x.safetensors"
    save_tensors(path, tensors)
    data = path.read_bytes()
    for name, expected in safetensors.numpy.load(data).items():
        found = read(data)[name]
        assert found.kind == "F32" and found.shape == expected.shape
        assert data[found.offset:found.offset + found.size] == expected.tobytes()


def test_metadata_is_no_tensor():
    assert list(read(build({"__metadata__": {"format": "pt"}, "t": entry()}))) == ["t"]


BAD = {
    "length": ((2**63).to_bytes(8, "little") + bytes(8),
               f"x.safetensors is damaged: its header has {2**63} bytes, but at most 8 are "
               "possible; obtain the file again"),
    "not UTF-8": (build(b'{"\xff": 1}'), "x.safetensors is damaged: byte 10 of its header is not "
                  "UTF-8; obtain the file again"),
    "not JSON": (build(b"{"), "x.safetensors is damaged: it is not JSON: Expecting property name "
                 "enclosed in double quotes: line 1 column 2 (char 1); obtain the file again"),
    "list": (build(b"[]"), "x.safetensors is damaged: it holds a list instead of an object; "
             "obtain the file again"),
    "twice": (build(b'{"a": 1, "a": 1}'), "x.safetensors is damaged: the name 'a' occurs twice in "
              "an object; obtain the file again"),
    "no object": (build({"t": 5}), "x.safetensors: 't' is 5 instead of an object; obtain the file "
                  "again"),
    "type": (build({"t": entry("F31")}), "x.safetensors is damaged: tensor 't' has elements of the "
             "unknown type 'F31'; obtain the file again"),
    "negative": (build({"t": entry(shape=(-4,))}), "x.safetensors is damaged: tensor 't' has the "
                 "shape [-4]; a shape has at most 8 sizes from 0 to 2147483648; obtain the file "
                 "again"),
    "truth": (build({"t": entry(shape=(True,))}), "x.safetensors is damaged: tensor 't' has the "
              "shape [True]; a shape has at most 8 sizes from 0 to 2147483648; obtain the file "
              "again"),
    "offsets": (build({"t": entry(offsets=(0,))}), "x.safetensors is damaged: tensor 't' has the "
                "offsets [0] instead of two numbers; obtain the file again"),
    "beyond": (build({"t": entry(offsets=(0, 65))}), "x.safetensors is damaged: tensor 't' is at "
               "bytes 0 to 65 of the data, which has 64 bytes; obtain the file again"),
    "order": (build({"t": entry(offsets=(16, 0))}), "x.safetensors is damaged: tensor 't' is at "
              "bytes 16 to 0 of the data, which has 64 bytes; obtain the file again"),
    "size": (build({"t": entry(shape=(2**31, 2**31))}), "x.safetensors is damaged: tensor 't' of "
             f"shape {(2**31, 2**31)} and type F32 needs {2**64} bytes, but has 16; obtain the "
             "file again"),
    "overlap": (build({"a": entry(), "b": entry(offsets=(12, 28))}), "x.safetensors is damaged: "
                "tensors 'a' and 'b' overlap; obtain the file again"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_wrong_header_is_refused_with_a_sentence(name):
    data, message = BAD[name]
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        read(data)


def test_a_header_beyond_the_limit_is_refused(monkeypatch):
    monkeypatch.setattr(safetensors_header, "LARGEST_HEADER", 10)
    with pytest.raises(ModelError, match="but at most 10 are possible"):
        read(build({"t": entry()}))
