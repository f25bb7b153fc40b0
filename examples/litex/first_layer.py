"""The first operator of a model as a model of its own."""

from weft_host.compiler.frontend.tflite import read_model
from weft_host.tflite_writer import ModelWriter

__all__ = ["first_layer"]

_RENAMED = {"activation": "fused_activation_function", "dilation_h": "dilation_h_factor",
            "dilation_w": "dilation_w_factor", "filter_h": "filter_height",
            "filter_w": "filter_width", "format": "weights_format"}
"""Options that the schema calls by a longer name."""


def first_layer(model):
    """The bytes of a ``.tflite`` file with one operator: the first one of ``model``.

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
    made = {-1: -1}
    for index in operator.inputs:
        tensor = graph.operand(index)
        if tensor is None:
            continue
        quantization = {"scale": tensor.scale or None, "zero_point": tensor.zero_point or 0}
        if tensor.value is None:
            made[index] = writer.input(tensor.name, tensor.shape, dtype=tensor.dtype,
                                       **quantization)
        else:
            made[index] = writer.constant(tensor.name, tensor.value, axis=tensor.axis,
                                          **quantization)
    for index in operator.outputs:
        tensor = graph.tensor(index)
        made[index] = writer.tensor(tensor.name, tensor.shape, dtype=tensor.dtype,
                                    scale=tensor.scale or None, zero_point=tensor.zero_point or 0)
    writer.operator(operator.name, [made[index] for index in operator.inputs],
                    [made[index] for index in operator.outputs],
                    **{_RENAMED.get(name, name): value
                       for name, value in operator.options.items()})
    writer.output(*(made[index] for index in operator.outputs))
    return writer.finish()
