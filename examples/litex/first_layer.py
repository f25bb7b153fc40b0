"""Extraction of a model's first operator as a separate model."""

from weft_host.compiler.frontend.tflite import read_model
from weft_host.tflite_writer import ModelWriter

__all__ = ["first_layer"]

_RENAMED = {"activation": "fused_activation_function", "dilation_h": "dilation_h_factor",
            "dilation_w": "dilation_w_factor", "filter_h": "filter_height",
            "filter_w": "filter_width", "format": "weights_format"}
"""Options with a longer name in the schema."""


def first_layer(model):
    """Return the bytes of a ``.tflite`` file with the first operator of ``model`` only.

    Parameters
    ----------
    model : :class:`bytes` or path
        An int8 ``.tflite`` file.

    Raises
    ------
    ModelError
        If the file cannot be read.
    ValueError
        If the first operator's options cannot be written.
    """
    graph = read_model(model)
    operator = graph.operators[0]
    writer = ModelWriter(f"{operator.name} of {graph.source}")
    tensors = {-1: -1}
    for index in operator.inputs:
        tensor = graph.operand(index)
        if tensor is None:
            continue
        quantization = {"scale": tensor.scale or None, "zero_point": tensor.zero_point or 0}
        if tensor.value is None:
            tensors[index] = writer.input(tensor.name, tensor.shape, dtype=tensor.dtype,
                                       **quantization)
        else:
            tensors[index] = writer.constant(tensor.name, tensor.value, axis=tensor.axis,
                                          **quantization)
    for index in operator.outputs:
        tensor = graph.tensor(index)
        tensors[index] = writer.tensor(tensor.name, tensor.shape, dtype=tensor.dtype,
                                    scale=tensor.scale or None, zero_point=tensor.zero_point or 0)
    writer.operator(operator.name, [tensors[index] for index in operator.inputs],
                    [tensors[index] for index in operator.outputs],
                    **{_RENAMED.get(name, name): value
                       for name, value in operator.options.items()})
    writer.output(*(tensors[index] for index in operator.outputs))
    return writer.finish()
