"""Hyperbolic tangent in float32, with the results of the GNU C library on every machine.

The reference kernel of TANH calls ``tanhf`` of the C library. The last bit of ``tanhf`` is not
always correctly rounded, which shows where a result lies close to the boundary between two bytes.
This is the algorithm of Sun's fdlibm (``s_tanhf.c``, ``s_expm1f.c``), which glibc uses up to
release 2.40; every step is in float32.
"""

import numpy as np
import numpy.typing as npt

__all__ = ["tanh"]

_LN2_HI, _LN2_LO = np.float32(6.9313812256e-01), np.float32(9.0580006145e-06)
_INV_LN2 = np.float32(1.4426950216)
_Q = tuple(np.float32(q) for q in (-3.3333335072e-02, 1.5873016091e-03, -7.9365076090e-05,
                                   4.0082177293e-06, -2.0109921195e-07))
# 0.5 ln 2 and 1.5 ln 2: the reduction subtracts k ln 2, with k = 0 up to the first and |k| = 1
# below the second
_HALF_LN2, _THREE_HALVES_LN2 = np.float32(0.3465735912322998), np.float32(1.0397207736968994)
_HALF, _ONE, _TWO, _THREE, _SIX = (np.float32(n) for n in (0.5, 1, 2, 3, 6))


def tanh(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the hyperbolic tangent of each element of a one-dimensional float32 array."""
    return np.array([_tanh(x) for x in values], np.float32)


def _tanh(x: np.float32) -> np.float32:
    size = np.abs(np.float32(x))
    if size >= 22:
        result = _ONE
    elif size < 2.0 ** -55:
        return x
    elif size >= 1:
        result = _ONE - _TWO / (_expm1(_TWO * size) + _TWO)
    else:
        t = _expm1(-_TWO * size)
        result = -t / (t + _TWO)
    return result if x >= 0 else -result


def _expm1(x: np.float32) -> np.float32:
    """Return exp(x) - 1 for x from -2 to 44."""
    size = np.abs(x)
    if size < 2.0 ** -25:
        return x
    k, c = 0, np.float32(0)
    if size > _HALF_LN2:
        # x = k ln 2 + remainder; c is the rounding error of the remainder
        k = int(np.copysign(1, x)) if size < _THREE_HALVES_LN2 else \
            int(_INV_LN2 * x + np.copysign(_HALF, x))
        high, low = x - np.float32(k) * _LN2_HI, np.float32(k) * _LN2_LO
        x = high - low
        c = (high - x) - low
    half = _HALF * x
    square = x * half
    r = _Q[4]
    for q in (*_Q[3::-1], _ONE):
        r = q + square * r
    t = _THREE - r * half
    e = square * ((r - t) / (_SIX - x * t))
    if k == 0:
        return x - (x * e - square)
    e = (x * (e - c) - c) - square
    if k == -1:
        return _HALF * (x - e) - _HALF
    if k == 1:
        return -_TWO * (e - (x + _HALF)) if x < -0.25 else _ONE + _TWO * (x - e)
    scale = np.float32(2.0 ** k)
    if k <= -2 or k > 56:
        return (_ONE - (e - x)) * scale - _ONE
    inverse = np.float32(2.0 ** -k)
    if k < 23:
        return ((_ONE - inverse) - (e - x)) * scale
    return ((x - (e + inverse)) + _ONE) * scale
