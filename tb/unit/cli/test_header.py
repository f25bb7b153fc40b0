"""``weft header``: the bytes of a run, and requests that are refused."""

import io
import re
from pathlib import Path

import numpy as np
import pytest

from support import litert
from weft_host import Program
from weft_host.tflite_writer import ModelWriter

DIGITS = Path(__file__).resolve().parents[3] / "examples" / "digits"
MODEL, DATA = DIGITS / "digits.tflite", DIGITS / "digits.npz"


def array(text, name):
    body = re.search(rf"\b{name}\[\d+\] = {{\n(.*?)}};", text, re.DOTALL)[1]
    return bytes(map(int, re.findall(r"\d+", body)))


def test_a_program_with_input_has_the_output_of_the_reference_kernels(weft, tmp_path):
    weft("compile", MODEL, "--preset", "tiny", "-o", tmp_path / "digits.weft")
    out = weft("header", tmp_path / "digits.weft", "--input", DATA, "-o", tmp_path / "model.h")
    program = Program.load(tmp_path / "digits.weft")
    assert out == (f"{tmp_path / 'model.h'}: {program.instruction_count} instructions, "
                   f"{program.memory_bytes:,} bytes of memory, 10 expected bytes of output\n")
    text = (tmp_path / "model.h").read_text()
    assert array(text, "weft_image_0") == program.instructions
    image = np.load(DATA)["in0"]
    assert array(text, "weft_inputs_0") == image.tobytes()
    assert array(text, "weft_outputs_0") == litert.outputs(MODEL.read_bytes(), [image])[0].tobytes()


def test_a_model_is_compiled_for_the_configuration(weft, tmp_path):
    weft("header", MODEL, "--preset", "small", "--set", "bus_width=32", "-o", tmp_path / "model.h")
    text = (tmp_path / "model.h").read_text()
    assert "/* configuration: small+bus_width=32 */" in text
    assert "NULL" in text and "weft_inputs_0" not in text


def test_a_model_with_host_steps_is_refused_before_it_runs(weft, tmp_path):
    m = ModelWriter()
    x = m.input("x", (1, 100), scale=0.1)
    y = m.tensor("y", (1, 100), dtype="float32", scale=None)
    m.operator("DEQUANTIZE", [x], [y])
    m.output(y)
    (tmp_path / "host.tflite").write_bytes(m.finish())
    archive = io.BytesIO()
    np.savez(archive, in0=np.zeros((1, 100), np.int8))
    (tmp_path / "in.npz").write_bytes(archive.getvalue())
    err = weft("header", tmp_path / "host.tflite", "--input", tmp_path / "in.npz", "-o",
               tmp_path / "model.h", status=2)
    assert err == ("weft: the program has host steps (DEQUANTIZE); the C driver runs programs "
                   "without host steps only\n")
    assert not (tmp_path / "model.h").exists()


@pytest.mark.parametrize("arguments, message", [
    ([MODEL, "--input", MODEL], f"{MODEL} is not an .npz file; numpy.savez writes such files"),
    ([DATA], f"{DATA} is not a TensorFlow Lite model"),
    ([MODEL, "--preset", "nothing"], "No preset or board is named 'nothing'"),
])
def test_wrong_files_are_refused(weft, tmp_path, arguments, message):
    assert message in weft("header", *arguments, "-o", tmp_path / "model.h", status=2)
    assert not list(tmp_path.iterdir())
