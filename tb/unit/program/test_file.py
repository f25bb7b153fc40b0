"""Program file: saved programs load unchanged, and every other file is rejected."""

import subprocess
import sys
import zlib

import numpy as np
import pytest

from support.programs import random_program
from support.seeds import seed
from weft.spec import isa
from weft.spec.presets import preset
from weft_host.errors import ProgramError
from weft_host.program.file import FORMAT_VERSION, MAGIC, Program
from weft_host.program.tensor import HostStep, Tensor, Window

CONFIG = preset("tiny")


def small_program(**changes):
    parts = dict(
        config=CONFIG, instructions=isa.encode("SYNC_LOAD") * 3, memory_bytes=4096,
        image=((256, b"constants"), (512, bytes(range(256)))),
        inputs=(Tensor(name="x", shape=(2, 3), offset=1024, scale=0.5, zero_point=-3,
                       tensor_id=7),),
        outputs=(Tensor(name="y", shape=(4,), dtype="int32", offset=2048),),
        tensors=(Tensor(name="p", shape=(4,), offset=None),),
        windows=(Window(0, 1024), Window(1024, 3072, True, True)),
        host_steps=(HostStep(kind="SOFTMAX", inputs=("x",), outputs=("p",),
                             parameters={"beta": 1.0}),),
        meta={"macs": 12, "layers": [{"name": "a", "first": 0, "last": 2}]})
    return Program(**(parts | changes))


def test_a_saved_program_loads_unchanged(tmp_path):
    for program in (small_program(), random_program(CONFIG, seed(1))):
        program.save(tmp_path / "a.weft")
        assert Program.load(tmp_path / "a.weft") == program
    assert [path.name for path in tmp_path.iterdir()] == ["a.weft"], "temporary files are left"


def test_the_same_program_gives_the_same_bytes():
    assert small_program().to_bytes() == small_program().to_bytes()


def test_every_truncation_is_rejected():
    raw = small_program().to_bytes()
    for size in range(len(raw)):
        with pytest.raises(ProgramError, match="is truncated|is not a Weft program"):
            Program.from_bytes(raw[:size])
    with pytest.raises(ProgramError, match="^program has bytes after its end: "
                                           f"{len(raw) + 1} bytes instead of {len(raw)}$"):
        Program.from_bytes(raw + b"\0")


def test_every_damaged_byte_is_detected():
    raw = small_program().to_bytes()
    for index in range(len(raw)):
        damaged = bytearray(raw)
        damaged[index] ^= 0x10
        with pytest.raises(ProgramError):
            Program.from_bytes(bytes(damaged))


def test_other_file_types_and_newer_versions_are_rejected_with_advice(tmp_path):
    with pytest.raises(ProgramError, match="^program is not a Weft program: it does not start with "
                                           "WEFTPROG; make one with 'weft compile'$"):
        Program.from_bytes(b"TFL3 something else, long enough to be a file")
    raw = bytearray(small_program().to_bytes())
    raw[len(MAGIC)] = FORMAT_VERSION + 1
    with pytest.raises(ProgramError, match=f"^program has format version {FORMAT_VERSION + 1}; "
                                           f"this release reads {FORMAT_VERSION}; compile the "
                                           "model again$"):
        Program.from_bytes(bytes(raw))
    with pytest.raises(ProgramError, match=r"nowhere\.weft cannot be read: No such file or "
                                           "directory$"):
        Program.load(tmp_path / "nowhere.weft")


def test_a_failed_save_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.weft"
    path.write_bytes(b"old")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk is full")))
    with pytest.raises(OSError, match="disk is full"):
        small_program().save(path)
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.weft"]


@pytest.mark.parametrize("changes, message", [
    (dict(instructions=b"\0" * 33), "33 bytes of instructions are not a multiple of 32"),
    (dict(windows=(Window(0, 1),) * 5), "5 windows are more than the 4 of the hardware"),
    (dict(windows=(Window(4000, 97),)), "a window at bytes 4000 to 4096 is outside the 4096 bytes "
     "of the program"),
    (dict(image=((4090, b"1234567"),)), "constants at bytes 4090 to 4096 is outside the 4096 bytes "
     "of the program"),
    (dict(memory_bytes=90), "instructions at bytes 0 to 95 is outside the 90 bytes of the program"),
    (dict(tensors=(Tensor(name="x", shape=(1,)),)), "two tensors are named 'x'"),
    (dict(host_steps=(HostStep(kind="SOFTMAX", inputs=("z",), outputs=("p",)),)),
     "host step SOFTMAX uses tensor 'z', which does not exist"),
    (dict(outputs=(Tensor(name="y", shape=(4,), offset=4093),)),
     "tensor 'y' at bytes 4093 to 4096 is outside the 4096 bytes of the program"),
])
def test_contradicting_parts_are_rejected(changes, message):
    with pytest.raises(ProgramError, match=f"^{message}$"):
        small_program(**changes)


@pytest.mark.parametrize("changes, message", [
    (dict(dtype="float16"), "tensor 't' has dtype 'float16'; supported are int8, uint8, int16, "
     "int32, float32"),
    (dict(shape=(0, 2)), r"tensor 't' has shape \(0, 2\); every dimension must be at least 1"),
    (dict(strides=(1,)), r"tensor 't' has strides \(1,\); shape \(2, 3\) needs 2 that are not "
     "negative"),
    (dict(strides=(-1, 1)), r"tensor 't' has strides \(-1, 1\); shape \(2, 3\) needs 2 that are "
     "not negative"),
])
def test_invalid_tensors_are_rejected(changes, message):
    with pytest.raises(ProgramError, match=f"^{message}$"):
        Tensor(**(dict(name="t", shape=(2, 3)) | changes))


def test_packing_a_strided_tensor_keeps_the_bytes_in_its_gaps():
    tensor = Tensor(name="t", shape=(2, 2, 3), offset=0, strides=(16, 5, 1))
    assert tensor.span == 16 + 5 + 3
    raw = bytearray(b"\xEE" * tensor.span)
    array = np.arange(12, dtype=np.int8).reshape(2, 2, 3)
    tensor.pack(array, raw)
    assert (tensor.unpack(bytes(raw)) == array).all()
    assert raw.count(0xEE) == tensor.span - 12


def test_a_fingerprint_of_another_configuration_is_rejected():
    raw = small_program().to_bytes()
    stored = str(CONFIG.fingerprint).encode()
    assert stored in raw
    body = raw[:-4].replace(stored, stored[:-1] + (b"1" if stored[-1:] != b"1" else b"2"))
    with pytest.raises(ProgramError, match=(
            "^program has an invalid header: fingerprint [0-9a-f]{8} is not that of its "
            f"configuration, {CONFIG.fingerprint:08x}$")):
        Program.from_bytes(body + zlib.crc32(body).to_bytes(4, "little"))


def test_importing_devices_and_programs_does_not_import_amaranth():
    script = ("import sys, weft_host, weft_host.device, weft_host.program.disasm\n"
              "import weft_host.program.validate\n"
              "weft_host.RtlDevice\n"
              "print([name for name in sys.modules if name.split('.')[0] == 'amaranth'])")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                          check=True)
    assert done.stdout.strip() == "[]"


def test_repr_is_one_line_with_size_inputs_and_outputs():
    assert repr(small_program()) == (
        "<Program for tiny: 3 instructions, 4,096 bytes of host memory; inputs: x int8[2, 3]; "
        "outputs: y int32[4]>")
    assert repr(Program(config=CONFIG, instructions=b"", memory_bytes=0)) == (
        "<Program for tiny: 0 instructions, 0 bytes of host memory; inputs: none; outputs: none>")
