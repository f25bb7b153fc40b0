"""Transfer of tensors between numpy arrays and a device's memory."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from ..program.file import Program
from ..program.tensor import Tensor
from .control import DeviceControl

__all__ = ["Inputs", "check_inputs", "read_tensor", "write_tensor"]

Inputs = Mapping[str, npt.ArrayLike] | Sequence[npt.ArrayLike] | None
"""Inputs of a run, by name or in the program's order; ``None`` if there are none."""


def _by_name(names: list[str], inputs: Inputs) -> Mapping[str, npt.ArrayLike]:
    listed = ", ".join(names) or "none"
    if inputs is None:
        return {}
    if not isinstance(inputs, Mapping):
        inputs = list(inputs)
        if len(inputs) != len(names):
            raise InputError(f"{len(inputs)} inputs were given; the program has {len(names)}: "
                             f"{listed}")
        return dict(zip(names, inputs))
    for name in inputs:
        if name not in names:
            raise InputError(f"there is no input {name!r}; the program has {listed}")
    return inputs


def check_inputs(program: Program, inputs: Inputs) -> dict[str, npt.NDArray[Any]]:
    """Return copies of the inputs of a run, by name.

    Raises
    ------
    InputError
        If a name, a shape or a dtype differs from the program's.
    """
    names = [tensor.name for tensor in program.inputs]
    given = _by_name(names, inputs)
    arrays: dict[str, npt.NDArray[Any]] = {}
    for tensor in program.inputs:
        if tensor.name not in given:
            raise InputError(f"input {tensor.name!r} is missing; the program has "
                             f"{', '.join(names)}")
        array = np.asarray(given[tensor.name])
        if array.dtype != np.dtype(tensor.dtype):
            raise InputError(f"input {tensor.name!r} has dtype {array.dtype}; the program needs "
                             f"{tensor.dtype}")
        if array.shape != tensor.shape:
            raise InputError(f"input {tensor.name!r} has shape {array.shape}; the program needs "
                             f"{tensor.shape}")
        arrays[tensor.name] = np.array(array, order="C")
    return arrays


def read_tensor(device: DeviceControl, tensor: Tensor) -> npt.NDArray[Any]:
    """Read a tensor from a device's memory.

    Raises
    ------
    ValueError
        If the tensor is not in host memory.
    """
    if tensor.offset is None:
        raise ValueError(f"tensor {tensor.name!r} is not in host memory")
    return tensor.unpack(device.read_memory(device.memory_base + tensor.offset, tensor.span))


def write_tensor(device: DeviceControl, tensor: Tensor, array: npt.NDArray[Any]) -> None:
    """Write an array to a device's memory, unless only host operators access the tensor.

    Bytes in the gaps of a strided tensor keep their values.
    """
    if tensor.offset is None:
        return
    addr = device.memory_base + tensor.offset
    dense = tensor.span == array.size * array.itemsize
    raw = bytearray(tensor.span if dense else device.read_memory(addr, tensor.span))
    tensor.pack(array, raw)
    device._write(addr, bytes(raw))
