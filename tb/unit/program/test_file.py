"""Program file: saved programs load unchanged, and every other file is rejected."""

import json
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
from weft_host.program.file import FORMAT_VERSION, MAGIC, Program, is_program
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


def test_attachments_are_a_part_of_the_file(tmp_path):
    plain = small_program()
    program = small_program(attachments={"a": b"first", "language_model": bytes(range(256)),
                                         "empty": b""})
    assert program.is_language_model and not plain.is_language_model
    program.save(tmp_path / "a.weft")
    assert Program.load(tmp_path / "a.weft") == program != plain
    assert version_of(program) == FORMAT_VERSION == 2
    assert version_of(plain) == 1, "an earlier release reads programs of networks"


def version_of(program):
    return int.from_bytes(program.to_bytes()[len(MAGIC):len(MAGIC) + 4], "little")


def test_a_program_is_recognised_by_its_first_bytes(tmp_path):
    small_program().save(tmp_path / "a.weft")
    (tmp_path / "b").write_bytes(MAGIC[:7])
    assert is_program(tmp_path / "a.weft") and not is_program(tmp_path / "b")
    assert not is_program(tmp_path)
    with pytest.raises(FileNotFoundError):
        is_program(tmp_path / "c")


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
                                           f"this release reads 1 to {FORMAT_VERSION}; compile the "
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


def with_header(change):
    """Return the bytes of a program whose header was changed, with a right CRC-32."""
    program = small_program(attachments={"a": b"first"})
    raw = program.to_bytes()
    size = int.from_bytes(raw[12:16], "little")
    header = json.loads(raw[24:24 + size])
    text = json.dumps(change(header) or header).encode()
    body = raw[:12] + len(text).to_bytes(4, "little") + raw[16:24] + text + raw[24 + size:-4]
    return body + zlib.crc32(body).to_bytes(4, "little")


def test_an_unchanged_header_is_accepted():
    assert Program.from_bytes(with_header(lambda header: None)).attachments == {"a": b"first"}


@pytest.mark.parametrize("change, message", [
    (lambda h: h["attachments"][0].__setitem__(1, 6), "the sections have 366 bytes, but only 367"),
    (lambda h: h["attachments"][0].__setitem__(1, -5), "the size of a section is not a number"),
    (lambda h: h["attachments"][0].__setitem__(1, 5.0), "the size of a section is not a number"),
    (lambda h: h["image"][0].__setitem__(1, 1 << 62), "the sections have 366 bytes, but only"),
    (lambda h: h.update(attachments=[["a"]]), "not enough values to unpack"),
    (lambda h: h.update(attachments=7), "not iterable"),
    (lambda h: h.update(instructions=1 << 40), "the sections have 366 bytes, but only"),
    (lambda h: h.update(memory_bytes=1 << 33), "memory_bytes is 8589934592 instead of a number"),
    (lambda h: h.update(memory_bytes=4096.0), "memory_bytes is 4096.0 instead of a number"),
    (lambda h: h.update(memory_bytes=True), "memory_bytes is True instead of a number"),
    (lambda h: h.update(meta=[]), "meta is not an object"),
    (lambda h: h["outputs"][0].update(offset=1.5), "offset of outputs is 1.5 instead of an"),
    (lambda h: h["outputs"][0].update(shape=[2, 1e9]), "shape of outputs is 1000000000.0 instead"),
    (lambda h: h["windows"][0].update(size="9"), "size of windows is 9 instead of an integer"),
    (lambda h: h["windows"].append(7), "has no attribute"),
    (lambda h: json.loads("[" * 400 + "]" * 400), "no attribute 'get'"),
])
def test_a_header_of_unknown_origin_is_checked(change, message):
    with pytest.raises(ProgramError, match=f"^program has an invalid header: .*{message}"):
        Program.from_bytes(with_header(change))


@pytest.mark.parametrize("version", [isa.ISA_VERSION + 1, "x", None])
def test_instructions_of_another_version_are_rejected(version):
    with pytest.raises(ProgramError, match=f"^program has instructions of version {version}; this "
                                           f"release executes version {isa.ISA_VERSION}; compile "
                                           "the model again$"):
        Program.from_bytes(with_header(lambda h: h.update(isa_version=version)))


def test_a_header_that_is_nested_too_deep_is_rejected():
    raw = small_program().to_bytes()
    text = b"[" * 100_000
    body = raw[:12] + len(text).to_bytes(4, "little") + raw[16:24] + text + raw[-32:]
    body = body[:16] + (32).to_bytes(8, "little") + body[24:]
    with pytest.raises(ProgramError, match="invalid header: it is nested too deep"):
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
