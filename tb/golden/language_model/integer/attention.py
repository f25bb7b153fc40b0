"""Causal attention over an int8 cache: softmax in blocks of positions, without a second pass.

Source of the law: Milakov and Gimelshein, "Online normalizer calculation for softmax"
(arXiv:1805.02867), algorithm 3, for blocks instead of single positions.
"""

import typing

import numpy as np

from golden.language_model.integer.fixed import (
    Integers,
    Multiplier,
    normalize,
    round_shift,
    saturate,
)
from golden.language_model.integer.planes import MOST, multiply
from golden.language_model.integer.tables import exponential

__all__ = ["BLOCK", "SCORE_BITS", "Cached", "attend", "quantize"]

BLOCK = 256             # positions of a block; part of the law
SCORE_BITS = 12         # fraction bits of a score
EXP_BITS = 15           # fraction bits of an exponential
LOWEST = -(1 << 31)
QUOTIENT_BITS = 67      # 2^67 over 127 times a sum of 31 bits has 31 bits


class Cached(typing.NamedTuple):
    """int8 vectors ``(positions, size)``, and the largest magnitude each of them had before."""

    values: Integers
    largest: Integers


def quantize(x: Integers) -> Cached:
    """Return int32 vectors as int8: ``x * 127 / largest``, rounded.

    The factor is the integer quotient of ``127 * 2^53`` and the largest magnitude, shifted to 31
    bits.
    """
    largest = np.abs(x).max(axis=-1)
    mantissa, left = normalize(largest, 31)
    factor = np.where(largest > 0, (127 << 53) // np.maximum(mantissa, 1), 0)
    return Cached(saturate(round_shift(x * factor[:, None], (53 - left)[:, None]), 127), largest)


def _per_position(largest: Integers, factor: Multiplier) -> Multiplier:
    """Return a factor times the largest magnitude of each position, as multipliers of 31 bits."""
    mantissa, left = normalize(largest, 31)
    return Multiplier(round_shift(mantissa * factor.multiplier, 31), factor.shift + left - 31)


def attend(q: Integers, k: Cached, v: Cached, score: Multiplier, weight: Multiplier,
           before: int) -> Integers:
    """Return the output of one query vector, in units of its V head's bound over MOST.

    Parameters
    ----------
    q : ``(size,)``, 16 bits.
    k, v : the cache of the head, up to the query's own position.
    score : factor of 31 bits from a product of ``q`` and ``k`` times the largest magnitude of ``k``
        to a score.
    weight : factor of 31 bits from the largest magnitude of ``v`` to ``MOST * 2^15`` at its bound.
    before : shift of the sums over positions, which keeps them in int32 for the longest context.
    """
    total = np.zeros(v.values.shape[1], np.int64)
    sum_of_weights, most = 0, LOWEST
    for start in range(0, len(k.values), BLOCK):
        block = slice(start, start + BLOCK)
        scale = _per_position(k.largest[block], score)
        product = saturate(multiply(q[None], k.values[block])[0])
        scores = saturate(round_shift(product * scale.multiplier, scale.shift))
        now = max(most, int(scores.max()))
        e = exponential(now - scores, SCORE_BITS)
        decay = int(exponential(np.array(now - most), SCORE_BITS)) if start else 0
        scale = _per_position(v.largest[block], weight)
        p = saturate(round_shift(e * scale.multiplier, scale.shift), MOST)
        sums = multiply(p[None], v.values[block].T)[0]
        total = saturate(round_shift(total * decay, EXP_BITS) + round_shift(sums, before))
        sum_of_weights = int(round_shift(np.array(sum_of_weights * decay), EXP_BITS)) + int(e.sum())
        most = now
    # sums are in units of 127, and weights in units of 2^-15
    mantissa, left = (int(x) for x in normalize(np.array(sum_of_weights), 31))
    factor = (1 << QUOTIENT_BITS) // (127 * mantissa)
    shift = QUOTIENT_BITS - left - before - EXP_BITS
    return saturate(round_shift(total * factor, shift), MOST)
