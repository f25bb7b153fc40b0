"""Checks a device block by block and says which block failed, and where.

Every program runs on the device and on the emulator, and the bytes must be the same.
"""

import dataclasses

import numpy as np

from weft.control import isa, regmap
from weft.control.isa import Mode

from .assemble import chain
from .device import EmulatorDevice
from .errors import WeftError
from .program import Program
from .selftest_memory import check_link, check_memory
from .tensor import Tensor, Window

__all__ = ["CHECKS", "Outcome", "selftest"]

_REGION = 1 << 16       # bytes of source and target, where there is room for so many
_MINIMUM = 1 << 14      # bytes of host memory


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What one check found: its name, whether it passed, and a sentence."""

    name: str
    passed: bool
    detail: str


class _Bench:
    """The device under test beside an emulator of the same configuration.

    Host memory holds programs, then ``source``, then ``target``, each of ``region`` bytes.
    """

    def __init__(self, device, seed):
        self.region = min(_REGION, 1 << device.memory_bytes.bit_length() - 3)
        self.source, self.target = self.region, 2 * self.region
        self.memory_bytes = 3 * self.region
        self.device = device
        self.config = device.config
        self.emulator = EmulatorDevice(device.config, memory_bytes=1 << 20)
        self.draw = np.random.default_rng(seed)

    def run(self, steps, data, size):
        """Run ``steps`` with ``data`` at the source; ``size`` bytes of the target from both."""
        program = Program(
            config=self.config, instructions=chain(steps), memory_bytes=self.memory_bytes,
            inputs=(Tensor(name="source", shape=(len(data),), offset=self.source),),
            outputs=(Tensor(name="target", shape=(size,), offset=self.target),),
            windows=(Window(0, self.target, read=True),
                     Window(self.target, self.region, read=False, write=True)))
        outputs = []
        for device in (self.device, self.emulator):
            # what an earlier check left must not pass for a result
            device.write_memory(device.memory_base + self.target, b"\xa5" * size)
            outputs.append(device.run(program, [data]).outputs["target"])
        return outputs

    def bytes(self, size):
        """Random int8, the extremes included."""
        data = self.draw.integers(-128, 128, size, dtype=np.int8)
        data[::7] = 127
        data[3::11] = -128
        return data


def _first_difference(actual, expected, describe):
    wrong = np.flatnonzero(actual != expected)
    if not len(wrong):
        return None
    at = int(wrong[0])
    return (f"{len(wrong)} of {actual.size} differ, first {describe(at)}: "
            f"expected {expected[at]}, got {actual[at]}")


def _log2(value):
    return value.bit_length() - 1


def _check_identity(bench):
    config, device = bench.config, bench.device
    expected = {
        "ID": regmap.MAGIC, "CONFIG_HASH": config.fingerprint,
        "CAP_ARRAY": config.rows | config.cols << 8 | config.vector_lanes << 16
        | config.bus_bytes << 24,
        "CAP_MEMORY": _log2(config.spad_bytes) | _log2(config.wgt_bytes) << 8
        | _log2(config.acc_rows) << 16 | config.spad_banks << 24,
    }
    for name, value in expected.items():
        found = device.read_register(name)
        if found != value:
            return f"register {name} reads {found:#010x} instead of {value:#010x}"
    return None


def _check_registers(bench):
    for name in ("MEM_BASE", "PROGRAM_ADDR", "PROGRAM_COUNT", "WATCHDOG", "WINDOW3_BASE"):
        before = bench.device.read_register(name)
        for pattern in (0xA5A5A5A5, 0x5A5A5A5A, 0xFFFFFFFF, 0):
            pattern &= -regmap.BY_NAME[name].align      # other values are refused
            bench.device.write_register(name, pattern)
            found = bench.device.read_register(name)
            if found != pattern:
                return f"register {name} reads {found:#010x} after a write of {pattern:#010x}"
        bench.device.write_register(name, before)
    return None


def _check_scratchpad(bench):
    config, half = bench.config, bench.region // 2
    for start in range(0, config.spad_bytes, half):
        size = min(half, config.spad_bytes - start)
        # odd host addresses, so that every byte lane carries every byte
        found, expected = bench.run([
            ("LOAD", {"count": 1, "host_addr": bench.source + 3, "local_addr": start,
                      "bytes": size}),
            ("STORE", {"count": 1, "host_addr": bench.target + 1, "local_addr": start,
                       "bytes": size}),
        ], bench.bytes(size + 16), size + 8)
        message = _first_difference(found, expected, lambda at, s=start: f"byte {s + at - 1:#x}")
        if message:
            return message
    return None


def _product(bench, tile, mode_fields, rows, channels, bytes_each, bias_at):
    """Multiply ``rows`` vectors with one tile and store what DRAIN makes of them."""
    config = bench.config
    vectors, out = 16 * config.cols, 16 * config.cols + rows * config.rows
    return [
        ("LOAD_WGT", {"count": 1, "host_addr": bench.source, "bytes": config.tile_bytes,
                      "local_addr": tile * config.tile_bytes}),
        ("LOAD", {"count": 1, "host_addr": bench.source + config.tile_bytes, "local_addr": 0,
                  "bytes": bias_at + rows * config.rows}),
        ("MATMUL", {"act_addr": vectors, "wgt_addr": tile, "row_count": 1, "chunk_count": 1,
                    "y_count": 1, "x_count": rows, "x_pitch": config.rows}),
        ("PARAMS", {"channels": channels, "per_channel": 1, "bias_addr": 0,
                    "scale_addr": 4 * config.cols}),
        ("DRAIN", {"out_addr": out, "y_count": 1, "x_count": rows, "channels": channels,
                   "x_pitch": bytes_each * channels, **mode_fields}),
        ("STORE", {"count": 1, "host_addr": bench.target, "local_addr": out,
                   "bytes": rows * channels * bytes_each}),
    ]


def _tile_data(bench, vectors, scales):
    config = bench.config
    bias = bench.draw.integers(-1 << 16, 1 << 16, config.cols).astype("<i4").view(np.int8)
    padding = np.zeros(4 * config.cols, np.int8)
    return np.concatenate([bench.bytes(config.tile_bytes), bias, scales, padding,
                           vectors.reshape(-1)])


def _check_cells(bench):
    """One vector a row of cells, with 127 in that lane: each result belongs to one cell."""
    config = bench.config
    scales = np.zeros(8 * config.cols, np.int8)
    # a few rows at a time fit the smallest scratchpad
    lanes = max(1, min(config.rows, config.acc_rows, config.spad_bytes // 2
                       // (config.rows + 4 * config.cols) - 4))
    for tile in (0, config.wgt_tiles - 1):
        for first in range(0, config.rows, lanes):
            count = min(lanes, config.rows - first)
            vectors = np.zeros((count, config.rows), np.int8)
            vectors[np.arange(count), first + np.arange(count)] = 127
            found, expected = bench.run(
                _product(bench, tile, {"mode": Mode.RAW}, count, config.cols, 4,
                         16 * config.cols),
                _tile_data(bench, vectors, scales), count * config.cols * 4)
            message = _first_difference(
                found.view("<i4"), expected.view("<i4"),
                lambda at, f=first: f"cell of row {f + at // config.cols}, "
                                    f"column {at % config.cols}")
            if message:
                return message
    return None


def _check_load(bench):
    """All cells at work at once, a vector in every cycle, for as long as memories allow."""
    config = bench.config
    room = min(config.spad_bytes, bench.region) - 16 * config.cols
    rows = max(1, min(config.acc_rows // 2, room // (config.rows + 4 * config.cols)))
    for tile in range(min(4, config.wgt_tiles)):
        vectors = bench.bytes(rows * config.rows)
        found, expected = bench.run(
            _product(bench, tile, {"mode": Mode.RAW}, rows, config.cols, 4, 16 * config.cols),
            _tile_data(bench, vectors, np.zeros(8 * config.cols, np.int8)),
            rows * config.cols * 4)
        message = _first_difference(
            found.view("<i4"), expected.view("<i4"),
            lambda at: f"vector {at // config.cols}, column {at % config.cols}")
        if message:
            return message
    return None


def _check_requantiser(bench):
    config = bench.config
    rows = max(1, min(16, config.acc_rows, (config.spad_bytes - 16 * config.cols)
                      // (config.rows + config.cols)))
    for mode in (Mode.TFL2, Mode.TFL1, Mode.AWAY):
        for shift in (31, 33, 38, 46, 62):
            entry = np.zeros(config.cols, np.dtype([("m", "<u4"), ("s", "<u4")]))
            entry["m"] = bench.draw.integers(1 << 30, 1 << 31, config.cols)
            entry["s"] = shift
            vectors = bench.bytes(rows * config.rows)
            found, expected = bench.run(
                _product(bench, 0, {"mode": mode, "zero_point": -3, "clamp_min": -128,
                                     "clamp_max": 127}, rows, config.cols, 1, 16 * config.cols),
                _tile_data(bench, vectors, entry.view(np.int8)), rows * config.cols)
            message = _first_difference(
                found, expected, lambda at, m=mode, s=shift: f"in mode {m.name}, shift {s}, "
                                                             f"channel {at % config.cols}")
            if message:
                return message
    return None


def _check_errors(bench):
    """An instruction outside its memory is refused, and the device runs again afterwards."""
    from .errors import DeviceError

    config = bench.config
    program = Program(config=config, memory_bytes=4096, windows=(Window(0, 4096),),
                      instructions=isa.encode("FILL", count=1, bytes=2,
                                              local_addr=config.spad_bytes - 1))
    try:
        bench.device.run(program)
    except DeviceError as error:
        if error.record.code != "SPAD_BOUNDS":
            return f"a FILL past the scratchpad gave {error.record}"
        return _check_scratchpad(bench)
    return "a FILL past the scratchpad was carried out"


CHECKS = {
    "host link": check_link,
    "identity": _check_identity,
    "registers": _check_registers,
    "host memory": check_memory,
    "scratchpad and DMA": _check_scratchpad,
    "array cells": _check_cells,
    "array under load": _check_load,
    "requantiser": _check_requantiser,
    "error handling": _check_errors,
}


def selftest(device, seed=0, report=None, names=None):
    """Run the checks on ``device``.

    Parameters
    ----------
    device : :class:`weft_host.device.Device`
        At least 16 KiB of host memory.
    seed : :class:`int`
        Of the random data.
    report : callable, optional
        Called with each :class:`Outcome` as it is known.
    names : list of :class:`str`, optional
        Only these of :data:`CHECKS`.

    Returns
    -------
    list of :class:`Outcome`
    """
    if device.memory_bytes < _MINIMUM:
        raise WeftError(f"the self-test needs {_MINIMUM} bytes of host memory, the "
                        f"device has {device.memory_bytes}")
    bench = _Bench(device, seed)
    outcomes = []
    for name, check in CHECKS.items():
        if names is not None and name not in names:
            continue
        if check is check_link and not hasattr(device, "link"):
            continue        # there is no line to check
        try:
            problem = check(bench)
        except WeftError as error:
            problem = str(error)
        outcomes.append(Outcome(name, problem is None, problem or "ok"))
        if report:
            report(outcomes[-1])
    return outcomes
