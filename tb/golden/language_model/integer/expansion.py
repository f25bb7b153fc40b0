"""Expansion of a file's 4-bit codes to int8 weights.

Each block of 32 weights of an output has a slope of 12 bits without sign, with 7 fraction bits, and
an offset of 12 bits with a sign, with 4 fraction bits, both in units of the output's scale.
"""

import typing

import numpy as np
import numpy.typing as npt

from golden.language_model.integer.fixed import Integers, round_half_up
from golden.language_model.parameters import Codes

__all__ = ["Expansion", "expand", "expansion_of"]

SLOPE_BITS, OFFSET_BITS = 7, 4      # fraction bits
HIGHEST_CODE = 15
LARGEST_WEIGHT = 127


class Expansion(typing.NamedTuple):
    """Codes ``(outputs, blocks, 32)``, and slopes and offsets ``(outputs, blocks)``."""

    codes: Integers
    slopes: Integers
    offsets: Integers


def expand(expansion: Expansion) -> Integers:
    """Return int8 weights: the slope times the code, plus the offset, rounded and saturated."""
    codes, slopes, offsets = expansion
    sums = codes * slopes[..., None] + (offsets << SLOPE_BITS - OFFSET_BITS)[..., None]
    half = 1 << SLOPE_BITS - 1
    return np.clip(sums + half >> SLOPE_BITS, -128, 127).reshape(len(codes), -1)


def expansion_of(codes: Codes) -> tuple[Expansion, npt.NDArray[np.float64]]:
    """Return the expansion of a file's codes, and the scale of each output.

    The largest magnitude of an output's weights becomes 127. The codes of each block are rewritten
    so that they begin at 0 and the largest one is at least 8, with the same weights: then slope and
    offset have 12 bits, whatever the file's codes are.
    """
    d, m = np.asarray(codes.d, np.float64), np.asarray(codes.m, np.float64)
    q = np.asarray(codes.q, np.int64)
    negative = d < 0
    q = np.where(negative[..., None], HIGHEST_CODE - q, q)
    m = np.where(negative, m + HIGHEST_CODE * d, m)
    d = np.abs(d)
    lowest = q.min(axis=2)
    q = q - lowest[..., None]
    m = m + d * lowest
    highest = q.max(axis=2)
    spread = HIGHEST_CODE // np.maximum(highest, 1)
    q = q * spread[..., None]
    d = np.where(highest > 0, d / spread, 0)
    scale = np.abs(d[..., None] * q + m[..., None]).max(axis=(1, 2)) / LARGEST_WEIGHT
    unit = np.where(scale > 0, scale, 1)[:, None]
    slopes, offsets = (round_half_up(x / unit * (1 << bits))
                       for x, bits in ((d, SLOPE_BITS), (m, OFFSET_BITS)))
    return Expansion(q, slopes, offsets), scale
