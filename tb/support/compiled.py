"""Comparison of compiled models, run on the emulator, with the reference kernels."""

from support.exact import first_mismatch
from support.litert import reference
from weft.spec.integers import round_up
from weft_host.compiler import compile
from weft_host.device import EmulatorDevice

__all__ = ["assert_compiled_exact"]


def assert_compiled_exact(model, inputs, config, case):
    """Assert that every tensor of a compiled model equals that of the reference kernels.

    Also assert that a program that stores only its outputs computes the same outputs. Return the
    program that stores all tensors.

    Parameters
    ----------
    model : the bytes of a ``.tflite`` file.
    inputs : arrays in the order of the model's inputs.
    config : configuration that executes the program.
    case : description of the model for the message of a failure.
    """
    program = compile(model, config, keep_tensors=True)
    device = EmulatorDevice(config, memory_bytes=round_up(program.memory_bytes, 4096))
    result = device.run(program, inputs, all_tensors=True)
    expected = reference(model, inputs)
    actual = {**result.tensors, **result.outputs}
    assert program.outputs
    for tensor in program.outputs + program.tensors:
        mismatch = first_mismatch(expected[tensor.tensor_id], actual[tensor.name])
        assert mismatch is None, (f"{case} on {config.name}, tensor {tensor.name!r} "
                                  f"(index, expected, actual): {mismatch}")
    outputs = device.run(compile(model, config), inputs).outputs
    for name, array in result.outputs.items():
        assert first_mismatch(array, outputs[name]) is None, \
            f"{case}: storing all tensors changes {name!r}"
    return program
