"""Invalid files, arrays and programs: a clear error, exit status 2, and no output files."""

import random
import re
from pathlib import Path

import numpy as np
import pytest

from support.seeds import seed
from weft.spec.config import Config
from weft.spec.presets import PRESETS, preset
from weft_host import Program
from weft_host.cli import main
from weft_host.compiler import ModelError, compile
from weft_host.device import EmulatorDevice
from weft_host.errors import ProgramError, WeftError
from weft_host.tflite_writer import ModelWriter

DIGITS = Path(__file__).resolve().parents[3] / "examples" / "digits"
MODEL = (DIGITS / "digits.tflite").read_bytes()
SEED = seed(1)


def weft(capsys, *arguments):
    """Return exit status, standard output and standard error of the command."""
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return stop.value.code, out, err


def float_model():
    m = ModelWriter()
    x = m.input("x", (1, 4), dtype="float32")
    w = m.constant("w", np.ones((3, 4), np.float32))
    y = m.tensor("y", (1, 3), dtype="float32")
    m.operator("FULLY_CONNECTED", [x, w, -1], [y])
    m.output(y)
    return m.finish()


def unsupported_model():
    """Return a model of a convolution between two unsupported operators."""
    m = ModelWriter()
    tensors = [m.input("a", (1, 6, 6, 4), scale=0.1)]
    tensors += [m.tensor(name, (1, 6, 6, 4), scale=0.1) for name in "bcd"]
    weights = m.constant("w", np.ones((4, 1, 1, 4), np.int8), scale=[0.1] * 4)
    m.operator("EXP", tensors[0:1], tensors[1:2])
    m.operator("CONV_2D", [tensors[1], weights, -1], tensors[2:3], padding="SAME")
    m.operator("ABS", tensors[2:3], tensors[3:4])
    m.output(tensors[3])
    return m.finish()


FOREIGN = {
    "empty": b"", "short": b"TFL3", "text": b"hello, this is no model at all\n" * 20,
    "png": b"\x89PNG\r\n\x1a\n" + bytes(100), "zip": b"PK\x03\x04" + bytes(200),
    "elf": b"\x7fELF" + bytes(100), "zeros": bytes(4096), "ones": b"\xff" * 4096,
    "only the identifier": b"\x10\x00\x00\x00TFL3" + bytes(64),
    "random bytes after the identifier":
        b"\x1c\x00\x00\x00TFL3" + random.Random(SEED).randbytes(3000),
    "offset outside the file": b"\xff\xff\xff\x7fTFL3" + bytes(64),
}


# messages that do not begin with "is"
OTHER_MESSAGES = {"only the identifier": "has schema version 0; only version 3 is supported\n"}


@pytest.mark.parametrize("name", FOREIGN)
def test_other_file_types_are_rejected(name, capsys, tmp_path):
    raw = FOREIGN[name]
    path = tmp_path / "model.tflite"
    path.write_bytes(raw)
    with pytest.raises(ModelError):
        compile(raw, preset("tiny"))
    for verb in (["check", path], ["compile", path, "-o", tmp_path / "made.weft"],
                 ["run", path, "--input", DIGITS / "digits.npz", "--output", tmp_path / "y.npz"]):
        status, out, err = weft(capsys, *verb, "--preset", "tiny")
        assert status == 2 and not out
        assert f"weft: {path} {OTHER_MESSAGES.get(name, 'is ')}" in err
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.tflite"]


def test_every_truncation_of_a_model_is_rejected():
    draw = random.Random(SEED)
    sizes = {*range(0, 64), *range(len(MODEL) - 16, len(MODEL)),
             *(draw.randrange(len(MODEL)) for _ in range(100))}
    for size in sorted(sizes):
        with pytest.raises(ModelError):
            compile(MODEL[:size], preset("small"))


def test_a_damaged_model_gives_no_other_kind_of_error():
    """Damage that is not detected, as in a weight, gives another valid model."""
    draw = random.Random(SEED)
    rejected = 0
    for attempt in range(150):
        raw = bytearray(MODEL)
        for _ in range(draw.choice((1, 1, 4, 40))):
            raw[draw.randrange(len(raw))] = draw.choice((0, 0xFF, 0x80, draw.randrange(256)))
        try:
            compile(bytes(raw), preset("small"))
        except WeftError:
            rejected += 1
        except Exception as error:
            raise AssertionError(f"seed {SEED}, attempt {attempt}: {error!r}") from error
    assert rejected > 10


def test_a_float_model_is_rejected_with_advice(capsys, tmp_path):
    (tmp_path / "f.tflite").write_bytes(float_model())
    status, _, err = weft(capsys, "compile", tmp_path / "f.tflite", "-o", tmp_path / "f.weft")
    assert status == 2
    assert "has type float32; only int8 is supported; quantise the model to int8" in err
    assert not (tmp_path / "f.weft").exists()


