"""Units of the queries, keys and values of a layer."""

import dataclasses
import math

import numpy as np

from ..frontend.llm.architecture import Architecture
from ..frontend.llm.model_file import Norm
from .factors import ACTIVATION_LIMIT, Integers, Reals, fraction_bits, round_half_up
from .quantize import Quantized, values_of

__all__ = ["HeadNorm", "Heads", "queries_and_keys", "values"]

_SCORE_BITS = 2 * 15 + 12       # two conversions to 16 bits, and the fraction bits of a score
_LARGEST_CACHED = 127
_MOST_SQUARED = 24              # fraction bits in front of a norm


@dataclasses.dataclass(frozen=True, eq=False)
class HeadNorm:
    """Norm of each head: int32 gains with a common shift, and eps in units of the squares."""

    gains: Integers
    shift: int
    eps: int


@dataclasses.dataclass(frozen=True, eq=False)
class Heads:
    """Units of the outputs of a projection to heads, and the fraction bits of each head."""

    units: Reals
    fractions: Integers
    norm: HeadNorm | None = None


def _plain(bounds: Reals, divisors: Reals, group: int, least: Integers | int = 0) -> Heads:
    largest = (bounds / divisors).max(axis=1)
    largest = np.repeat(largest.reshape(-1, group).max(axis=1), group)
    fractions = np.maximum([fraction_bits(bound) for bound in largest], least)
    return Heads((divisors * 2.0**-fractions[:, None]).reshape(-1), fractions)


def _normalised(model: Architecture, part: Quantized, gain: Reals, bounds: Reals,
                divisors: Reals, least: int = 0) -> Heads:
    size = model.head_size
    before = min(_MOST_SQUARED, fraction_bits(float(part.bound.max())))
    after = max(fraction_bits(float((bounds / divisors).max())), least)
    real = gain / divisors * (math.sqrt(size) / ACTIVATION_LIMIT * 2.0**after)
    shift = fraction_bits(float(np.abs(real).max()))
    norm = HeadNorm(round_half_up(real * 2.0**shift), shift,
                    round(model.eps * size * 4.0**before))
    outputs = len(part.bound)
    return Heads(np.full(outputs, 2.0**-before), np.full(outputs // size, after), norm)


def _rotated(model: Architecture, bounds: Reals) -> Reals:
    """Return the bounds of elements behind the rotation."""
    if model.rope is None:
        return bounds
    pairs = model.rope.dimensions // 2
    if model.rope.pairs == "neighbours":
        first, second = slice(0, 2 * pairs, 2), slice(1, 2 * pairs, 2)
    else:
        first, second = slice(0, pairs), slice(pairs, 2 * pairs)
    result = bounds.copy()
    result[..., first] = result[..., second] = np.hypot(bounds[..., first], bounds[..., second])
    return result


def _equalizers(bounds: Reals) -> Reals:
    """Return bounds over the geometric mean of those of the head; 1 for a bound of 0."""
    positive = bounds > 0
    logarithms = np.log(np.where(positive, bounds, 1))
    mean = logarithms.sum(axis=-1, keepdims=True) / np.maximum(
        positive.sum(axis=-1, keepdims=True), 1)
    return np.where(positive, np.exp(logarithms - mean), 1.0)


def queries_and_keys(model: Architecture, q: Quantized, k: Quantized, q_norm: Norm | None,
                     k_norm: Norm | None) -> tuple[Heads, Heads, Integers]:
    """Return the units of queries and keys, and the shift of the scores of each key head."""
    size, group = model.head_size, model.heads // model.kv_heads
    divisor = _LARGEST_CACHED * math.sqrt(size)
    if q_norm is None or k_norm is None:
        q_bounds, k_bounds = (_rotated(model, x.bound.reshape(-1, size)) for x in (q, k))
        equal = _equalizers(k_bounds)
        keys = _plain(k_bounds, equal, 1)
        queries = _plain(q_bounds, divisor / np.repeat(equal, group, axis=0), group,
                         _SCORE_BITS - np.repeat(keys.fractions, group))
    else:
        q_gain, k_gain = values_of(q_norm.weight), values_of(k_norm.weight)
        q_bounds, k_bounds = (_rotated(model, math.sqrt(size) * np.abs(gain))
                              for gain in (q_gain, k_gain))
        equal = _equalizers(k_bounds)
        keys = _normalised(model, k, k_gain, k_bounds, equal)
        queries = _normalised(model, q, q_gain, q_bounds, divisor / equal,
                              _SCORE_BITS - int(keys.fractions[0]))
    return queries, keys, queries.fractions[::group] + keys.fractions - _SCORE_BITS


def values(model: Architecture, v: Quantized, *, common: bool) -> Heads:
    """Return the units of values; all heads have a common one with ``common``."""
    bounds = v.bound.reshape(-1, model.head_size)
    return _plain(bounds, np.ones(bounds.shape), model.kv_heads if common else 1)
