"""Random small networks with every int8 operator, branches, constants, float inputs and outputs.

While :mod:`support.models` exercises the arithmetic, this module mixes operators and writes files
like those of other tools: one of the two operator codes unset, unused tensors, scalars.
"""

import numpy as np

from support.models import ACTIVATIONS, Chain, append
from weft_host.tflite_writer import CODES, ModelWriter

BINARY = ("ADD", "SUB", "MUL")
CLAMPS = ("RELU", "RELU6", "RELU_N1_TO_1")
UNARY = (*CLAMPS, "HARD_SWISH", "LEAKY_RELU", "LOGISTIC", "QUANTIZE", "TANH")
MOVES = ("CONCATENATION", "PAD", "PADV2", "RESHAPE", "SLICE", "STRIDED_SLICE", "TRANSPOSE")
IMAGES = ("CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D", "AVERAGE_POOL_2D", "MEAN")
KINDS = (*BINARY, *UNARY, *MOVES, *IMAGES, "RESIZE_NEAREST_NEIGHBOR", "SOFTMAX")
"""Operators of :func:`random_network`. A network may also begin with a QUANTIZE of floats and end
with a FULLY_CONNECTED or a DEQUANTIZE."""


class Network(Chain):
    """Extension of :class:`support.models.Chain` with branches from earlier tensors.

    Parameters
    ----------
    rng, shape, scale, zero_point : see :class:`support.models.Chain`.
    codes : see :class:`weft_host.tflite_writer.ModelWriter`.
    float_input : begin with a float32 input and a QUANTIZE.

    Attributes
    ----------
    past : list of (tensor, shape, scale, zero_point), the oldest first.
    """

    def __init__(self, rng, shape, *, scale=None, zero_point=None, codes="both", float_input=False):
        self.rng, self.macs, self.past = rng, 0, []
        self.writer = ModelWriter(description="random network", codes=codes)
        if float_input:
            self.tensor = self.writer.input("input", shape, dtype="float32")
            self._add("QUANTIZE", [self.tensor], shape, scale, zero_point)
        else:
            self._set("input", shape, scale, zero_point)
            quantisation = dict(scale=self.scale, zero_point=self.zero_point)
            self.tensor = self.writer.input("input", self.shape, **quantisation)
            self._remember()

    def binary(self, op):
        """Add an ADD, SUB or MUL with an earlier tensor of equal shape or a broadcast constant."""
        same = [entry for entry in self.past if entry[1] == self.shape]
        if self.rng.random() < 0.5:
            tensor, shape, scale, zero = same[int(self.rng.integers(len(same)))]
        else:
            rank = len(self.shape)
            shape = self._pick((), (1,) * (rank - 1) + self.shape[-1:], self.shape, (1,) * rank)
            scale, zero = float(np.float32(self.scale * 2.0 ** self.rng.uniform(-2, 2))), 7
            value = self.rng.integers(-128, 128, shape).astype(np.int8)
            tensor = self.writer.constant("operand", value, scale=scale, zero_point=zero)
        inputs = [self.tensor, tensor]
        if self.rng.random() < 0.5:
            inputs.reverse()
        out = 128 * self.scale * scale if op == "MUL" else self.scale + scale
        self._add(
            op,
            inputs,
            self.shape,
            out * 2.0 ** self.rng.uniform(-1, 0.5),
            None,
            fused_activation_function=self._pick(*ACTIVATIONS),
        )

    def unary(self, op):
        """Add a function of one element."""
        fixed = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}
        scale, zero = fixed.get(op, (self.scale * 2.0 ** self.rng.uniform(-0.7, 0.7), None))
        options = {"alpha": float(self.rng.uniform(0, 0.5))} if op == "LEAKY_RELU" else {}
        self._add(op, [self.tensor], self.shape, scale, zero, **options)

    def mean(self):
        """Add a MEAN over height and width, with or without keeping the axes."""
        keep_dims = bool(self.rng.integers(2))
        n, _, _, c = self.shape
        scale, zero = self._pick((self.scale, self.zero_point), (self.scale * 0.4, None))
        axes = self.writer.constant("axes", np.array([1, 2], np.int32))
        shape = (n, 1, 1, c) if keep_dims else (n, c)
        self._add("MEAN", [self.tensor, axes], shape, scale, zero, keep_dims=keep_dims)

    def move(self, op):
        """Add one of :data:`MOVES` or a resize."""
        rng, shape, inputs, options = self.rng, self.shape, [self.tensor], {}
        rank = len(shape)
        if op == "CONCATENATION":
            inputs += self._pick([], [self.tensor], [self.tensor] * 2)
            options["axis"] = int(rng.integers(1, rank)) - self._pick(0, rank)
            axis = options["axis"] % rank
            shape = (*shape[:axis], shape[axis] * len(inputs), *shape[axis + 1 :])
        elif op in ("PAD", "PADV2"):
            paddings = rng.integers(0, 3, (rank, 2)).astype(np.int32)
            paddings[0] = 0
            inputs.append(self.writer.constant("paddings", paddings))
            if op == "PADV2":
                value = rng.integers(-128, 128, self._pick((), (1,))).astype(np.int8)
                quantisation = dict(scale=self.scale, zero_point=self.zero_point)
                inputs.append(self.writer.constant("value", value, **quantisation))
            shape = tuple(n + int(p.sum()) for n, p in zip(shape, paddings))
        elif op == "RESHAPE":
            shape = (shape[0], *self._pick(shape[:0:-1], (shape[-1], int(np.prod(shape[1:-1])))))
            inputs.append(self.writer.constant("shape", np.array(shape, np.int32)))
        elif op in ("SLICE", "STRIDED_SLICE"):
            begin = np.array([rng.integers(0, n) for n in shape], np.int32)
            end = np.array([rng.integers(b, n) + 1 for b, n in zip(begin, shape)], np.int32)
            strides = rng.integers(1, 3, rank).astype(np.int32)
            begin[0], end[0], strides[0] = 0, shape[0], 1
            operands = [begin, end - begin] if op == "SLICE" else [begin, end, strides]
            shape = (end - begin) if op == "SLICE" else (end - begin + strides - 1) // strides
            inputs += [self.writer.constant("operand", value) for value in operands]
        elif op == "TRANSPOSE":
            order = np.array([0, *(1 + rng.permutation(rank - 1))], np.int32)
            inputs.append(self.writer.constant("order", order))
            shape = [shape[axis] for axis in order]
        else:
            size = np.array(self._pick(rng.integers(1, 12, 2), [2 * shape[1], 2 * shape[2]]))
            inputs.append(self.writer.constant("size", size.astype(np.int32)))
            shape = (shape[0], *size.tolist(), shape[3])
            corners = self._pick((0, 0), (1, 0), (0, 1))
            options = dict(align_corners=corners[0], half_pixel_centers=corners[1])
        self._add(op, inputs, shape, self.scale, self.zero_point, **options)

    def dequantize(self):
        """Add a final DEQUANTIZE to float32."""
        output = self.writer.tensor("output", self.shape, dtype="float32")
        self.writer.operator("DEQUANTIZE", [self.tensor], [output])
        self.tensor = output

    def _add(self, *args, **options):
        super()._add(*args, **options)
        self._remember()

    def _remember(self):
        self.past.append((self.tensor, self.shape, self.scale, self.zero_point))


