"""Matrix products: int8 A[M, K] @ B[K, N], requantised to int8 or as int32."""

import numpy as np

from weft.spec.isa import Mode

from ..configuration import resolve_config
from ..errors import InputError
from ..numerics import requantize
from ..program.tensor import Tensor
from .lower.layer import Layer
from .lower.quantize import quantize_multiplier
from .pipeline import assemble
from .plan.allocators import HostMemory
from .steps.array_step import ArrayStep
from .steps.residency import arrange

__all__ = ["compile_gemm", "gemm_reference", "matmul"]


def compile_gemm(m, k, n, config, *, b, bias=None, scale=None, zero_point=0):
    """The program for A @ B with a constant B.

    Parameters
    ----------
    m, k, n : :class:`int`
        A has ``m`` rows of ``k``, B ``k`` rows of ``n``, C ``m`` rows of ``n``.
    config : :class:`weft.spec.config.Config` or :class:`str`
        Hardware to run on, or the name of its preset or of its board.
    b : int8 array (k, n)
        Becomes part of the program's image, packed into tiles.
    bias : int32 array (n,) or :class:`None`
        Added to every row of the product.
    scale : :class:`float`, array (n,) or :class:`None`
        C is ``round(scale * (A @ B + bias)) + zero_point`` as int8, rounded as TensorFlow Lite
        does; with ``None``, C is int32 without rounding.
    zero_point : :class:`int`
        Of C.

    Returns
    -------
    :class:`weft_host.Program`
        With the input ``"a"`` and the output ``"c"``, both row-major.

    Raises
    ------
    InputError
        If a shape or a type is wrong.
    CapacityError
        If the product does not fit, whatever the tiling.
    """
    config = resolve_config(config)
    for name, value in (("m", m), ("k", k), ("n", n)):
        if value < 1:
            raise InputError(f"{name} must be at least 1, not {value}")
    b = np.asarray(b)
    if b.dtype != np.int8 or b.shape != (k, n):
        raise InputError(f"b must be int8 of shape {(k, n)}, not {b.dtype} of {b.shape}")
    bias = np.zeros(n, np.int32) if bias is None else np.asarray(bias)
    if bias.dtype != np.int32 or bias.shape != (n,):
        raise InputError(f"bias must be int32 of shape {(n,)}, not {bias.dtype} of {bias.shape}")
    raw = scale is None
    multiplier, shift = _multipliers(1.0 if raw else scale, n)
    layer = Layer(
        name="gemm", index=0, kind="conv", source=0, target=1, in_h=1, in_w=m, in_c=k, out_h=1,
        out_w=m, out_c=n, weights=np.ascontiguousarray(b.T).reshape(n, 1, 1, k), bias=bias,
        multiplier=multiplier, shift=shift, mode=Mode.RAW if raw else Mode.TFL2,
        zero_point=0 if raw else zero_point)
    memory = HostMemory()
    offsets = {0: memory.take(m * k), 1: memory.take(m * n * layer.out_size)}

    def tensors(base):
        return ([Tensor(name="a", shape=(m, k), offset=base + offsets[0])],
                [Tensor(name="c", shape=(m, n), dtype="int32" if raw else "int8",
                        offset=base + offsets[1], zero_point=layer.zero_point)], [])

    steps = [ArrayStep(layer, config)]
    return assemble(steps, arrange(steps, config), config, offsets, memory.size, tensors,
                    source=f"gemm {m} x {k} x {n}")


def _multipliers(scale, n):
    try:
        pairs = [quantize_multiplier(value) for value in np.broadcast_to(scale, (n,))]
    except ValueError as error:
        raise InputError(f"scale does not fit: {error}") from None
    multiplier, shift = np.array(pairs, np.int64).T
    return multiplier, shift


def gemm_reference(a, b, bias=None, scale=None, zero_point=0):
    """What :func:`compile_gemm`'s program computes, in numpy."""
    acc = a.astype(np.int64) @ b.astype(np.int64)
    if bias is not None:
        acc = acc + bias.astype(np.int64)
    acc = requantize.wrap32(acc)
    if scale is None:
        return acc
    multiplier, shift = _multipliers(scale, b.shape[1])
    return requantize.to_int8(requantize.requantize(acc, multiplier, shift, Mode.TFL2), zero_point,
                            -128, 127)


def matmul(a, b, device):
    """The int32 product of two int8 matrices, computed by a device.

    Raises
    ------
    InputError
        If the shapes do not fit each other or a type is not int8.
    """
    a, b = np.asarray(a), np.asarray(b)
    for name, matrix in (("a", a), ("b", b)):
        if matrix.dtype != np.int8 or matrix.ndim != 2 or not matrix.size:
            raise InputError(f"{name} must be an int8 matrix, not {matrix.dtype} of shape "
                             f"{matrix.shape}")
    if a.shape[1] != b.shape[0]:
        raise InputError(f"a has {a.shape[1]} columns, b has {b.shape[0]} rows")
    program = compile_gemm(a.shape[0], a.shape[1], b.shape[1], device.config, b=b)
    return device.run(program, [a]).outputs["c"]
