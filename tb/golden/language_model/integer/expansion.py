"""Expansion of a file's 4-bit codes to int8 weights.

Each block of 32 weights of an output has a slope of 12 bits without sign, with 7 fraction bits, and
an offset of 12 bits with a sign, with 4 fraction bits, both in units of the output's scale.
"""

import typing

import numpy as np
import numpy.typing as npt

from golden.language_model.integer.fixed import Integers
from golden.language_model.parameters import Codes

__all__ = ["Expansion", "expand", "expansion_of"]

SLOPE_BITS, OFFSET_BITS = 7, 4      # fraction bits
HIGHEST_CODE = 15


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

    The largest magnitude of an output's weights and offsets becomes 127. Codes of blocks with a
    negative slope are complemented.
    """
    d, m = np.asarray(codes.d, np.float64), np.asarray(codes.m, np.float64)
    q = np.asarray(codes.q, np.int64)
    negative = d < 0
    q = np.where(negative[..., None], HIGHEST_CODE - q, q)
    m = np.where(negative, m + HIGHEST_CODE * d, m)
    d = np.abs(d)
    largest = np.maximum(np.abs(d[..., None] * q + m[..., None]).max(axis=2), np.abs(m))
    scale = largest.max(axis=1) / 127
    unit = np.where(scale > 0, scale, 1)[:, None]
    slopes, offsets = (np.floor(x / unit * (1 << bits) + 0.5).astype(np.int64)
                       for x, bits in ((d, SLOPE_BITS), (m, OFFSET_BITS)))
    return Expansion(q, slopes, offsets), scale
