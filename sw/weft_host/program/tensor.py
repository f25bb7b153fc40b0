"""Parts of a program beside its instructions: tensors, address windows and host operators."""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ProgramError

__all__ = ["Tensor", "Window", "HostStep"]

_DTYPES = ("int8", "uint8", "int16", "int32", "float32")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tensor:
    """A named array in host memory.

    Parameters
    ----------
    name : :class:`str`
        Unique within the program.
    shape : :class:`tuple` of :class:`int`
        Elements in each dimension.
    dtype : :class:`str`
        Name of a numpy type.
    offset : :class:`int` or :class:`None`
        First byte, relative to MEM_BASE; ``None`` for a tensor that only host operators access.
    tensor_id : :class:`int` or :class:`None`
        Index of the tensor in the model file.
    scale, zero_point : :class:`float`, :class:`int`
        The real value is ``scale * (stored - zero_point)``.
    strides : :class:`tuple` of :class:`int` or :class:`None`
        Bytes from one element to the next in each dimension; ``None`` for a row-major array
        without gaps.

    Raises
    ------
    ProgramError
        If the type is not supported, a dimension is empty, or strides and shape do not agree.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str = "int8"
    offset: int | None = None
    tensor_id: int | None = None
    scale: float = 1.0
    zero_point: int = 0
    strides: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(int(size) for size in self.shape))
        if self.dtype not in _DTYPES:
            raise ProgramError(f"tensor {self.name!r} has dtype {self.dtype!r}; "
                               f"supported are {', '.join(_DTYPES)}")
        if any(size < 1 for size in self.shape):
            raise ProgramError(f"tensor {self.name!r} has shape {self.shape}; "
                               "every dimension must be at least 1")
        if self.strides is not None:
            object.__setattr__(self, "strides", tuple(int(step) for step in self.strides))
            if len(self.strides) != len(self.shape) or any(step < 0 for step in self.strides):
                raise ProgramError(f"tensor {self.name!r} has strides {self.strides}; shape "
                                   f"{self.shape} needs {len(self.shape)} that are not negative")

    @property
    def byte_strides(self) -> tuple[int, ...]:
        """Bytes from one element to the next, for each dimension."""
        if self.strides is not None:
            return self.strides
        steps: list[int] = []
        step = np.dtype(self.dtype).itemsize
        for size in reversed(self.shape):
            steps.append(step)
            step *= size
        return tuple(reversed(steps))

    @property
    def span(self) -> int:
        """Number of bytes from the first to the last one, including gaps."""
        return sum((size - 1) * step for size, step in zip(self.shape, self.byte_strides)) \
            + np.dtype(self.dtype).itemsize

    def unpack(self, raw: bytes | bytearray) -> npt.NDArray[Any]:
        """Return the array that is stored in ``span`` bytes, as a copy without gaps."""
        view: npt.NDArray[Any] = np.ndarray(
            self.shape, np.dtype(self.dtype).newbyteorder("<"), raw, strides=self.byte_strides)
        return np.array(view, dtype=self.dtype, order="C")

    def pack(self, array: npt.NDArray[Any], raw: bytearray) -> None:
        """Store ``array`` in ``raw``, which has ``span`` bytes; the bytes in gaps are kept."""
        view: npt.NDArray[Any] = np.ndarray(
            self.shape, np.dtype(self.dtype).newbyteorder("<"), raw, strides=self.byte_strides)
        view[...] = array


@dataclasses.dataclass(frozen=True)
class Window:
    """Range of host memory that the device may access.

    Attributes
    ----------
    offset, size : :class:`int`
        The range has the bytes ``offset`` to ``offset + size - 1``, relative to MEM_BASE.
    read, write : :class:`bool`
        Permitted accesses.
    """

    offset: int
    size: int
    read: bool = True
    write: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class HostStep:
    """An operator that the host computes; :mod:`weft_host.host_operators` implements the kinds.

    Parameters
    ----------
    kind : :class:`str`
        Name of the operator, for instance ``"SOFTMAX"``.
    inputs, outputs : :class:`tuple` of :class:`str`
        Names of tensors of the program.
    parameters : :class:`dict`
        Numbers that the operator needs in addition to its tensors.
    when : :class:`str`
        ``"before"`` or ``"after"`` the device runs.

    Raises
    ------
    ProgramError
        If ``when`` has another value.
    """

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    parameters: dict[str, float] = dataclasses.field(default_factory=dict)
    when: str = "after"

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", tuple(self.inputs))
        object.__setattr__(self, "outputs", tuple(self.outputs))
        if self.when not in ("before", "after"):
            raise ProgramError(f"host step {self.kind} must run 'before' or 'after', "
                               f"not {self.when!r}")
