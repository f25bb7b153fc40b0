"""Benchmarks of matrix products and copies. Every result is checked before a figure is reported."""

from __future__ import annotations

import dataclasses
import typing

import numpy as np
import numpy.typing as npt

from weft.spec import isa
from weft.spec.config import Config
from weft.spec.integers import round_up

from ..compiler.gemm import compile_gemm, gemm_reference
from ..device import Device, EmulatorDevice, Result
from ..errors import MismatchError
from ..program.file import Program
from ..program.tensor import Tensor, Window

__all__ = ["DmaMeasurement", "DmaPrograms", "GemmMeasurement", "dma_programs", "measure_dma",
           "measure_gemm", "measured_cycles"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class GemmMeasurement:
    """Measurement of a matrix product.

    Attributes
    ----------
    m, k, n : :class:`int`
        The product is A[m, k] @ B[k, n].
    cycles : :class:`int`
    ideal_cycles : :class:`float`
        m * k * n / cells, or the time to transfer the weights over the bus if that is longer.
    ratio : :class:`float`
        ``cycles`` over ``ideal_cycles``.
    counters : :class:`dict`
        Performance counters of the run.
    """

    m: int
    k: int
    n: int
    cycles: int
    ideal_cycles: float
    ratio: float
    counters: dict[str, int]


@dataclasses.dataclass(frozen=True, kw_only=True)
class DmaMeasurement:
    """Measurement of a copy of ``bytes`` bytes.

    Attributes
    ----------
    direction : :class:`str`
        ``"read"`` or ``"write"``.
    host_offset, local_offset : :class:`int`
        Bytes past a beat in host memory, and past a row of the scratchpad.
    bytes, cycles : :class:`int`
        Size of the copy, and its duration.
    ideal_cycles : :class:`float`
        Cycles at a full beat per cycle.
    ratio : :class:`float`
        ``ideal_cycles`` over ``cycles``: the share of the bus's peak.
    """

    direction: str
    host_offset: int
    local_offset: int
    bytes: int
    cycles: int
    ideal_cycles: float
    ratio: float


class DmaPrograms(typing.NamedTuple):
    """Programs of a copy benchmark: preparation, the timed copy, and the readback."""

    setup: Program | None
    timed: Program
    readback: Program | None


def measured_cycles(result: Result) -> int:
    """Return the cycles of a run.

    Raises
    ------
    ValueError
        If the device has no clock.
    """
    if result.cycles is None:
        raise ValueError("the device has no clock: measure on the RTL or on a board")
    return result.cycles


def measure_gemm(device: Device, m: int, k: int, n: int, seed: int = 0) -> GemmMeasurement:
    """Run int8 A[m, k] @ B[k, n] on a device with a clock and compare the result with numpy.

    Raises
    ------
    MismatchError
        If the device's result differs.
    """
    draw = np.random.default_rng(seed)
    a = draw.integers(-128, 128, (m, k), dtype=np.int8)
    b = draw.integers(-127, 128, (k, n), dtype=np.int8)
    bias = draw.integers(-1 << 16, 1 << 16, n, dtype=np.int32)
    # a scale that spreads sums of k products over the int8 range
    scale = 1 / (64 * 64 * k ** 0.5)
    program = compile_gemm(m, k, n, device.config, b=b, bias=bias, scale=scale)
    result = device.run(program, [a])
    out, = result.outputs.values()
    _compare(out, gemm_reference(a, b, bias, scale), f"{m} x {k} x {n}, seed {seed}")
    config, cycles = device.config, measured_cycles(result)
    ideal = max(m * k * n / config.cells, k * n / config.bus_bytes)
    return GemmMeasurement(m=m, k=k, n=n, cycles=cycles, ideal_cycles=ideal,
                           ratio=cycles / ideal, counters=result.counters)


def dma_programs(config: Config, size: int, direction: str, host_offset: int,
                 local_offset: int) -> DmaPrograms:
    """Return programs that copy ``size`` bytes in pieces through the scratchpad.

    The timed program copies between host memory, ``host_offset`` bytes past a beat, and the
    scratchpad, ``local_offset`` bytes past a row. For ``"read"``, the readback program stores the
    scratchpad; for ``"write"``, the setup program loads it. The input tensor is the region that is
    read, the output tensor the region that is written.
    """
    piece = config.spad_bytes // 4      # the scratchpad holds three pieces at a time
    region = round_up(max(size, config.spad_bytes) + 64, 4096)
    source, target = 16384, 16384 + region

    def copies(name: str, base: int) -> list[bytes]:
        return [isa.encode(name, count=1, host_addr=base + host_offset + at,
                           bytes=min(piece, size - at),
                           local_addr=local_offset + at // piece % 3 * piece)
                for at in range(0, size, piece)]

    def whole(name: str, base: int) -> list[bytes]:
        return [isa.encode(name, count=1, host_addr=base, bytes=config.spad_bytes)]

    def program(code: list[bytes], reads: bool) -> Program:
        tensor = Tensor(name="source" if reads else "target", shape=(region,),
                        offset=source if reads else target)
        return Program(
            config=config, instructions=b"".join(code), memory_bytes=target + region,
            inputs=(tensor,) if reads else (), outputs=() if reads else (tensor,),
            windows=(Window(0, target, read=True),
                     Window(target, region, read=False, write=True)))

    if direction == "read":
        return DmaPrograms(None, program(copies("LOAD", source), True),
                           program(whole("STORE", target), False))
    return DmaPrograms(program(whole("LOAD", source), True),
                       program(copies("STORE", target), False), None)


def measure_dma(device: Device, size: int, seed: int = 0) -> list[DmaMeasurement]:
    """Measure copies of ``size`` bytes from and to host memory, aligned and at odd offsets.

    Raises
    ------
    MismatchError
        If the copied bytes differ from those of the emulator.
    """
    config = device.config
    emulator = EmulatorDevice(config, memory_bytes=device.memory_bytes)
    device.clear()      # the readback compares the whole scratchpad
    draw = np.random.default_rng(seed)
    measurements = []
    for direction in ("read", "write"):
        for host_offset, local_offset in ((0, 0), (1, 0), (0, 1), (3, 1)):
            case = f"{direction} of {size} bytes at offsets {host_offset}, {local_offset}"
            programs = dma_programs(config, size, direction, host_offset, local_offset)
            _, expected = _run_dma(emulator, programs, data_seed := int(draw.integers(1 << 30)))
            cycles, actual = _run_dma(device, programs, data_seed)
            _compare(actual, expected, case)
            ideal = size / config.bus_bytes
            measurements.append(DmaMeasurement(
                direction=direction, host_offset=host_offset, local_offset=local_offset,
                bytes=size, cycles=cycles, ideal_cycles=ideal, ratio=ideal / cycles))
    return measurements


def _run_dma(device: Device, programs: DmaPrograms,
             seed: int) -> tuple[int, npt.NDArray[np.int8]]:
    """Return the cycles of the timed program, 0 on the emulator, and the target region."""
    draw = np.random.default_rng(seed)
    cycles, outputs = 0, {}
    for program in filter(None, programs):
        # stale bytes of an earlier run must not pass for a result
        for tensor in program.outputs:
            assert tensor.offset is not None
            device.write_memory(device.memory_base + tensor.offset, bytes(tensor.span))
        arrays = [draw.integers(-128, 128, tensor.shape, dtype=np.int8)
                  for tensor in program.inputs]
        result = device.run(program, arrays)
        outputs = result.outputs
        if program is programs.timed:
            cycles = 0 if isinstance(device, EmulatorDevice) else measured_cycles(result)
    return cycles, outputs["target"]


def _compare(actual: npt.NDArray[typing.Any], expected: npt.NDArray[typing.Any],
             case: str) -> None:
    if actual.shape != expected.shape:
        raise MismatchError(f"{case}: shape {actual.shape} instead of {expected.shape}")
    wrong = np.argwhere(actual != expected)
    if len(wrong):
        at = tuple(int(i) for i in wrong[0])
        raise MismatchError(f"{case}: {len(wrong)} of {actual.size} elements differ; the first "
                            f"is {at}: expected {expected[at]}, got {actual[at]}")
