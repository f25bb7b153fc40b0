"""The compiler: a model file to a program, through frontend, lower, tile, generate, schedule, emit.

:func:`compile` and :func:`check` take a ``.tflite`` file; :func:`compile_gemm` makes a matrix
product.
"""

from .gemm import compile_gemm, gemm_reference, matmul
from .pipeline import check, compile
from .verdict import CapacityError, ModelError, UnsupportedError, Verdict

__all__ = ["CapacityError", "ModelError", "UnsupportedError", "Verdict", "check", "compile",
           "compile_gemm", "gemm_reference", "matmul"]
