"""Conversion of weights, and 4-bit codes."""

import gguf
import numpy as np
import pytest

from support.language_models.gguf_files import QUANTISED, random_blocks
from support.seeds import seed
from weft_host.compiler.frontend.llm.weight_tensor import TYPES, WeightTensor, row_bytes
from weft_host.compiler.verdict import ModelError


def tensor(kind, rows=24, columns=512, **more):
    data = random_blocks(kind, rows, columns, np.random.default_rng(seed(41)))
    return WeightTensor(name="t", kind=kind, shape=(rows, columns), data=data, **more)


def decode_4_bits(data, columns):
    """Decode Q4_0 and Q4_1 as ``dequantize_row_q4_0`` and ``_q4_1`` of ggml do."""
    size = len(data) * 32 // columns
    out = []
    for at in range(0, len(data), size):
        block = bytes(data[at:at + size])
        d = float(np.frombuffer(block[:2], "<f2")[0])
        m = float(np.frombuffer(block[2:4], "<f2")[0]) if size == 20 else -8 * d
        codes = block[size - 16:]
        out += [d * (byte & 15) + m for byte in codes] + [d * (byte >> 4) + m for byte in codes]
    return out


@pytest.mark.parametrize("kind", QUANTISED)
def test_values_are_those_of_the_package_gguf(kind):
    found = tensor(kind)
    expected = gguf.dequantize(found.data, gguf.GGMLQuantizationType[kind])
    values = found.values()
    assert values.dtype == np.float32 and values.shape == (24, 512)
    assert (values == expected).all() and np.abs(values).max() > 0


@pytest.mark.parametrize("kind", ["Q4_0", "Q4_1"])
def test_codes_scales_and_offsets_give_the_values(kind):
    found = tensor(kind, columns=64)
    codes = found.codes()
    assert found.has_codes and codes.q.shape == (24, 2, 32) and codes.d.shape == (24, 2)
    assert codes.q.dtype == np.uint8 and codes.q.max() == 15 and (codes.d < 0).any()
    product = codes.d[..., None] * codes.q + codes.m[..., None]
    assert (product.reshape(24, 64) == found.values()).all()
    by_element = [decode_4_bits(row, 64) for row in found.data]
    assert (np.float32(by_element) == found.values()).all()


@pytest.mark.parametrize("kind", sorted(set(TYPES) - {"Q4_0", "Q4_1"}))
def test_other_types_have_no_codes(kind):
    found = WeightTensor(name="t", kind=kind, shape=(1, 256), data=np.zeros((1, 1), np.uint8))
    with pytest.raises(ValueError, match=f"^Tensor 't' of type {kind} has no 4-bit codes; only "
                       "Q4_0 and Q4_1 have$"):
        found.codes()
    assert not found.has_codes


@pytest.mark.parametrize("kind", ["F32", "F16", "BF16"])
def test_floats_are_read_from_odd_addresses(kind):
    values = np.float32([[1.5, -2.25, 0.0], [1e-3, 3.0, -128.0]])
    size = row_bytes(kind, 3)
    raw = {"F32": values, "F16": values.astype(np.float16),
           "BF16": (values.view(np.uint32) >> 16).astype(np.uint16)}[kind].tobytes()
    data = np.frombuffer(b"x" + raw, np.uint8)[1:].reshape(2, size)
    expected = (values if kind == "F32" else values.astype(np.float16).astype(np.float32)
                if kind == "F16" else (values.view(np.uint32) >> 16 << 16).view(np.float32))
    found = WeightTensor(name="t", kind=kind, shape=(2, 3), data=data)
    assert (found.values() == expected).all()
    turned = WeightTensor(name="t", kind=kind, shape=(3, 2), data=data, transposed=True)
    assert (turned.values() == expected.T).all()
    assert turned.values().flags.c_contiguous
    assert (turned.rows(1, 3).values() == expected.T[1:3]).all()


@pytest.mark.parametrize("kind", ["Q4_1", "Q6_K"])
def test_a_range_of_rows_is_read_alone(kind):
    found = tensor(kind)
    part = found.rows(5, 7)
    assert part.shape == (2, 512) and part.data.base is not None
    assert (part.values() == found.values()[5:7]).all()


def test_a_range_of_a_vector_is_read_alone():
    values = np.arange(6, dtype=np.float32)
    found = WeightTensor(name="t", kind="F32", shape=(6,), data=values.view(np.uint8)[None])
    assert found.rows(2, 5).values().tolist() == [2, 3, 4] and found.values().shape == (6,)


def test_large_tensors_are_converted_in_parts(monkeypatch):
    from weft_host.compiler.frontend.llm import weight_tensor
    found = tensor("Q4_0", rows=7)
    whole = found.values()
    monkeypatch.setattr(weight_tensor, "_ELEMENTS_AT_ONCE", 1024)
    assert (found.values() == whole).all()


@pytest.mark.parametrize("kind, offset", [
    (kind, offset) for kind, offsets in QUANTISED.items() for offset in offsets])
@pytest.mark.parametrize("bits", [0x7C00, 0xFC00, 0x7E01])
def test_a_scale_that_is_not_finite_is_refused(kind, offset, bits):
    found = tensor(kind, source="m.gguf")
    block, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[kind]]
    found.data[9, size + offset:size + offset + 2] = [bits & 255, bits >> 8]
    message = ("^m.gguf is damaged: row 9 of tensor 't' has an element that is not finite; obtain "
               "the file again$")
    with pytest.raises(ModelError, match=message):
        found.values()
    if found.has_codes:
        with pytest.raises(ModelError, match="^m.gguf is damaged: tensor 't' has a block scale "
                           "that is not finite; obtain the file again$"):
            found.codes()
