"""Small random int8 models that exercise the corner cases of the arithmetic.

Scales are chosen such that outputs spread over the int8 range instead of saturating, for any bias.
One channel may have a bias near 2^30 and a multiplier near 2^-23, the next one no bias and a power
of two as multiplier, with which many sums are exact ties.
"""

import numpy as np

from golden.graph import read
from golden.windows import output_size
from weft_host.tflite_writer import ModelWriter

ACTIVATIONS = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")
KINDS = ("CONV_2D", "MAX_POOL_2D", "AVERAGE_POOL_2D", "FULLY_CONNECTED", "SOFTMAX")
"""Operators of :func:`random_model`; a RESHAPE is added before a fully connected layer."""


class Chain:
    """Model in which each operator takes the output of the previous one.

    Methods draw the parameters that they do not receive.

    Parameters
    ----------
    rng : :class:`numpy.random.Generator`.
    shape : shape of the input, ``[n, h, w, c]`` or ``[n, inputs]``.
    scale, zero_point : of the input.

    Attributes
    ----------
    shape, scale, zero_point : of the tensor at the end of the chain.
    macs : number of multiplications.
    """

    def __init__(self, rng, shape, *, scale=None, zero_point=None):
        self.rng = rng
        self.macs = 0
        self.writer = ModelWriter(description="random chain")
        self._set("input", shape, scale, zero_point)
        self.tensor = self.writer.input(
            "input", self.shape, scale=self.scale, zero_point=self.zero_point
        )

    def conv(self, channels, kernel, *, depthwise=False, **options):
        """Add a CONV_2D, or a DEPTHWISE_CONV_2D with ``channels`` outputs per input channel.

        Options: ``stride``, ``dilation``, ``padding``, ``activation``, ``scale``,
        ``zero_point``, ``bias`` (False for none), ``per_channel``.
        """
        padding = options.pop("padding", None) or self._pick("SAME", "VALID")
        stride = options.pop("stride", (1, 1))
        dilation = options.pop("dilation", (1, 1))
        n, _, _, c = self.shape
        size = self._output_size(kernel, stride, padding, dilation)
        name, extra = "CONV_2D", {}
        shape, axis, terms = (channels, *kernel, c), 0, kernel[0] * kernel[1] * c
        if depthwise:
            name, extra = "DEPTHWISE_CONV_2D", {"depth_multiplier": channels}
            channels *= c
            shape, axis, terms = (1, *kernel, channels), 3, kernel[0] * kernel[1]
        self.macs += n * size[0] * size[1] * channels * terms
        self._weighted(
            name,
            shape,
            axis,
            terms,
            (n, *size, channels),
            dict(
                padding=padding,
                stride_h=stride[0],
                stride_w=stride[1],
                dilation_h_factor=dilation[0],
                dilation_w_factor=dilation[1],
                **extra,
            ),
            **options,
        )

    def fully_connected(self, outputs, **options):
        """Add a FULLY_CONNECTED, after a RESHAPE to a matrix if one is needed.

        Options are those of :meth:`conv` without the geometry.
        """
        if len(self.shape) != 2:
            self.reshape((self.shape[0], int(np.prod(self.shape[1:]))))
        n, inputs = self.shape
        self.macs += n * inputs * outputs
        self._weighted(
            "FULLY_CONNECTED", (outputs, inputs), 0, inputs, (n, outputs), {}, **options
        )

    def pool(self, kind, kernel, *, stride=None, padding=None, activation="NONE"):
        """Add a MAX_POOL_2D or an AVERAGE_POOL_2D."""
        padding = padding or self._pick("SAME", "VALID")
        stride = stride or kernel
        n, _, _, c = self.shape
        shape = (n, *self._output_size(kernel, stride, padding, (1, 1)), c)
        self._add(
            kind,
            [self.tensor],
            shape,
            self.scale,
            self.zero_point,
            padding=padding,
            stride_h=stride[0],
            stride_w=stride[1],
            filter_height=kernel[0],
            filter_width=kernel[1],
            fused_activation_function=activation,
        )

    def reshape(self, shape):
        """Add a RESHAPE."""
        target = self.writer.constant("shape", np.array(shape, np.int32))
        inputs = [self.tensor, target]
        self._add("RESHAPE", inputs, shape, self.scale, self.zero_point, new_shape=list(shape))

    def softmax(self, *, beta=1.0):
        """Add a SOFTMAX over the last axis."""
        self._add("SOFTMAX", [self.tensor], self.shape, 1 / 256, -128, beta=beta)

    def finish(self):
        """Return the model as bytes; the end of the chain is its output."""
        self.writer.output(self.tensor)
        return self.writer.finish()

    def _weighted(
        self,
        name,
        shape,
        axis,
        terms,
        out_shape,
        schema_options,
        *,
        activation=None,
        scale=None,
        zero_point=None,
        bias=True,
        per_channel=True,
    ):
        activation = activation or self._pick(*ACTIVATIONS)
        s_in = self.scale
        weights = self.rng.integers(-127, 128, shape).astype(np.int8)
        if self.rng.random() < 0.25:
            weights[...] = self.rng.choice(np.array([-127, 127], np.int8), shape)
        inputs = [self.tensor]
        self._set(name, out_shape, scale, zero_point)
        channels = shape[axis]
        # a bias dominates its channel's sums or is a nuisance to them; 0 is a corner too
        size = 2.0 ** self.rng.uniform(0, 30, channels) * self.rng.integers(0, 2, channels)
        biases = np.rint(size * self.rng.choice([-1, 1], channels)).astype(np.int32)
        if not bias:
            biases = biases * 0
        spread = 5000 * np.sqrt(terms) + np.abs(biases.astype(np.float64))
        multiplier = self.rng.uniform(40, 160, channels) / spread
        exact = self.rng.random(channels) < 0.5
        multiplier[exact] = 2.0 ** np.rint(np.log2(multiplier[exact]))
        if not per_channel:
            multiplier = multiplier.min(keepdims=True)
        s_weights = multiplier * self.scale / s_in
        inputs.append(self.writer.constant("weights", weights, scale=s_weights, axis=axis))
        s_bias = s_weights * s_in
        if bias or name == "CONV_2D":  # its kernel requires a bias
            inputs.append(self.writer.constant("bias", biases, scale=s_bias))
        elif name == "FULLY_CONNECTED":
            inputs.append(-1)  # for the depthwise kernel, the input is omitted instead
        self._add(
            name,
            inputs,
            out_shape,
            self.scale,
            self.zero_point,
            fused_activation_function=activation,
            **schema_options,
        )

    def _set(self, name, shape, scale, zero_point):
        if scale is None:
            # half of the time powers of two: products of scales are then exact
            scale = 2.0 ** self.rng.uniform(-7, 0)
            scale = 2.0 ** np.rint(np.log2(scale)) if self.rng.random() < 0.5 else scale
        if zero_point is None:
            zero_point = int(self._pick(-128, 127, 0, int(self.rng.integers(-128, 128))))
        self.shape = tuple(int(n) for n in shape)
        self.scale = float(np.float32(scale))
        self.zero_point = zero_point

    def _add(self, name, inputs, shape, scale, zero_point, **options):
        self._set(name, shape, scale, zero_point)
        self.tensor = self.writer.tensor(
            name.lower(), self.shape, scale=self.scale, zero_point=self.zero_point
        )
        self.writer.operator(name, inputs, [self.tensor], **options)

    def _output_size(self, kernel, stride, padding, dilation):
        return tuple(
            output_size(self.shape[i + 1], kernel[i], stride[i], dilation[i], padding)
            for i in (0, 1)
        )

    def _pick(self, *choices):
        return choices[int(self.rng.integers(len(choices)))]


