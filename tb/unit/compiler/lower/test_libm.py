"""Hyperbolic tangent in float32, compared with the C library that the reference kernels call."""

import ctypes
import ctypes.util
import platform

import numpy as np
import pytest

from support.seeds import seed
from weft_host.compiler.lower.libm import tanh


def c_tanh(values):
    library = ctypes.CDLL(ctypes.util.find_library("m"))
    library.tanhf.restype, library.tanhf.argtypes = ctypes.c_float, [ctypes.c_float]
    return np.array([library.tanhf(float(x)) for x in values], np.float32)


def arguments():
    """Return arguments of all magnitudes, and those where the algorithm changes its method."""
    rng = np.random.default_rng(seed())
    spread = 2.0 ** rng.uniform(-60, 5, 10_000) * rng.choice([-1, 1], 10_000)
    corners = [0.0, -0.0, 1.0, -1.0, 22.0, -22.0, 21.9999, 1e-30, 3e38, 0.17328679, 0.5198604]
    parts = [rng.uniform(-1.2, 1.2, 20_000), rng.uniform(-25, 25, 20_000), spread, corners]
    return np.concatenate(parts).astype(np.float32)


def test_results_equal_those_of_the_c_library():
    kind, release = platform.libc_ver()
    if kind != "glibc" or tuple(map(int, release.split("."))) > (2, 40):
        pytest.skip(f"{kind} {release} has another tanhf than glibc up to 2.40")
    x = arguments()
    wrong = np.flatnonzero(tanh(x).view(np.int32) != c_tanh(x).view(np.int32))
    assert not len(wrong), f"{len(wrong)} differ, first tanh({x[wrong[0]]!r})"


def test_results_are_within_three_units_in_the_last_place():
    x = arguments()
    exact = np.tanh(x.astype(np.float64))
    unit = np.spacing(np.abs(exact).astype(np.float32)).astype(np.float64)
    assert (np.abs(tanh(x) - exact) <= 3 * unit).all()
