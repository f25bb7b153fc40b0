"""Input arrays from .npz files, and messages about files that are none."""

import re
import zipfile

import numpy as np
import pytest

from weft_host import InputError, Program, Tensor
from weft_host.cli.input_arrays import read_inputs

PROGRAM = Program(config="tiny", memory_bytes=4096, instructions=bytes(32),
                  inputs=[Tensor(name="x", shape=(2, 3), offset=1024)])
ARRAY = np.arange(6, dtype=np.int8).reshape(2, 3)


def header(text):
    return b"\x93NUMPY\x01\x00v\x00" + text.encode().ljust(117) + b"\n"


def test_reads_the_arrays_of_a_program(tmp_path):
    np.savez(tmp_path / "a.npz", in0=ARRAY, other=np.array([{}], object))
    np.savez_compressed(tmp_path / "b.npz", in0=ARRAY)
    for name in ("a.npz", "b.npz"):
        array, = read_inputs(tmp_path / name, PROGRAM)
        assert array.dtype == np.int8 and (array == ARRAY).all()


@pytest.mark.parametrize("content, message", [
    (b"", "is not an .npz file; it is empty"),
    (b"# Weft\n", "is not an .npz file; numpy.savez writes such files"),
    (b"\x93NUMPY", "is not an .npz file; numpy.savez writes such files"),
    (b"PK\x03\x04" + bytes(60),
     "cannot be read as an .npz file: it is damaged or truncated (File is not a zip file)"),
    ({}, "has no array in0; it has none"),
    ({"a": ARRAY}, "has no array in0; it has a"),
    ({"in0": np.array([{}], object)},
     "the array in0 cannot be read: it contains Python objects, not numbers"),
    ({"in0": ARRAY.astype(np.float32)}, "input 'x' has dtype float32; the program needs int8"),
    ({"in0": ARRAY[:1]}, "input 'x' has shape (1, 3); the program needs (2, 3)"),
    ({"in0": b"text"}, "the array in0 cannot be read: "),
    ({"in0": header("{'descr': ((((")}, "the array in0 cannot be read: "),
    ({"in0": header("{'descr': '|i1', 'fortran_order': False, 'shape': (2, 3)}")},
     "the array in0 cannot be read: "),
    ({"in0": header("{'descr': '|i1', 'fortran_order': False, 'shape': (9999999999999, 3)}")},
     "the array in0 cannot be read: "),
])
def test_a_wrong_file_is_named_with_the_reason(tmp_path, content, message):
    path = tmp_path / "x.npz"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif any(isinstance(value, bytes) for value in content.values()):
        with zipfile.ZipFile(path, "w") as archive:
            for key, value in content.items():
                archive.writestr(f"{key}.npy", value)
    else:
        np.savez(path, **content)
    with pytest.raises(InputError) as caught:
        read_inputs(path, PROGRAM)
    assert re.fullmatch(rf"{re.escape(str(path))}:? {re.escape(message)}.*", str(caught.value),
                        re.DOTALL)
    assert "pickle" not in str(caught.value)


def test_a_file_damaged_or_cut_anywhere_is_an_input_error(tmp_path):
    path = tmp_path / "x.npz"
    np.savez_compressed(path, in0=ARRAY)
    raw, rejected = path.read_bytes(), 0
    for position in range(len(raw)):
        damaged = bytearray(raw)
        damaged[position] ^= 0xFF
        for content in (bytes(damaged), raw[:position]):
            path.write_bytes(content)
            try:
                read_inputs(path, PROGRAM)
            except InputError:
                rejected += 1
    assert rejected > len(raw)
