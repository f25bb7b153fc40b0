"""Laws of the integer language model in plain Python, written from the page on its numerics.

Numbers are Python's integers of any size; vectors are lists. Every function states one law of
``docs/language_model_numerics.md``; nothing is taken from ``golden.language_model.integer``.
"""

import math
import operator
from fractions import Fraction

__all__ = ["attend", "cached", "center", "drain", "expand", "exponential", "factor_of", "gelu_gate",
           "limit16", "limit32", "norm", "product_exponent", "reciprocal_of_largest",
           "reciprocal_of_sum", "rounded", "sigmoid"]


def rounded(x, shift):
    """Return ``x / 2^shift`` to the nearest integer, halves up; 0 for shifts above 62."""
    if shift > 62:
        return 0
    if shift <= 0:
        return x * 2**-shift
    return (2 * x + 2**shift) // 2**(shift + 1)     # a Fraction would take ten times as long


def limit32(x):
    """Saturate to int32."""
    return max(-2**31, min(2**31 - 1, x))


def limit16(x, largest=32639):
    """Saturate to the magnitude ``largest``."""
    return max(-largest, min(largest, x))


def factor_of(real, bits=26):
    """Return (multiplier, shift) of a real number, given as a fraction or a float."""
    real = Fraction(real)
    if not real:
        return 0, 0
    shift = bits
    while abs(real) * Fraction(2) ** shift >= 2**bits:
        shift -= 1
    while abs(real) * Fraction(2) ** shift < 2 ** (bits - 1):
        shift += 1
    multiplier = round(real * Fraction(2) ** shift)
    if abs(multiplier) == 2**bits:
        multiplier, shift = multiplier // 2, shift - 1
    return multiplier, shift


def drain(x, weights, multiplier, shift, bias, pre_shift, exponent=0):
    """Return one output of a projection of 16-bit activations."""
    total = limit32(rounded(_dot(x, weights), pre_shift)) * multiplier
    return limit32(limit32(rounded(total, max(0, shift - pre_shift - exponent))) + bias)


def center(x):
    """Return a vector minus its mean."""
    mean = math.floor(Fraction(sum(x), len(x)) + Fraction(1, 2))
    return [limit32(value - mean) for value in x]


def norm(x, eps):
    """Return a vector of int32 numbers divided by the root of the sum of their squares."""
    square = sum(value * value for value in x) + eps
    if not square:
        return [0] * len(x)
    left = 62 - square.bit_length()
    left -= left % 2
    root = math.isqrt(math.floor(square * Fraction(2) ** left))
    reciprocal = 32639 * 2**46 // root
    return [limit16(rounded(value * reciprocal, 46 - left // 2)) for value in x]


def _table(function):
    return [math.floor(function(entry / 16) * 32768 + 0.5) for entry in range(257)]


_EXPONENTIAL = _table(lambda d: math.exp(-d))
_SIGMOID = _table(lambda d: 1 / (1 + math.exp(-d)))
_GELU_GATE = _table(
    lambda d: 1 / (1 + math.exp(-2 * math.sqrt(2 / math.pi) * (d + 0.044715 * d**3))))


def _between(table, x, fraction):
    """Return the value between two entries for ``x`` >= 0; the last entry beyond the table."""
    step = 2 ** (fraction - 4)
    entry = x // step
    if entry >= 256:
        return table[256]
    if step > 2**16:
        x, step = x // (step // 2**16), 2**16
    rise = (table[entry + 1] - table[entry]) * (x % step)
    return table[entry] + (2 * rise + step) // (2 * step)       # to the nearest integer


def exponential(d, fraction=12):
    """Return exp(-d), ``d`` >= 0, in units of 2^-15."""
    return 0 if d >= 16 * 2**fraction else _between(_EXPONENTIAL, d, fraction)


def sigmoid(x, fraction):
    """Return the logistic function in units of 2^-15."""
    value = _between(_SIGMOID, abs(x), fraction)
    return 32768 - value if x < 0 else value


def gelu_gate(x, fraction):
    """Return GELU's factor in units of 2^-15."""
    value = _between(_GELU_GATE, abs(x), fraction)
    return 32768 - value if x < 0 else value


def product_exponent(products):
    """Return the exponent of a position's gated products."""
    largest = max(abs(product) for product in products)
    exponent = max(0, largest.bit_length() - 15)
    return exponent + (rounded(largest, exponent) > 32639)


def _mantissa(x):
    """Return ``x`` > 0 with 31 bits, and the shift to the left that leads there."""
    left = 31 - x.bit_length()
    return math.floor(x * Fraction(2) ** left), left


def reciprocal_of_largest(largest):
    """Return the scale of a cached vector and the factor to its elements."""
    scale = min(65535, -(-largest // 32768))
    return scale, 127 * 2**24 // scale if scale else 0


def cached(x):
    """Return the int8 elements of a key or value, and their scale."""
    scale, factor = reciprocal_of_largest(max(abs(value) for value in x))
    return [limit16(rounded(value * factor, 39), 127) for value in x], scale


def reciprocal_of_sum(weights):
    """Return the factor and the shift by which sums over positions are divided."""
    mantissa, left = _mantissa(weights)
    return 2**67 // (127 * mantissa), 52 - left


def _dot(a, b):
    if len(a) != len(b):
        raise ValueError(f"vectors have {len(a)} and {len(b)} elements")
    return sum(map(operator.mul, a, b))


def attend(q, keys, values, score_shift, sum_shift):
    """Return the output of one query; ``keys`` and ``values`` are pairs of :func:`cached`."""
    size = len(values[0][0])
    total, sum_of_weights, maximum = [0] * size, 0, None
    for start in range(0, len(keys), 256):
        scores = [limit32(rounded(limit32(_dot(q, elements)) * scale, score_shift))
                  for elements, scale in keys[start:start + 256]]
        raised = max(scores) if maximum is None else max(maximum, *scores)
        decay = 0 if maximum is None else exponential(raised - maximum)
        weights = [exponential(raised - score) for score in scores]
        shares = [limit16(rounded(weight * scale, 15)) for weight, (_, scale) in zip(
            weights, values[start:start + 256], strict=True)]
        for element in range(size):
            added = _dot(shares, [v[element] for v, _ in values[start:start + 256]])
            total[element] = limit32(limit32(rounded(total[element] * decay, 15))
                                     + limit32(rounded(added, sum_shift)))
        sum_of_weights = rounded(sum_of_weights * decay, 15) + sum(weights)
        maximum = raised
    reciprocal, shift = reciprocal_of_sum(sum_of_weights)
    return [limit16(rounded(x * reciprocal, shift - sum_shift)) for x in total]


def expand(code, slope, offset):
    """Return the int8 weight of a 4-bit code."""
    value = Fraction(slope * code, 128) + Fraction(offset, 16)
    return max(-128, min(127, math.floor(value + Fraction(1, 2))))
