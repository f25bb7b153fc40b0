"""Writer of small ``.tflite`` files, for tests and for networks that are trained in this tree.

A model is built tensor by tensor and operator by operator. Indices count the tensors in the order
of the calls, and equal calls give equal bytes::

    import numpy as np
    from weft_host.tflite_writer import ModelWriter

    m = ModelWriter()
    x = m.input("x", (1, 8, 8, 1), scale=0.1, zero_point=-3)
    w = m.constant("w", np.ones((4, 3, 3, 1), np.int8), scale=[0.1, 0.2, 0.3, 0.4])
    b = m.constant("b", np.zeros(4, np.int32), scale=[0.01, 0.02, 0.03, 0.04])
    y = m.tensor("y", (1, 8, 8, 4), scale=0.5, zero_point=10)
    m.operator("CONV_2D", [x, w, b], [y], padding="SAME", fused_activation_function="RELU")
    m.output(y)
    data = m.finish()                   # the bytes of the file

Options have the names of the schema in snake case (``stride_h``, ``filter_width``,
``keep_num_dims``); paddings and activations have the names of the schema. The writer rejects only
what would give an unreadable file, because tests of invalid models use it, too.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tflite

from .operators import ENUMS, OPERATIONS
from .serialize import CODES, TYPES, OperatorEntry, TensorEntry, camel, serialize

__all__ = ["OPERATORS", "ModelWriter", "Numbers"]

OPERATORS: tuple[str, ...] = tuple(OPERATIONS)
"""Names of the operators that :meth:`ModelWriter.operator` accepts."""

Numbers = float | Sequence[float] | npt.NDArray[Any] | None
"""One scale, one scale per channel, or None for a tensor without quantisation."""


class ModelWriter:
    """A model under construction, with one graph.

    Methods that add a tensor return its index in the file. Operators run in the order in which
    they were added.

    Parameters
    ----------
    description : :class:`str`
        Text that the file contains.
    codes : :class:`str`
        Which of the two fields for an operator's code are set: ``"both"``; ``"wide"``, the present
        field alone, as some converters do; or ``"narrow"``, the deprecated field alone, as in old
        files.

    Raises
    ------
    ValueError
        If ``codes`` is not one of these.
    """

    def __init__(self, description: str = "weft", *, codes: str = "both") -> None:
        if codes not in CODES:
            raise ValueError(f"Codes '{codes}' is not one of {', '.join(CODES)}")
        self._description = description
        self._codes = codes
        self._tensors: list[TensorEntry] = []
        self._operators: list[OperatorEntry] = []
        self._inputs: list[int] = []
        self._outputs: list[int] = []

    def tensor(self, name: str, shape: Sequence[int], *, dtype: str = "int8",
               scale: Numbers = None, zero_point: int | Sequence[int] = 0, axis: int = 0) -> int:
        """Add a tensor that an operator computes.

        Parameters
        ----------
        name : :class:`str`
        shape : sequence of :class:`int`
        dtype : :class:`str`
            Name of a numpy type.
        scale : :class:`float`, or a sequence with one per channel along ``axis``
            None for a tensor without quantisation.
        zero_point : :class:`int`, or a sequence with one per channel
        axis : :class:`int`
            Dimension of the channels.

        Raises
        ------
        ValueError
            If the type is not supported, or if scales and zero points differ in number.
        """
        if dtype not in TYPES:
            raise ValueError(f"Tensor '{name}': type '{dtype}' is not one of {', '.join(TYPES)}")
        scales = [] if scale is None else [float(s) for s in np.atleast_1d(scale)]
        zeros = [int(z) for z in np.atleast_1d(zero_point)]
        if len(zeros) == 1:
            zeros *= len(scales)
        if len(zeros) != len(scales):
            raise ValueError(f"Tensor '{name}': {len(scales)} scales but {len(zeros)} zero points")
        self._tensors.append(TensorEntry(
            name=name, shape=tuple(int(n) for n in shape), dtype=dtype, scale=scales,
            zero_point=zeros, axis=axis))
        return len(self._tensors) - 1

    def input(self, name: str, shape: Sequence[int], *, dtype: str = "int8",
              scale: Numbers = None, zero_point: int | Sequence[int] = 0) -> int:
        """Add a tensor that is an input of the model; see :meth:`tensor`."""
        index = self.tensor(name, shape, dtype=dtype, scale=scale, zero_point=zero_point)
        self._inputs.append(index)
        return index

    def constant(self, name: str, value: npt.ArrayLike, *, scale: Numbers = None,
                 zero_point: int | Sequence[int] = 0, axis: int = 0) -> int:
        """Add a constant tensor with the shape and the type of ``value``; see :meth:`tensor`."""
        array = np.asarray(value)
        index = self.tensor(name, array.shape, dtype=array.dtype.name, scale=scale,
                            zero_point=zero_point, axis=axis)
        self._tensors[index].data = array.astype(array.dtype.newbyteorder("<")).tobytes()
        return index

    def operator(self, name: str, inputs: Sequence[int], outputs: Sequence[int],
                 **options: object) -> None:
        """Add an operator; index -1 stands for an optional input (a bias) that is absent.

        Raises
        ------
        ValueError
            If the operator or an option is unknown, or if no tensor has one of the indices.
        """
        if name not in OPERATIONS:
            raise ValueError(f"Operator '{name}' is not one of {', '.join(OPERATORS)}")
        _, table, defaults = OPERATIONS[name]
        for option, value in options.items():
            if table is None or not hasattr(tflite, f"{table}Add{camel(option)}"):
                raise ValueError(f"{name} has no option '{option}'")
            if option in ENUMS and not hasattr(ENUMS[option], str(value)):
                words = ", ".join(word for word in vars(ENUMS[option]) if word.isupper())
                raise ValueError(f"{name}: {option} '{value}' is not one of {words}")
        for index in (*inputs, *outputs):
            if not -1 <= index < len(self._tensors):
                raise ValueError(f"{name}: tensor {index} does not exist; the model has "
                                 f"{len(self._tensors)} tensors")
        self._operators.append(OperatorEntry(
            name=name, inputs=list(inputs), outputs=list(outputs),
            options={**defaults, **options}))

    def output(self, *indices: int) -> None:
        """Make tensors outputs of the model, in order."""
        self._outputs.extend(indices)

    def finish(self) -> bytes:
        """Return the bytes of the ``.tflite`` file."""
        return serialize(self._tensors, self._operators, self._inputs, self._outputs,
                         description=self._description, codes=self._codes)
