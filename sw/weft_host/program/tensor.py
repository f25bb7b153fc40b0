"""The parts a program is described with: tensors in host memory, windows, operators of the host."""

import dataclasses

import numpy as np

from ..errors import ProgramError

__all__ = ["Tensor", "Window", "HostStep"]

_DTYPES = ("int8", "uint8", "int16", "int32", "float32")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tensor:
    """A named array in host memory.

    Parameters
    ----------
    name : :class:`str`
        Unique in its program.
    shape : :class:`tuple` of :class:`int`
        Elements in each dimension.
    dtype : :class:`str`
        Name of a numpy type.
    offset : :class:`int` or :class:`None`
        First byte, relative to MEM_BASE; ``None`` if only a host step makes or uses it.
    tensor_id : :class:`int` or :class:`None`
        Index of the tensor in the model file.
    scale, zero_point : :class:`float`, :class:`int`
        The real value is ``scale * (stored - zero_point)``.
    strides : :class:`tuple` of :class:`int` or :class:`None`
        Bytes from one element to the next in each dimension; ``None`` is row-major without gaps.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str = "int8"
    offset: int | None = None
    tensor_id: int | None = None
    scale: float = 1.0
    zero_point: int = 0
    strides: tuple[int, ...] | None = None

    def __post_init__(self):
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
    def byte_strides(self):
        """Bytes from one element to the next, for each dimension."""
        if self.strides is not None:
            return self.strides
        steps, step = [], np.dtype(self.dtype).itemsize
        for size in reversed(self.shape):
            steps.append(step)
            step *= size
        return tuple(reversed(steps))

    @property
    def span(self):
        """Bytes from the first to the last, gaps included."""
        return sum((size - 1) * step for size, step in zip(self.shape, self.byte_strides)) \
            + np.dtype(self.dtype).itemsize

    def unpack(self, raw):
        """The array in ``span`` bytes, as a copy without gaps."""
        view = np.ndarray(self.shape, np.dtype(self.dtype).newbyteorder("<"), raw,
                          strides=self.byte_strides)
        return np.array(view, dtype=self.dtype, order="C")

    def pack(self, array, raw):
        """Put ``array`` into ``span`` bytes, a :class:`bytearray`; gaps are not touched."""
        view = np.ndarray(self.shape, np.dtype(self.dtype).newbyteorder("<"), raw,
                          strides=self.byte_strides)
        view[...] = array


@dataclasses.dataclass(frozen=True)
class Window:
    """Bytes ``offset`` to ``offset + size - 1`` of host memory and what the device may do there."""

    offset: int
    size: int
    read: bool = True
    write: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class HostStep:
    """An operator that the host computes; :mod:`weft_host.host_operators` knows the kinds.

    Parameters
    ----------
    kind : :class:`str`
        Which operator, for instance ``"SOFTMAX"``.
    inputs, outputs : :class:`tuple` of :class:`str`
        Names of tensors of the program.
    parameters : :class:`dict`
        What the operator needs beside its tensors.
    when : :class:`str`
        ``"before"`` or ``"after"`` the device runs.
    """

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    parameters: dict = dataclasses.field(default_factory=dict)
    when: str = "after"

    def __post_init__(self):
        object.__setattr__(self, "inputs", tuple(self.inputs))
        object.__setattr__(self, "outputs", tuple(self.outputs))
        if self.when not in ("before", "after"):
            raise ProgramError(f"host step {self.kind} must run 'before' or 'after', "
                               f"not {self.when!r}")
