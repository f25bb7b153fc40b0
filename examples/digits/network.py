"""Layers of a small convolutional network in numpy, forward and backward.

Images are ``[n, h, w, c]`` float32. ``forward`` stores the values that ``backward`` needs.
``backward`` takes the gradient of the loss with respect to the layer's output, returns the one with
respect to its input, and stores those with respect to ``parameters`` in ``gradients``.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


class Conv:
    """3 x 3 convolution with stride 1 and ReLU. Weights are ``[out, 3, 3, in]``."""

    def __init__(self, rng, channels_in, channels_out, *, padding):
        self.padding = padding
        spread = np.sqrt(2 / (9 * channels_in))
        weights = rng.normal(0, spread, (channels_out, 3, 3, channels_in)).astype(np.float32)
        self.parameters = [weights, np.zeros(channels_out, np.float32)]
        self.gradients = [np.zeros_like(p) for p in self.parameters]

    def forward(self, x):
        weights, bias = self.parameters
        if self.padding == "SAME":
            x = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        self.shape = x.shape
        patches = sliding_window_view(x, (3, 3), axis=(1, 2)).transpose(0, 1, 2, 4, 5, 3)
        self.columns = patches.reshape(-1, weights[0].size)
        y = self.columns @ weights.reshape(len(weights), -1).T + bias
        self.positive = y > 0
        return (y * self.positive).reshape(*patches.shape[:3], len(weights))

    def backward(self, gradient):
        weights, _ = self.parameters
        _, out_h, out_w, channels = gradient.shape
        flat = gradient.reshape(-1, channels) * self.positive
        self.gradients[0][...] = (flat.T @ self.columns).reshape(weights.shape)
        self.gradients[1][...] = flat.sum(axis=0)
        taps = (flat @ weights.reshape(channels, -1)).reshape(
            -1, out_h, out_w, 3, 3, self.shape[3]
        )
        padded = np.zeros(self.shape, np.float32)
        for i in range(3):
            for j in range(3):
                padded[:, i : i + out_h, j : j + out_w] += taps[:, :, :, i, j]
        return padded[:, 1:-1, 1:-1] if self.padding == "SAME" else padded


class MaxPool:
    """Maximum of each 2 x 2 block."""

    parameters: list = []
    gradients: list = []

    def forward(self, x):
        blocks = _blocks(x)
        y = blocks.max(axis=(2, 4), keepdims=True)
        self.chosen = blocks == y
        # tied elements share the gradient
        self.chosen = self.chosen / self.chosen.sum(axis=(2, 4), keepdims=True, dtype=np.float32)
        return y[:, :, 0, :, 0]

    def backward(self, gradient):
        spread = self.chosen * gradient[:, :, None, :, None]
        n, h, _, w, _, c = spread.shape
        return spread.reshape(n, 2 * h, 2 * w, c)


class AveragePool:
    """Mean of each 2 x 2 block."""

    parameters: list = []
    gradients: list = []

    def forward(self, x):
        return _blocks(x).mean(axis=(2, 4))

    def backward(self, gradient):
        return gradient.repeat(2, axis=1).repeat(2, axis=2) / 4


class Dense:
    """Fully connected layer on the flattened input. Weights are ``[out, in]``."""

    def __init__(self, rng, inputs, outputs):
        weights = rng.normal(0, np.sqrt(1 / inputs), (outputs, inputs)).astype(np.float32)
        self.parameters = [weights, np.zeros(outputs, np.float32)]
        self.gradients = [np.zeros_like(p) for p in self.parameters]

    def forward(self, x):
        self.shape = x.shape
        self.flat = x.reshape(len(x), -1)
        return self.flat @ self.parameters[0].T + self.parameters[1]

    def backward(self, gradient):
        self.gradients[0][...] = gradient.T @ self.flat
        self.gradients[1][...] = gradient.sum(axis=0)
        return (gradient @ self.parameters[0]).reshape(self.shape)


def digits_network(rng):
    """Return the layers for 8 x 8 x 1 images and ten classes; the softmax is part of the loss."""
    return [
        Conv(rng, 1, 8, padding="SAME"),
        Conv(rng, 8, 16, padding="SAME"),
        MaxPool(),
        Conv(rng, 16, 24, padding="VALID"),
        AveragePool(),
        Dense(rng, 24, 10),
    ]


def forward(layers, x):
    """Return the output of every layer, in order."""
    outputs = []
    for layer in layers:
        x = layer.forward(x)
        outputs.append(x)
    return outputs


def softmax(logits):
    """Compute the softmax over the last axis."""
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


class Adam:
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019)."""

    def __init__(self, layers, *, decay):
        self.pairs = [(p, g) for la in layers for p, g in zip(la.parameters, la.gradients)]
        self.first = [np.zeros_like(p) for p, _ in self.pairs]
        self.second = [np.zeros_like(p) for p, _ in self.pairs]
        self.decay = decay
        self.steps = 0

    def step(self, rate):
        self.steps += 1
        correction = np.sqrt(1 - 0.999**self.steps) / (1 - 0.9**self.steps)
        for (p, g), first, second in zip(self.pairs, self.first, self.second):
            first += 0.1 * (g - first)
            second += 0.001 * (g * g - second)
            p -= rate * (correction * first / (np.sqrt(second) + 1e-8) + self.decay * p)


def _blocks(x):
    n, h, w, c = x.shape
    return x.reshape(n, h // 2, 2, w // 2, 2, c)
