"""Matrix products: int8 A[M, K] @ B[K, N], requantised to int8, or as int32."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.spec.config import Config
from weft.spec.isa import Mode

from ..configuration import resolve_config
from ..errors import InputError
from ..numerics import requantize
from ..program.file import Program
from ..program.tensor import Tensor
from .lower.layer import Layer
from .lower.quantize import quantize_multiplier
from .pipeline import assemble
from .plan.allocators import HostMemoryAllocator
from .plan.tensor_layout import TensorLayout
from .steps.array_step import ArrayStep
from .steps.residency import arrange

if TYPE_CHECKING:
    from ..device.base import Device

__all__ = ["compile_gemm", "gemm_reference", "matmul"]

_Integers = npt.NDArray[np.int64]


def compile_gemm(m: int, k: int, n: int, config: Config | str, *, b: npt.ArrayLike,
                 bias: npt.ArrayLike | None = None, scale: npt.ArrayLike | None = None,
                 zero_point: int = 0) -> Program:
    """Compile a product A @ B with a constant B.

    Parameters
    ----------
    m, k, n : :class:`int`
        A has ``m`` rows and ``k`` columns, B ``k`` rows and ``n`` columns.
    config : :class:`weft.spec.config.Config` or :class:`str`
        Configuration that executes the program, or the name of its preset or of its board.
    b : int8 array (k, n)
        Matrix B. It becomes part of the program's image, packed into tiles.
    bias : int32 array (n,) or :class:`None`
        Vector that is added to every row of the product.
    scale : :class:`float`, array (n,) or :class:`None`
        With a scale, the result C is ``round(scale * (A @ B + bias)) + zero_point`` as int8,
        rounded as in TensorFlow Lite. With ``None``, C is the int32 sum.
    zero_point : :class:`int`
        Zero point of C.

    Returns
    -------
    :class:`weft_host.Program`
        Program with the input ``"a"`` and the output ``"c"``, both row-major.

    Raises
    ------
    InputError
        If a shape or a type is wrong.
    CapacityError
        If the product does not fit, however it is tiled.
    """
    config = resolve_config(config)
    for name, value in (("m", m), ("k", k), ("n", n)):
        if value < 1:
            raise InputError(f"{name} must be at least 1, not {value}")
    b = np.asarray(b)
    if b.dtype != np.int8 or b.shape != (k, n):
        raise InputError(f"b must be int8 of shape {(k, n)}, not {b.dtype} of shape {b.shape}")
    bias = np.zeros(n, np.int32) if bias is None else np.asarray(bias)
    if bias.dtype != np.int32 or bias.shape != (n,):
        raise InputError(f"bias must be int32 of shape {(n,)}, not {bias.dtype} of shape "
                         f"{bias.shape}")
    raw = scale is None
    multiplier, shift = _multipliers(1.0 if scale is None else scale, n)
    layer = Layer(
        name="gemm", index=0, kind="conv", sources=(0,), target=1, in_h=1, in_w=m, in_c=k,
        out_h=1, out_w=m, out_c=n, weights=np.ascontiguousarray(b.T).reshape(n, 1, 1, k),
        bias=bias, multiplier=multiplier, shift=shift, mode=Mode.RAW if raw else Mode.TFL2,
        zero_point=0 if raw else zero_point)
    memory = HostMemoryAllocator()
    offsets = {0: memory.allocate(m * k), 1: memory.allocate(m * n * layer.out_size)}
    layout = TensorLayout(
        size=memory.size, offsets=offsets,
        inputs=(Tensor(name="a", shape=(m, k), offset=offsets[0]),),
        outputs=(Tensor(name="c", shape=(m, n), dtype="int32" if raw else "int8",
                        offset=offsets[1], zero_point=layer.zero_point),))
    steps = [ArrayStep(layer, config)]
    return assemble(steps, arrange(steps, config), config, layout, source=f"gemm {m} x {k} x {n}")


def _multipliers(scale: npt.ArrayLike, n: int) -> tuple[_Integers, _Integers]:
    """Return the multiplier and shift of each column."""
    try:
        pairs = [quantize_multiplier(value) for value in np.broadcast_to(scale, (n,))]
    except ValueError as error:
        raise InputError(f"scale is not supported: {error}") from None
    multiplier, shift = np.array(pairs, np.int64).T
    return multiplier, shift


def gemm_reference(a: npt.NDArray[np.int8], b: npt.NDArray[np.int8],
                   bias: npt.NDArray[np.int32] | None = None,
                   scale: npt.ArrayLike | None = None, zero_point: int = 0) -> npt.NDArray[Any]:
    """Return the result of :func:`compile_gemm`'s program for ``a``, computed with numpy."""
    acc = a.astype(np.int64) @ b.astype(np.int64)
    if bias is not None:
        acc = acc + bias.astype(np.int64)
    wrapped = requantize.wrap32(acc)
    if scale is None:
        return wrapped
    multiplier, shift = _multipliers(scale, b.shape[1])
    return requantize.to_int8(requantize.requantize(wrapped, multiplier, shift, Mode.TFL2),
                              zero_point, -128, 127)


def matmul(a: npt.ArrayLike, b: npt.ArrayLike, device: "Device") -> npt.NDArray[np.int32]:
    """Return the int32 product of two int8 matrices, computed by a device.

    Raises
    ------
    InputError
        If the shapes are incompatible or a type is not int8.
    TypeError
        If ``device`` is not a device, but for example the name of a configuration.
    """
    if not hasattr(device, "run"):
        raise TypeError("device must be a device, such as weft_host.EmulatorDevice('small'), not "
                        f"{device!r}")
    a, b = np.asarray(a), np.asarray(b)
    for name, matrix in (("a", a), ("b", b)):
        if matrix.dtype != np.int8 or matrix.ndim != 2 or not matrix.size:
            raise InputError(f"{name} must be an int8 matrix, not {matrix.dtype} of shape "
                             f"{matrix.shape}")
    if a.shape[1] != b.shape[0]:
        raise InputError(f"a has {a.shape[1]} columns, but b has {b.shape[0]} rows")
    program = compile_gemm(a.shape[0], a.shape[1], b.shape[1], device.config, b=b)
    return device.run(program, [a]).outputs["c"]
