"""tanh of a float32 as the GNU C library has it, on every machine alike.

The reference kernel of TANH calls the C library's ``tanhf``, whose last bit is not always the
nearest one, and a result on the edge between two bytes shows it. This is the algorithm of Sun's
fdlibm (``s_tanhf.c``, ``s_expm1f.c``), which glibc has up to release 2.40: float32 at each step.
"""

import numpy as np

__all__ = ["tanh"]

_LN2_HI, _LN2_LO = np.float32(6.9313812256e-01), np.float32(9.0580006145e-06)
_INV_LN2 = np.float32(1.4426950216)
_Q = tuple(np.float32(q) for q in (-3.3333335072e-02, 1.5873016091e-03, -7.9365076090e-05,
                                   4.0082177293e-06, -2.0109921195e-07))
# half of ln 2 and one and a half of it: up to the first k is 0, below the second 1
_FEW, _MANY = np.float32(0.3465735912322998), np.float32(1.0397207736968994)
_HALF, _ONE, _TWO, _THREE, _SIX = (np.float32(n) for n in (0.5, 1, 2, 3, 6))


def tanh(values):
    """tanh of each element of a float32 array."""
    return np.array([_tanh(x) for x in values], np.float32)


def _tanh(x):
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


def _expm1(x):
    """exp(x) - 1 for x from -2 to 44."""
    size = np.abs(x)
    if size < 2.0 ** -25:
        return x
    k, c = 0, np.float32(0)
    if size > _FEW:
        # x = k ln 2 + a rest, whose own rounding error is c
        k = int(np.copysign(1, x)) if size < _MANY else \
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
    less = np.float32(2.0 ** -k)
    if k < 23:
        return ((_ONE - less) - (e - x)) * scale
    return ((x - (e + less)) + _ONE) * scale
