"""Compiler of models into programs.

:func:`compile` and :func:`check` accept a ``.tflite`` file; :func:`compile_gemm` compiles a matrix
product. The stages are the packages :mod:`.frontend`, :mod:`.lower`, :mod:`.plan`, :mod:`.steps`,
:mod:`.schedule` and the module :mod:`.emit`, in this order. A stage imports only earlier ones.
:mod:`.language_model` compiles language models.
"""

from .gemm import compile_gemm, gemm_reference, matmul
from .pipeline import check, compile
from .verdict import CapacityError, ModelError, UnsupportedError, Verdict

__all__ = ["CapacityError", "ModelError", "UnsupportedError", "Verdict", "check", "compile",
           "compile_gemm", "gemm_reference", "matmul"]
