"""Networks with the layer shapes of known ones and random weights, as ``.tflite`` files.

``python -m support.mlperf_like FOLDER`` writes each network of MLPerf Tiny with a case of random
inputs and the reference kernels' outputs, as ``weft bench models`` reads them.
``python -m support.mlperf_like --mobilenet-v2 224 FILE`` writes a MobileNetV2 for images of
224 x 224 pixels, to measure the compiler and the cycle model on.
"""

import argparse
import pathlib

import numpy as np

from .litert import outputs
from .models import Chain, random_input

__all__ = ["NETWORKS", "anomaly_detection", "mobilenet_v2", "visual_wake_words", "write_networks"]

_BLOCKS = ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *((128, 1),) * 5, (256, 2),
           (256, 1))
"""Output channels and stride of each pair of a depthwise and a 1 x 1 layer."""

_BOTTLENECKS = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                (6, 160, 3, 2), (6, 320, 1, 1))
"""Expansion, output channels, blocks and stride of the first block, from table 2 of M. Sandler et
al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018."""

_SCALE = 0.05


def visual_wake_words(seed=0):
    """Return MobileNetV1 of width 0.25: 96 x 96 x 3 pixels to 2 classes, 7,489,664 MACs."""
    chain = Chain(np.random.default_rng(seed), (1, 96, 96, 3), scale=1 / 255, zero_point=-128)
    layer = dict(padding="SAME", activation="RELU", scale=_SCALE, zero_point=-128)
    chain.conv(8, (3, 3), stride=(2, 2), **layer)
    for channels, stride in _BLOCKS:
        chain.conv(1, (3, 3), depthwise=True, stride=(stride, stride), **layer)
        chain.conv(channels, (1, 1), **layer)
    chain.pool("AVERAGE_POOL_2D", (3, 3), padding="VALID")
    chain.fully_connected(2, activation="NONE", scale=_SCALE, zero_point=5)
    chain.softmax()
    return chain.finish()


def anomaly_detection(seed=0):
    """Return an autoencoder: ten fully connected layers, 264,192 weights, a scale per layer."""
    chain = Chain(np.random.default_rng(seed), (1, 640), scale=0.4, zero_point=90)
    for size in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        chain.fully_connected(size, activation="RELU", scale=_SCALE, zero_point=-128,
                              per_channel=False)
    chain.fully_connected(640, activation="NONE", scale=0.4, zero_point=90, per_channel=False)
    return chain.finish()


def mobilenet_v2(size, *, width=1.0, classes=1000, seed=0):
    """Return MobileNetV2: ``size`` x ``size`` x 3 pixels to ``classes`` classes.

    It has 17 blocks and 53 layers with weights; of width 1.0 and size 224, 300,774,272 MACs.

    Parameters
    ----------
    size : height and width of the image in pixels.
    width : multiplier of the channels, each then a multiple of 8. The last layer before the pool
        has 1280 channels at least.
    classes : number of outputs.
    seed : of the weights.
    """
    chain = _Residual(np.random.default_rng(seed), (1, size, size, 3), scale=1 / 128, zero_point=0)
    layer = dict(padding="SAME", activation="RELU6", scale=_SCALE, zero_point=-128)
    chain.conv(_channels(32 * width), (3, 3), stride=(2, 2), **layer)
    for expansion, channels, blocks, first_stride in _BOTTLENECKS:
        for block in range(blocks):
            start, inputs = chain.tensor, chain.shape[3]
            stride = 1 if block else first_stride
            if expansion > 1:
                chain.conv(expansion * inputs, (1, 1), **layer)
            chain.conv(1, (3, 3), depthwise=True, stride=(stride, stride), **layer)
            chain.conv(_channels(channels * width), (1, 1), padding="SAME", activation="NONE",
                       scale=_SCALE, zero_point=3)
            if block:
                chain.add(start)
    chain.conv(_channels(1280 * max(1.0, width)), (1, 1), **layer)
    chain.pool("AVERAGE_POOL_2D", chain.shape[1:3], padding="VALID")
    chain.fully_connected(classes, activation="NONE", scale=_SCALE, zero_point=5)
    chain.softmax()
    return chain.finish()


class _Residual(Chain):
    def add(self, other):
        """Add an ADD of an earlier tensor of equal shape, scale and zero point."""
        self._add("ADD", [other, self.tensor], self.shape, self.scale, self.zero_point,
                  fused_activation_function="NONE")


def _channels(count):
    """Round to a multiple of 8 that is at least 90 % of ``count``, as MobileNetV2 does."""
    rounded = max(8, int(count + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * count else rounded


NETWORKS = {"visual_wake_words_like": visual_wake_words,
            "anomaly_detection_like": anomaly_detection}
"""Networks by name."""


def write_networks(folder):
    """Write ``NAME/model.tflite`` and ``NAME/random.npz`` for each network into ``folder``."""
    for name, make in NETWORKS.items():
        model = make()
        inputs = random_input(model, 0)
        target = pathlib.Path(folder, name)
        target.mkdir(parents=True, exist_ok=True)
        (target / "model.tflite").write_bytes(model)
        np.savez(target / "random.npz", in0=inputs[0], out0=outputs(model, inputs)[0])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", type=pathlib.Path, help="folder, or file of the MobileNetV2")
    parser.add_argument("--mobilenet-v2", type=int, metavar="SIZE",
                        help="write a MobileNetV2 for images of SIZE x SIZE pixels")
    parser.add_argument("--width", type=float, default=1.0,
                        help="multiplier of its channels (default: 1.0)")
    chosen = parser.parse_args()
    if chosen.mobilenet_v2:
        chosen.target.write_bytes(mobilenet_v2(chosen.mobilenet_v2, width=chosen.width))
    else:
        write_networks(chosen.target)
