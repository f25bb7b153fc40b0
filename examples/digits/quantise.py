"""Post-training quantisation of the digits network, per channel, to an int8 ``.tflite`` file.

Weights are symmetric, with one scale per output channel. Scale and zero point of a tensor are
computed from its minimum and maximum over the calibration images. The range always includes 0, so
that padding and ReLU are exact.
"""

import numpy as np
from network import AveragePool, Conv, Dense, forward

from weft_host.tflite_writer import ModelWriter

INPUT_SCALE, INPUT_ZERO_POINT = 1 / 255, -128  # pixels from 0 to 1


def quantise_input(images):
    """Convert images from 0 to 1 to the model's int8 input."""
    return (np.rint(images / INPUT_SCALE) + INPUT_ZERO_POINT).astype(np.int8)


def quantise(layers, calibration):
    """Quantise a network; return the bytes of a ``.tflite`` file.

    Parameters
    ----------
    layers : trained layers from :func:`network.digits_network`.
    calibration : images ``[n, 8, 8, 1]`` from 0 to 1.
    """
    m = ModelWriter(description="handwritten digits, 8 x 8, int8 per channel")
    shape = (1, *calibration.shape[1:])
    scale, zero_point = INPUT_SCALE, INPUT_ZERO_POINT
    tensor = m.input("image", shape, scale=scale, zero_point=zero_point)
    for number, (layer, y) in enumerate(zip(layers, forward(layers, calibration))):
        shape, inputs = (1, *y.shape[1:]), [tensor]
        if isinstance(layer, Dense):
            flat = (1, layer.parameters[0].shape[1])
            target = m.constant("flat/shape", np.array(flat, np.int32))
            tensor = m.tensor("flat", flat, scale=scale, zero_point=zero_point)
            m.operator("RESHAPE", [*inputs, target], [tensor], new_shape=list(flat))
            inputs = [tensor]
        name = f"{type(layer).__name__.lower()}{number}"
        if layer.parameters:
            inputs += _constants(m, name, layer, scale)
            scale, zero_point = _range(y)
        tensor = m.tensor(name, shape, scale=scale, zero_point=zero_point)
        if isinstance(layer, Conv):
            options = {"padding": layer.padding, "fused_activation_function": "RELU"}
            m.operator("CONV_2D", inputs, [tensor], **options)
        elif isinstance(layer, Dense):
            m.operator("FULLY_CONNECTED", inputs, [tensor])
        else:
            kind = "AVERAGE_POOL_2D" if isinstance(layer, AveragePool) else "MAX_POOL_2D"
            window = dict(filter_height=2, filter_width=2, stride_h=2, stride_w=2)
            m.operator(kind, inputs, [tensor], **window)
    result = m.tensor("probability", shape, scale=1 / 256, zero_point=-128)
    m.operator("SOFTMAX", [tensor], [result])
    m.output(result)
    return m.finish()


def _constants(m, name, layer, s_in):
    """Add weights and bias of a layer to the model; return their tensors."""
    weights, bias = layer.parameters
    largest = np.abs(weights).reshape(len(weights), -1).max(axis=1)
    scales = (np.maximum(largest, 1e-6) / 127).astype(np.float32)
    per_channel = scales.reshape(-1, *[1] * (weights.ndim - 1))
    q_weights = np.clip(np.rint(weights / per_channel), -127, 127).astype(np.int8)
    s_bias = scales.astype(np.float64) * np.float32(s_in)
    q_bias = np.rint(bias / s_bias).astype(np.int32)
    return [
        m.constant(f"{name}/weights", q_weights, scale=scales),
        m.constant(f"{name}/bias", q_bias, scale=s_bias),
    ]


def _range(y):
    """Return scale and zero point of a range with all values of ``y`` and 0."""
    low, high = min(0.0, float(y.min())), max(0.0, float(y.max()))
    scale = (high - low) / 255
    return scale, int(np.rint(-128 - low / scale))
