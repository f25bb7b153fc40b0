"""Conversion of a program to a C header: all bytes, or an error."""

import pathlib
import re

import numpy as np
import pytest
from first_layer import first_layer
from program_header import program_header

from weft.spec.presets import preset
from weft_host import EmulatorDevice, HostStep, Program, ProgramError, Tensor, compile

DIGITS = pathlib.Path(__file__).resolve().parents[3] / "examples" / "digits"


def test_programs_that_the_c_driver_cannot_run_are_rejected():
    config = preset("tiny")
    tensor = Tensor(name="x", shape=(2, 2), offset=64, strides=(4, 1))
    array = {"x": np.ones((2, 2), np.int8)}
    gaps = Program(config=config, instructions=bytes(32), memory_bytes=128, inputs=(tensor,))
    with pytest.raises(ProgramError, match="^tensor 'x' has gaps: 4 bytes in 6; a C header "
                                           "supports tensors without gaps only$"):
        program_header(gaps, array, {})
    host = Program(config=config, instructions=bytes(32), memory_bytes=128, inputs=(tensor,),
                   host_steps=(HostStep(kind="SOFTMAX", inputs=("x",), outputs=("x",)),))
    with pytest.raises(ProgramError, match=r"^the program has host steps \(SOFTMAX\); the C driver "
                                           "runs programs without host steps only$"):
        program_header(host, array, {})


def test_the_header_contains_every_byte():
    config = preset("small", bus_width=32)
    program = compile(first_layer(DIGITS / "digits.tflite"), config)
    name = program.inputs[0].name
    inputs = {name: np.arange(-32, 32).astype(np.int8).reshape(1, 8, 8, 1)}
    outputs = EmulatorDevice(config).run(program, inputs).outputs
    text = program_header(program, inputs, outputs)

    def array(name):
        body = re.search(rf"\b{name}\[\d+\] = {{\n(.*?)}};", text, re.DOTALL)[1]
        return bytes(map(int, re.findall(r"\d+", body)))

    assert array("weft_image_0") == program.instructions
    assert array("weft_image_1") == program.image[0][1]
    assert array("weft_inputs_0") == inputs[name].tobytes()
    assert array("weft_outputs_0") == outputs[program.outputs[0].name].tobytes()
