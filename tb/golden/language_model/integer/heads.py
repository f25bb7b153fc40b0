"""Units of the queries, keys and values of a layer.

Each head has a power of two as its unit, so that the bound of its vectors is from 2^29 to 2^30;
the query heads that share a key have a common one.
Queries contain the root of the head size and the 127 of cached keys, which scores are divided by.

Before that, the elements of keys are divided by their bounds, and those of queries multiplied by
the same numbers, which changes no score. Otherwise, elements with large weights or biases would
determine the scale of a cached key, and the int8 cache would lose the others.
"""

import math
import typing

import numpy as np

from golden.language_model.integer.attention import ACTIVATION_SHIFT, CACHE_LIMIT, SCORE_FRACTION
from golden.language_model.integer.fixed import Integers, round_half_up
from golden.language_model.integer.parameters import Gains, HeadNorm
from golden.language_model.integer.planes import ACTIVATION_LIMIT
from golden.language_model.integer.projections import Quantized, Reals, fraction_of
from golden.language_model.parameters import Model, NormParameters

__all__ = ["Heads", "heads_of", "queries_and_keys"]


MOST_SQUARED = 24       # fraction bits in front of a norm, so that eps has at most 64 bits


class Heads(typing.NamedTuple):
    """Units of a projection of heads.

    Attributes
    ----------
    units : unit of each output of the projection.
    norm : norm behind the projection, or ``None``.
    fractions : fraction bits of each head, behind the norm if there is one.
    """

    units: Reals
    norm: HeadNorm | None
    fractions: Integers


def heads_of(bounds: Reals, divisors: Reals, *, group: int = 1,
             least: Integers | int = 0) -> Heads:
    """Return the units of a projection of heads without a norm.

    Parameters
    ----------
    bounds : largest magnitude of each element, ``(heads, head_size)``.
    divisors : numbers by which elements are divided, ``(heads, head_size)``.
    group : number of successive heads that have the same unit.
    least : fewest fraction bits of each head; numbers may then saturate.
    """
    largest = (bounds / divisors).max(axis=1)
    largest = np.repeat(largest.reshape(-1, group).max(axis=1), group)
    fractions = np.maximum([fraction_of(bound) for bound in largest], least)
    return Heads((divisors * 2.0**-fractions[:, None]).reshape(-1), None, fractions)


def _heads_with_norm(model: Model, quantized: Quantized, gain: Reals, bounds: Reals,
                     divisors: Reals, least: int = 0) -> Heads:
    """Return the units of a projection with a norm of each head behind it.

    All heads have the same gains, bounds and divisors, ``(head_size,)``.
    """
    size = model.head_size
    before = min(MOST_SQUARED, fraction_of(float(quantized.bound.max())))
    after = max(fraction_of(float((bounds / divisors).max())), least)
    real = gain / divisors * (math.sqrt(size) / ACTIVATION_LIMIT * 2.0**after)
    shift = fraction_of(float(np.abs(real).max()))
    norm = HeadNorm(Gains(round_half_up(real * 2.0**shift), shift),
                    round(model.eps * size * 4.0**before))
    return Heads(np.full(len(quantized.bound), 2.0**-before), norm,
                 np.full(len(quantized.bound) // size, after))


def _rotated(model: Model, bounds: Reals) -> Reals:
    """Return the bounds of elements behind the rotation: the norm of each pair's bounds."""
    if model.rotation is None:
        return bounds
    count = len(model.rotation.frequencies)
    if model.rotation.pairs == "neighbours":
        first, second = slice(0, 2 * count, 2), slice(1, 2 * count, 2)
    else:
        first, second = slice(0, count), slice(count, 2 * count)
    result = bounds.copy()
    result[..., first] = result[..., second] = np.hypot(bounds[..., first], bounds[..., second])
    return result


def _equalizers(bounds: Reals) -> Reals:
    """Return the divisors of keys: their bounds over the geometric mean of those of the head."""
    positive = bounds > 0
    logarithms = np.log(np.where(positive, bounds, 1))
    mean = logarithms.sum(axis=-1, keepdims=True) / np.maximum(
        positive.sum(axis=-1, keepdims=True), 1)
    return np.where(positive, np.exp(logarithms - mean), 1.0)


def queries_and_keys(model: Model, q: Quantized, k: Quantized, q_norm: NormParameters | None,
                     k_norm: NormParameters | None) -> tuple[Heads, Heads, Integers]:
    """Return the units of queries and keys, and the shift of the scores of each key head."""
    size, group = model.head_size, model.heads // model.kv_heads
    bits = 2 * ACTIVATION_SHIFT + SCORE_FRACTION
    divisor = CACHE_LIMIT * math.sqrt(size)
    if q_norm is None or k_norm is None:
        q_bounds, k_bounds = (_rotated(model, x.bound.reshape(-1, size)) for x in (q, k))
        equal = _equalizers(k_bounds)
        keys = heads_of(k_bounds, equal)
        shared = np.repeat(keys.fractions, group)
        queries = heads_of(q_bounds, divisor / np.repeat(equal, group, axis=0), group=group,
                           least=bits - shared)
    else:
        q_gain, k_gain = (np.asarray(norm.gain, np.float64) for norm in (q_norm, k_norm))
        q_bounds, k_bounds = (_rotated(model, math.sqrt(size) * np.abs(gain))
                              for gain in (q_gain, k_gain))
        equal = _equalizers(k_bounds)
        keys = _heads_with_norm(model, k, k_gain, k_bounds, equal)
        shared = np.repeat(keys.fractions, group)
        queries = _heads_with_norm(model, q, q_gain, q_bounds, divisor / equal,
                                   bits - int(keys.fractions[0]))
    return queries, keys, queries.fractions[::group] + keys.fractions - bits