def random_network(seed, *, kinds=KINDS, operators=None, max_size=10, max_channels=12):
    """Return a random network with branches, as the bytes of a ``.tflite`` file.

    Parameters
    ----------
    seed : argument of :func:`numpy.random.default_rng`; equal seeds give equal bytes.
    kinds : names from :data:`KINDS` to draw from.
    operators : number of operators; drawn from 1 to 8 if None. The network may have fewer, if none
        of the kinds accepts the current shape.
    max_size, max_channels : bounds on the input's height and width, and on channel counts.
    """
    rng = np.random.default_rng(seed)
    shape = (1, *(int(n) for n in rng.integers(1, max_size + 1, 2)))
    shape = (*shape, int(rng.integers(1, max_channels + 1)))
    network = Network(rng, shape, codes=str(rng.choice(CODES)), float_input=rng.random() < 0.2)
    if rng.random() < 0.3:
        network.writer.constant("unused", np.arange(5, dtype=np.int64))
        network.writer.tensor("unused", (2, 3), dtype="float32")
    for _ in range(operators or int(rng.integers(1, 9))):
        large = np.prod(network.shape) > 4 * max_size**2 * max_channels
        allowed = [kind for kind in kinds if _fits(kind, network.shape, large)]
        if not allowed:
            break
        kind = allowed[int(rng.integers(len(allowed)))]
        if kind in BINARY:
            network.binary(kind)
        elif kind in UNARY:
            network.unary(kind)
        elif kind == "MEAN":
            network.mean()
        elif kind in (*MOVES, "RESIZE_NEAREST_NEIGHBOR"):
            network.move(kind)
        else:
            append(network, kind, int(rng.integers(1, max_channels + 1)))
    if rng.random() < 0.2:
        network.fully_connected(int(rng.integers(1, max_channels + 1)))
    if rng.random() < 0.2:
        network.dequantize()
    return network.finish()


def _fits(kind, shape, large):
    if large and kind in ("CONCATENATION", "PAD", "PADV2", "RESIZE_NEAREST_NEIGHBOR"):
        return False
    if kind == "SOFTMAX" and shape[-1] > 256:
        return False  # the kernel aborts if a row's exponentials add up to 512
    return len(shape) == 4 or kind not in (*IMAGES, "RESIZE_NEAREST_NEIGHBOR")