def test_all_unsupported_operators_are_listed_and_nothing_is_written(capsys, tmp_path):
    path = tmp_path / "u.tflite"
    path.write_bytes(unsupported_model())
    np.savez(tmp_path / "x.npz", in0=np.zeros((1, 6, 6, 4), np.int8))
    before = sorted(tmp_path.iterdir())
    for verb in (["compile", path, "-o", tmp_path / "u.weft"],
                 ["run", path, "--input", tmp_path / "x.npz", "--output", tmp_path / "y.npz"]):
        status, out, err = weft(capsys, *verb)
        assert status == 2 and not out
        assert "has 2 unsupported operators; nothing was compiled:" in err
        assert "operator 0 EXP (output 'b'): " in err and "operator 2 ABS (output 'd'): " in err
        assert "CONV_2D" not in err
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("arrays, message", [
    (dict(in0=np.zeros((1, 8, 8), np.int8)), "has shape (1, 8, 8); the program needs (1, 8, 8, 1)"),
    (dict(in0=np.zeros((2, 8, 8, 1), np.int8)), "has shape (2, 8, 8, 1); the program needs"),
    (dict(in0=np.zeros((1, 8, 8, 1), np.uint8)), "has dtype uint8; the program needs int8"),
    (dict(in0=np.zeros((1, 8, 8, 1))), "has dtype float64; the program needs int8"),
    (dict(x=np.zeros((1, 8, 8, 1), np.int8)), "has no array in0; it has x"),
    (dict(), "has no array in0; it has none"),
    (dict(in0=np.array([{}], object)), "the array in0 cannot be read: it contains Python objects, "
     "not numbers"),
])
def test_inputs_that_do_not_fit_are_rejected(arrays, message, capsys, tmp_path):
    np.savez(tmp_path / "x.npz", **arrays)
    status, out, err = weft(
        capsys, "run", DIGITS / "digits.tflite", "--input", tmp_path / "x.npz",
        "--output", tmp_path / "y.npz", "--on", "emulator")
    assert status == 2 and not out and message in err
    assert not (tmp_path / "y.npz").exists()


@pytest.mark.parametrize("raw", [b"", b"not an archive", b"PK\x03\x04 broken"])
def test_input_files_that_are_not_archives_are_rejected(raw, capsys, tmp_path):
    (tmp_path / "x.npz").write_bytes(raw)
    status, _, err = weft(capsys, "run", DIGITS / "digits.tflite", "--input", tmp_path / "x.npz")
    assert status == 2 and re.search(r"x\.npz (is not|cannot be read as) an \.npz file", err)
    np.save(tmp_path / "x.npy", np.zeros(3))
    status, _, err = weft(capsys, "run", DIGITS / "digits.tflite", "--input", tmp_path / "x.npy")
    assert status == 2 and "x.npy is not an .npz file" in err


@pytest.fixture(scope="module")
def program():
    return compile(MODEL, preset("small"))


def test_a_program_for_another_configuration_is_rejected(program):
    for config in [*PRESETS.values(), preset("small", spad_bytes=16384),
                   preset("small", queue_depth=4), Config(name="x", bus_width=128)]:
        if config == preset("small"):
            continue
        device = EmulatorDevice(config, memory_bytes=1 << 16)
        with pytest.raises(ProgramError, match=(
                r"^the program was compiled for configuration 'small' \(.*\), but this device "
                rf"is .*; compile the model for '{re.escape(config.name)}'$")):
            device.run(program, [np.zeros((1, 8, 8, 1), np.int8)])
        assert device.read_memory(0, 1 << 16) == bytes(1 << 16), "the program was loaded"


def test_damaged_program_files_are_rejected(program, capsys, tmp_path):
    raw = program.to_bytes()
    draw = random.Random(SEED)
    for _ in range(200):
        damaged = bytearray(raw)
        damaged[draw.randrange(len(raw))] ^= 1 << draw.randrange(8)
        with pytest.raises(ProgramError):
            Program.from_bytes(bytes(damaged))
    for number, bad in enumerate((raw[:-1], raw[:100], raw + b"x", raw[:50] + b"?" + raw[51:])):
        path = tmp_path / f"{number}.weft"
        path.write_bytes(bad)
        for verb in (["disasm", path],
                     ["run", path, "--input", DIGITS / "digits.npz", "--output", tmp_path / "y"]):
            status, out, err = weft(capsys, *verb)
            assert status == 2 and not out and err.startswith("weft: ")
    assert not (tmp_path / "y").exists()
