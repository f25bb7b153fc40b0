"""Measured runs of matrix products and copies, each checked before a figure is given."""

import dataclasses

import numpy as np

from weft.spec import isa

from ..errors import MismatchError
from ..program.file import Program
from ..program.tensor import Tensor, Window

__all__ = ["DmaMeasurement", "GemmMeasurement", "dma_programs", "measure_dma",
           "measure_gemm"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class GemmMeasurement:
    """A matrix product. ``ideal_cycles`` is M * K * N / cells, or the time the bus needs for the
    weights if that is longer."""

    m: int
    k: int
    n: int
    cycles: int
    ideal_cycles: float
    ratio: float
    counters: dict


@dataclasses.dataclass(frozen=True, kw_only=True)
class DmaMeasurement:
    """A copy of ``bytes`` bytes. ``ratio`` is ideal over measured: the share of the bus's peak."""

    direction: str
    host_offset: int
    local_offset: int
    bytes: int
    cycles: int
    ideal_cycles: float
    ratio: float


def measure_gemm(device, m, k, n, seed=0):
    """Run int8 A[m, k] @ B[k, n] on a device with a clock and compare it with numpy.

    Raises
    ------
    MismatchError
        If the device's result differs.
    """
    from ..compiler.gemm import compile_gemm, gemm_reference

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
    config = device.config
    ideal = max(m * k * n / (config.rows * config.cols), k * n / config.bus_bytes)
    return GemmMeasurement(m=m, k=k, n=n, cycles=result.cycles, ideal_cycles=ideal,
                           ratio=result.cycles / ideal, counters=result.counters)


def dma_programs(config, size, direction, host_offset, local_offset):
    """``(setup, timed, check)``: programs that move ``size`` bytes in pieces through a scratchpad.

    The timed program moves ``size`` bytes between host memory, ``host_offset`` bytes past a
    beat, and the scratchpad, ``local_offset`` bytes past a row. For ``"read"`` the check program
    stores the scratchpad; for ``"write"`` the setup program loads it. The input tensor is what
    is read, the output tensor what is written.
    """
    piece = config.spad_bytes // 4      # three pieces lie in the scratchpad at a time
    region = -(-(max(size, config.spad_bytes) + 64) // 4096) * 4096
    source, target = 16384, 16384 + region

    def copies(name, base):
        return [isa.encode(name, count=1, host_addr=base + host_offset + at,
                           bytes=min(piece, size - at),
                           local_addr=local_offset + at // piece % 3 * piece)
                for at in range(0, size, piece)]

    def whole(name, base):
        return [isa.encode(name, count=1, host_addr=base, bytes=config.spad_bytes)]

    def program(code, reads):
        tensor = Tensor(name="source" if reads else "target", shape=(region,),
                        offset=source if reads else target)
        return Program(
            config=config, instructions=b"".join(code), memory_bytes=target + region,
            inputs=(tensor,) if reads else (), outputs=() if reads else (tensor,),
            windows=(Window(0, target, read=True),
                     Window(target, region, read=False, write=True)))

    if direction == "read":
        return None, program(copies("LOAD", source), True), program(whole("STORE", target), False)
    return program(whole("LOAD", source), True), program(copies("STORE", target), False), None


def measure_dma(device, size, seed=0):
    """Copies of ``size`` bytes in both directions, aligned and at odd offsets.

    Raises
    ------
    MismatchError
        If bytes differ from what the emulator moves.
    """
    from ..device import EmulatorDevice

    config = device.config
    emulator = EmulatorDevice(config, memory_bytes=device.memory_bytes)
    device.clear()      # what earlier programs left in the scratchpad is compared, too
    draw = np.random.default_rng(seed)
    measurements = []
    for direction in ("read", "write"):
        for host_offset, local_offset in ((0, 0), (1, 0), (0, 1), (3, 1)):
            what = f"{direction} of {size} bytes at offsets {host_offset}, {local_offset}"
            programs = dma_programs(config, size, direction, host_offset, local_offset)
            _, expected = _run_dma(emulator, programs, draw_seed := int(draw.integers(1 << 30)))
            cycles, actual = _run_dma(device, programs, draw_seed)
            _compare(actual, expected, what)
            ideal = size / config.bus_bytes
            measurements.append(DmaMeasurement(
                direction=direction, host_offset=host_offset, local_offset=local_offset,
                bytes=size, cycles=cycles, ideal_cycles=ideal, ratio=ideal / cycles))
    return measurements


def _run_dma(device, programs, seed):
    """Cycles of the timed program, and what is in the target afterwards."""
    draw = np.random.default_rng(seed)
    setup, timed, check = programs
    cycles, outputs = None, {}
    for program in filter(None, (setup, timed, check)):
        # what earlier runs left must not pass for a result
        for tensor in program.outputs:
            device.write_memory(device.memory_base + tensor.offset, bytes(tensor.span))
        arrays = [draw.integers(-128, 128, tensor.shape, dtype=np.int8)
                  for tensor in program.inputs]
        result = device.run(program, arrays)
        outputs = result.outputs
        if program is timed:
            cycles = result.cycles
    return cycles, outputs["target"]


def _compare(actual, expected, what):
    if actual.shape != expected.shape:
        raise MismatchError(f"{what}: shape {actual.shape} instead of {expected.shape}")
    wrong = np.argwhere(actual != expected)
    if len(wrong):
        at = tuple(int(i) for i in wrong[0])
        raise MismatchError(f"{what}: {len(wrong)} of {actual.size} elements differ, first "
                            f"at {at}: expected {expected[at]}, got {actual[at]}")
