"""Scales whose ratio, rounded to float32, gives other results than as a double.

Kernels differ in this rounding. Random scales show it in about one of a thousand models only.
"""

import numpy as np

from golden.requantize import multiply_by_quantized_multiplier, quantize_multiplier

OFFSETS = np.arange(-255, 256)


def ratios(rng, count):
    """Return ``count`` triples (scale_in, 1, scale_out); the ratio is their quotient."""
    return _search(rng, count, lambda: np.float32(1))


def products(rng, count):
    """Return ``count`` triples (a, b, scale_out); the ratio is ``a * b / scale_out``."""
    return _search(rng, count, lambda: np.float32(rng.uniform(0.1, 0.9)))


def _search(rng, count, draw_other):
    found = []
    while len(found) < count:
        # the ratio times one of the offsets is close to a tie
        ratio = (rng.integers(0, 120) + 0.5) / rng.integers(3, 256)
        out, other = np.float32(rng.uniform(0.1, 1)), draw_other()
        scale = np.float32(ratio * float(out) / float(other))
        triple = float(scale), float(other), float(out)
        if (_results(scale * other / out) != _results(triple[0] * triple[1] / triple[2])).any():
            found.append(triple)
    return found


def _results(ratio):
    result = multiply_by_quantized_multiplier(OFFSETS, *quantize_multiplier(float(ratio)))
    # results of int8 span at most 255, for any zero points
    return np.clip(result, -255, 255)
