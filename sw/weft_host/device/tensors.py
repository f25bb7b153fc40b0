"""Tensors between numpy and a device's memory."""

import numpy as np

from ..errors import InputError

__all__ = ["check_inputs", "read_tensor", "write_tensor"]


def check_inputs(program, inputs):
    """The inputs of a run by name, checked and copied.

    Raises
    ------
    InputError
        If a name, a shape or a dtype is not what the program asks for.
    """
    names = [tensor.name for tensor in program.inputs]
    if inputs is None:
        inputs = {}
    if not isinstance(inputs, dict):
        inputs = list(inputs)
        if len(inputs) != len(names):
            raise InputError(f"{len(inputs)} inputs were given; the program has {len(names)}: "
                             f"{', '.join(names) or 'none'}")
        inputs = dict(zip(names, inputs))
    for name in inputs:
        if name not in names:
            raise InputError(f"there is no input {name!r}; the program has "
                             f"{', '.join(names) or 'none'}")
    arrays = {}
    for tensor in program.inputs:
        if tensor.name not in inputs:
            raise InputError(f"input {tensor.name!r} is missing; the program has "
                             f"{', '.join(names)}")
        array = np.asarray(inputs[tensor.name])
        if array.dtype != np.dtype(tensor.dtype):
            raise InputError(f"input {tensor.name!r} has dtype {array.dtype}; the program needs "
                             f"{tensor.dtype}")
        if array.shape != tensor.shape:
            raise InputError(f"input {tensor.name!r} has shape {array.shape}; the program needs "
                             f"{tensor.shape}")
        arrays[tensor.name] = np.array(array, order="C")
    return arrays


def read_tensor(device, tensor):
    """A tensor in a device's memory as an array."""
    return tensor.unpack(device.read_memory(device.memory_base + tensor.offset, tensor.span))


def write_tensor(device, tensor, array):
    """Put an array into a device's memory; bytes in the gaps of the tensor keep their values."""
    if tensor.offset is None:
        return
    addr = device.memory_base + tensor.offset
    dense = tensor.span == array.size * array.itemsize
    raw = bytearray(tensor.span if dense else device.read_memory(addr, tensor.span))
    tensor.pack(array, raw)
    device._write(addr, bytes(raw))
