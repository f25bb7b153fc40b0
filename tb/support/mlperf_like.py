"""Networks with the layer shapes of MLPerf Tiny and random weights, as ``.tflite`` files.

``python -m support.mlperf_like FOLDER`` writes each network with a case of random inputs and the
reference kernels' outputs, as ``weft bench models`` reads them.
"""

import argparse
import pathlib

import numpy as np

from .litert import outputs
from .models import Chain, random_input

__all__ = ["NETWORKS", "anomaly_detection", "visual_wake_words", "write_networks"]

_BLOCKS = ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *((128, 1),) * 5, (256, 2),
           (256, 1))
"""Output channels and stride of each pair of a depthwise and a 1 x 1 layer."""

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
    parser = argparse.ArgumentParser(description="Write the networks with a case each.")
    parser.add_argument("folder", type=pathlib.Path)
    write_networks(parser.parse_args().folder)
