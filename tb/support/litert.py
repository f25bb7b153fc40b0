"""TensorFlow Lite's reference kernels, with which every result is compared.

The reference is ``ai-edge-litert==1.2.0`` with the resolver of reference kernels. Its default
(XNNPACK) and its optimised kernels produce other bits.
"""

import functools
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

try:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
except ModuleNotFoundError:     # release 1.2.0 has no wheel for Python 3.13
    Interpreter = None


@functools.lru_cache(maxsize=8)
def _interpreter(model: bytes) -> "Interpreter":
    if Interpreter is None:
        pytest.skip("the reference kernels, ai-edge-litert==1.2.0, have no wheel for this Python")
    interpreter = Interpreter(
        model_content=model,
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    return interpreter


def reference(
    model: bytes, inputs: Sequence[np.ndarray] | Mapping[int, np.ndarray]
) -> dict[int, np.ndarray]:
    """Run the model and return every tensor that has a value, by its index in the file.

    Parameters
    ----------
    model : the bytes of a ``.tflite`` file.
    inputs : arrays in the order of the model's inputs, or a mapping from tensor index.
    """
    interpreter = _interpreter(model)
    names = [d["index"] for d in interpreter.get_input_details()]
    if not isinstance(inputs, Mapping):
        if len(inputs) != len(names):
            raise ValueError(f"The model has {len(names)} inputs, but {len(inputs)} were given")
        inputs = dict(zip(names, inputs))
    for index in names:
        interpreter.set_tensor(index, inputs[index])
    interpreter.invoke()
    tensors = {}
    for detail in interpreter.get_tensor_details():
        try:
            tensors[detail["index"]] = interpreter.get_tensor(detail["index"])
        except ValueError:  # a temporary that no operator filled
            continue
    return tensors


def outputs(model: bytes, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Run the model and return its outputs in order."""
    tensors = reference(model, inputs)
    return [tensors[d["index"]] for d in _interpreter(model).get_output_details()]
