"""Conversion of a program to a C header: all bytes, or an error."""

import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest
from first_layer import first_layer

from weft.spec.presets import preset
from weft_host import EmulatorDevice, HostStep, Program, ProgramError, Tensor, compile
from weft_host.program.c_header import c_header

ROOT = pathlib.Path(__file__).resolve().parents[3]
DIGITS = ROOT / "examples" / "digits"
CONFIG = preset("small", bus_width=32)


@pytest.fixture(scope="module")
def layer():
    """Return the program of the first layer of digits."""
    return compile(first_layer(DIGITS / "digits.tflite"), CONFIG)


def test_programs_that_the_c_driver_cannot_run_are_rejected():
    config = preset("tiny")
    tensor = Tensor(name="x", shape=(2, 2), offset=64, strides=(4, 1))
    array = {"x": np.ones((2, 2), np.int8)}
    gaps = Program(config=config, instructions=bytes(32), memory_bytes=128, inputs=(tensor,))
    for inputs in (array, None):
        with pytest.raises(ProgramError, match="^tensor 'x' has gaps: 4 bytes in 6; a C header "
                                               "supports tensors without gaps only$"):
            c_header(gaps, inputs)
    host = Program(config=config, instructions=bytes(32), memory_bytes=128, inputs=(tensor,),
                   host_steps=(HostStep(kind="SOFTMAX", inputs=("x",), outputs=("x",)),))
    with pytest.raises(ProgramError, match=r"^the program has host steps \(SOFTMAX\); the C driver "
                                           "runs programs without host steps only$"):
        c_header(host, array, {})


def test_an_array_of_another_size_is_rejected():
    tensor = Tensor(name="x", shape=(2, 2), offset=64)
    program = Program(config="tiny", instructions=bytes(32), memory_bytes=128, inputs=(tensor,))
    with pytest.raises(ProgramError, match="^the array for tensor 'x' has 5 bytes, not 4$"):
        c_header(program, {"x": np.ones(5, np.int8)})


def test_the_header_contains_every_byte(layer):
    name = layer.inputs[0].name
    inputs = {name: np.arange(-32, 32).astype(np.int8).reshape(1, 8, 8, 1)}
    outputs = EmulatorDevice(CONFIG).run(layer, inputs).outputs
    text = c_header(layer, inputs, outputs)

    def array(name):
        body = re.search(rf"\b{name}\[\d+\] = {{\n(.*?)}};", text, re.DOTALL)[1]
        return bytes(map(int, re.findall(r"\d+", body)))

    assert array("weft_image_0") == layer.instructions
    assert array("weft_image_1") == layer.image[0][1]
    assert array("weft_inputs_0") == inputs[name].tobytes()
    assert array("weft_outputs_0") == outputs[layer.outputs[0].name].tobytes()


def test_without_arrays_the_header_contains_locations_only(layer):
    text = c_header(layer)
    for kind, tensor in (("inputs", layer.inputs[0]), ("outputs", layer.outputs[0])):
        assert (f"weft_block weft_{kind}[1] = {{\n"
                f"    {{ {tensor.offset:#x}u, {tensor.span}u, NULL }},\n}};") in text
        assert f"weft_{kind}_0" not in text


@pytest.mark.parametrize("source", [
    "", "*/ int x; /*", "**//", "/*/", "a\nb\\", "??/", "ünïcode"])
def test_every_header_compiles_without_warnings(tmp_path, source):
    empty = Program(config="tiny", instructions=b"", memory_bytes=0, meta={"source": source})
    subprocess.run([sys.executable, ROOT / "scripts" / "generate_header.py", "-o",
                    tmp_path / "weft_regs.h"], check=True, capture_output=True)
    (tmp_path / "model.h").write_text(c_header(empty))
    (tmp_path / "main.c").write_text(
        '#include "model.h"\nint main(void) { return (int)weft_program.instructions; }\n')
    done = subprocess.run(
        ["gcc", "-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only",
         f"-I{ROOT / 'examples' / 'litex' / 'driver'}", f"-I{tmp_path}", tmp_path / "main.c"],
        capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