def random_model(seed, *, kinds=KINDS, operators=None, max_size=12, max_channels=20):
    """Return a random chain of operators on one image, as the bytes of a ``.tflite`` file.

    Parameters
    ----------
    seed : argument of :func:`numpy.random.default_rng`; equal seeds give equal bytes.
    kinds : names from :data:`KINDS`, or DEPTHWISE_CONV_2D, to draw from.
    operators : length of the chain without reshapes; drawn from 1 to 4 if None. The chain may be
        shorter: only fully connected layers and a softmax can follow a fully connected layer, and
        a softmax ends the chain.
    max_size, max_channels : bounds on the input's height and width, and on channel counts.
    """
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, max_size + 1, 2)
    chain = Chain(rng, (1, height, width, rng.integers(1, max_channels + 1)))
    for _ in range(operators or rng.integers(1, 5)):
        flat = len(chain.shape) == 2
        allowed = [k for k in kinds if not flat or k in ("FULLY_CONNECTED", "SOFTMAX")]
        if not allowed:
            break
        kind = allowed[int(rng.integers(len(allowed)))]
        append(chain, kind, int(rng.integers(1, max_channels + 1)))
        if kind == "SOFTMAX":
            break
    return chain.finish()


def random_input(model, seed):
    """Draw inputs for a model, in order: uniform, all of one extreme, or mostly zero points."""
    rng = np.random.default_rng([seed, 1])
    graph = read(model)
    arrays = []
    for tensor in (graph.tensors[i] for i in graph.inputs):
        if tensor.dtype == np.float32:
            arrays.append(_random_floats(rng, tensor.shape))
            continue
        array = rng.integers(-128, 128, tensor.shape).astype(np.int8)
        style = rng.integers(8)
        if style == 0:
            array[...] = rng.choice([-128, 127])
        elif style == 1:
            array[rng.random(tensor.shape) < 0.8] = tensor.zero_point[0]
        elif style == 2:
            array = rng.choice(np.array([-128, 127], np.int8), tensor.shape)
        arrays.append(array)
    return arrays


def _random_floats(rng, shape):
    """Draw floats of all magnitudes, with a few outside of int8 and of int32."""
    array = rng.normal(0, 2.0 ** rng.uniform(-4, 8), shape)
    array[rng.random(shape) < 0.02] = rng.choice([1e12, -1e12, 0.0])
    return array.astype(np.float32)


def append(chain, kind, channels):
    """Add an operator with a window or weights, or a SOFTMAX; draw its other parameters."""
    rng = chain.rng
    if kind == "FULLY_CONNECTED":
        chain.fully_connected(channels, per_channel=bool(rng.integers(2)), bias=rng.random() < 0.8)
        return
    if kind == "SOFTMAX":
        chain.softmax(beta=float(rng.choice([0.5, 1.0, 2.0])))
        return
    # a kernel may exceed the image with padding SAME only
    padding = chain._pick("SAME", "VALID")
    limits = [5 if padding == "SAME" else min(5, n) for n in chain.shape[1:3]]
    kernel = tuple(int(rng.integers(1, n + 1)) for n in limits)
    stride = tuple(int(n) for n in rng.integers(1, 4, 2))
    if kind in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        depthwise = kind == "DEPTHWISE_CONV_2D"
        chain.conv(
            min(channels, 3) if depthwise else channels,
            kernel,
            depthwise=depthwise,
            stride=stride,
            padding=padding,
            bias=rng.random() < 0.8,
        )
    else:
        activation = chain._pick(*ACTIVATIONS)
        chain.pool(kind, kernel, stride=stride, padding=padding, activation=activation)
