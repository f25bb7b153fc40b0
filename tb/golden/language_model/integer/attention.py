"""Causal attention over an int8 cache: softmax in blocks of positions, without a second pass.

Source of the law: Milakov and Gimelshein, "Online normalizer calculation for softmax"
(arXiv:1805.02867), algorithm 3, for blocks instead of single positions.
"""

import typing

import numpy as np

from golden.language_model.integer.fixed import (
    Integers,
    clamp,
    normalize,
    round_shift,
    saturate,
)
from golden.language_model.integer.planes import ACTIVATION_LIMIT, multiply
from golden.language_model.integer.tables import FRACTION, exponential

__all__ = ["ACTIVATION_SHIFT", "BLOCK", "CACHE_LIMIT", "MOST_POSITIONS", "SCORE_FRACTION", "Cached",
           "attend", "quantize", "query_activations", "reciprocal_largest", "reciprocal_sum"]

CACHE_LIMIT = 127           # largest magnitude in the cache
BLOCK = 256                 # positions of a block; part of the law
MOST_POSITIONS = (1 << 16) - 1      # the sum of weights of 15 fraction bits has at most 31 bits
SCORE_FRACTION = 12         # fraction bits of a score
ACTIVATION_SHIFT = 15       # from queries, keys and values in int32 to 16 bits
MOST_SCALE = (1 << 16) - 1
DIVIDEND_BITS = 24          # 127 * 2^24 has 31 bits
QUOTIENT_BITS = 67          # 2^67 over 127 times a sum of 31 bits has 31 bits


class Cached(typing.NamedTuple):
    """int8 vectors ``(positions, size)``, and the scale of each one.

    Element ``x`` of a vector with the scale ``s`` stands for ``x * s * 2^15 / 127`` in the unit of
    the int32 vector.
    """

    values: Integers
    scales: Integers


def query_activations(q: Integers) -> Integers:
    """Return int32 queries as activations of 16 bits."""
    return clamp(round_shift(q, ACTIVATION_SHIFT), ACTIVATION_LIMIT)


def reciprocal_largest(largest: Integers) -> tuple[Integers, Integers]:
    """Return the scales of vectors with these largest magnitudes, and the factors to 127.

    A scale is the magnitude over 2^15, rounded up, with at most 16 bits. The factor is the integer
    quotient of ``127 * 2^24`` and the scale, or 0 for a vector of zeros.
    """
    scales = np.minimum(largest + (1 << ACTIVATION_SHIFT) - 1 >> ACTIVATION_SHIFT, MOST_SCALE)
    factors = (CACHE_LIMIT << DIVIDEND_BITS) // np.maximum(scales, 1)
    return scales, np.where(scales > 0, factors, 0)


def quantize(x: Integers) -> Cached:
    """Return int32 vectors as int8 vectors with scales."""
    scales, factors = reciprocal_largest(np.abs(x).max(axis=-1))
    values = round_shift(x * factors[:, None], DIVIDEND_BITS + ACTIVATION_SHIFT)
    return Cached(clamp(values, CACHE_LIMIT), scales)


def reciprocal_sum(sum_of_weights: int) -> tuple[int, int]:
    """Return a factor of 31 bits and a shift, for ``2^15 / (127 * sum_of_weights)``.

    The sum is shifted to 31 bits; the factor is the integer quotient of 2^67 and 127 times that.
    """
    mantissa, left = (int(x) for x in normalize(np.array(sum_of_weights)))
    return (1 << QUOTIENT_BITS) // (CACHE_LIMIT * mantissa), QUOTIENT_BITS - left - FRACTION


def attend(q: Integers, k: Cached, v: Cached, score_shift: int, sum_shift: int) -> Integers:
    """Return the output of one query vector with 16 bits, in units of 2^15 of the int32 values.

    Parameters
    ----------
    q : ``(size,)``, 16 bits.
    k, v : the cache of the head, up to the query's own position.
    score_shift : shift from a product of query and cached key, times the key's scale, to a score.
    sum_shift : shift of the sums over positions, which keeps them in int32 for the longest context.
    """
    total = np.zeros(v.values.shape[1], np.int64)
    sum_of_weights, maximum = 0, 0
    for start in range(0, len(k.values), BLOCK):
        block = slice(start, start + BLOCK)
        products = saturate(multiply(q[None], k.values[block])[0])
        scores = saturate(round_shift(products * k.scales[block], score_shift))
        raised = max(maximum, int(scores.max())) if start else int(scores.max())
        weights = exponential(raised - scores, SCORE_FRACTION)
        decay = int(exponential(np.array(raised - maximum), SCORE_FRACTION)) if start else 0
        p = clamp(round_shift(weights * v.scales[block], FRACTION), ACTIVATION_LIMIT)
        sums = saturate(round_shift(multiply(p[None], v.values[block].T)[0], sum_shift))
        carried = saturate(round_shift(np.append(total, sum_of_weights) * decay, FRACTION))
        total = saturate(carried[:-1] + sums)
        sum_of_weights = int(carried[-1] + weights.sum())
        maximum = raised
    factor, shift = reciprocal_sum(sum_of_weights)
    return clamp(round_shift(total * factor, shift - sum_shift), ACTIVATION_LIMIT)
