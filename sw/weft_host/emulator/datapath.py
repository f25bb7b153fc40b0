"""Effect of each instruction in numpy: the definition of the instruction set.

Instructions have been validated. Each one takes effect completely before the next one, which
matches the hardware for programs that order their units with tokens.
"""

import collections
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from weft.spec.config import Config
from weft.spec.four_bit import PACKET_BEATS
from weft.spec.isa import TABLE_BYTES, Instruction, MapOp, Mode
from weft.spec.iterations import iterations

from ..numerics.fixed_point import SUM_BITS, reciprocal
from ..numerics.requantize import requantize, to_int8, wrap32
from .compute import compute, drain_planes, solve
from .host_memory import HostMemory, copy_blocks
from .matmul import Passes, dense_sums, depthwise_sums, ring_sums
from .ring import Ring

__all__ = ["Datapath"]

_BLOCK = 1 << 22        # elements that one numpy operation handles: bounds its memory

Fields = Mapping[str, int]


class Datapath:
    """On-chip memories and channel parameters, and the instructions that change them.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
    memory : :class:`weft_host.emulator.host_memory.HostMemory`
        Host memory that copies read and write.

    Attributes
    ----------
    spad, wgt : uint8 arrays
        Scratchpad and weight buffer, by byte.
    ring : :class:`Ring`
        Weight buffer as a queue of tiles.
    acc : int32 array of (acc_rows, cols)
        Accumulators.
    bias, multiplier, shift : int64 arrays of (param_channels,)
        Channel parameters, as PARAMS has read them.
    tables : int64 array of (2, 256)
        Tables A and B.
    map_multiplier, map_shift : :class:`int`
        Scale of MAP, as the last TABLE has set it.
    counts : :class:`collections.Counter`
        Performance counters that do not depend on time.
    """

    config: Config
    memory: HostMemory
    counts: collections.Counter[str]
    spad: npt.NDArray[np.uint8]
    wgt: npt.NDArray[np.uint8]
    acc: npt.NDArray[np.int32]
    bias: npt.NDArray[np.int64]
    multiplier: npt.NDArray[np.int64]
    shift: npt.NDArray[np.int64]
    tables: npt.NDArray[np.int64]
    map_multiplier: int
    map_shift: int

    def __init__(self, config: Config, memory: HostMemory) -> None:
        self.config = config
        self.memory = memory
        self.counts = collections.Counter()
        self.clear()

    def clear(self) -> None:
        """Zero everything that instructions read, and empty the ring."""
        self.spad = np.zeros(self.config.spad_bytes, np.uint8)
        self.wgt = np.zeros(self.config.wgt_bytes, np.uint8)
        self.acc = np.zeros((self.config.acc_rows, self.config.cols), np.int32)
        self.ring = Ring(self.config)
        self.bias, self.multiplier, self.shift = np.zeros(
            (3, self.config.param_channels), np.int64)
        self.tables = np.zeros((2, 256), np.int64)
        self.map_multiplier = self.map_shift = 0

    def execute(self, instruction: Instruction, values: Fields, mem_base: int) -> None:
        """Execute one instruction, or one iteration of an instruction with ``each`` set.

        Raises
        ------
        BusFault
            If host memory answered with an error. The instruction has then written nothing;
            hardware may have written a part.
        """
        match instruction.name:
            case "LOAD":
                self._load(values, mem_base)
            case "LOAD_WGT":
                self._load_wgt(values, mem_base)
            case "FILL":
                self._fill(values)
            case "STORE":
                self._store(values, mem_base)
            case "MATMUL":
                # with apart set, each kernel row is a block of its own
                for block in iterations(self.config, "MATMUL", {**values, "each": values["apart"]}):
                    self._multiply(block)
            case "PARAMS":
                self._params(values)
            case "DRAIN":
                self._drain(values)
            case "TABLE":
                self._table(values)
            case "MAP":
                self._map(values)
            case "SOFTMAX":
                self._softmax(values)
            case "DRAIN_PLANES":
                drain_planes(self.spad, self.acc, values)
            case "MATMUL_RING":
                self._multiply_ring(values)
            case "COMPUTE":
                compute(self.spad, values)
            case "SOLVE":
                solve(self.spad, values)
            case _:
                pass        # SYNC_*: tokens only; LOAD_RING*: load_ring has executed it
        self.counts["INSTRUCTIONS"] += 1

    def _copy_in(self, target: npt.NDArray[np.uint8], v: Fields, mem_base: int) -> None:
        start, pitch = mem_base + v["host_addr"], v["host_pitch"]
        count, size = v["count"], v["bytes"]
        self.memory.check(start, pitch, count, size, "read")
        self.counts["BYTES_READ"] += \
            self.memory.beats(start, pitch, count, size) * self.config.bus_bytes
        for rows, columns in copy_blocks(count, size):
            target[v["local_addr"] + rows * v["local_pitch"] + columns] = \
                self.memory.gather(start, pitch, rows, columns)

    def _load(self, v: Fields, mem_base: int) -> None:
        self._copy_in(self.spad, v, mem_base)

    def _load_wgt(self, v: Fields, mem_base: int) -> None:
        self._copy_in(self.wgt, v, mem_base)

    def load_ring(self, name: str, v: Fields, mem_base: int, done: int, demand: int) -> int:
        """Execute a part of a LOAD_RING or LOAD_RING_4BIT.

        See :meth:`Ring.load` and :meth:`Ring.load_4bit`.
        """
        start = mem_base + v["host_addr"]
        if name == "LOAD_RING_4BIT":
            done = self.ring.load_4bit(self.memory, start, v, done, demand)
            size = v["count"] * PACKET_BEATS * self.config.cols
            if done == size:
                self.counts["BYTES_READ"] += size
            return done
        done = self.ring.load(self.memory, start, v, done, demand)
        if done == v["count"] * v["bytes"]:
            self.counts["BYTES_READ"] += self.config.bus_bytes * self.memory.beats(
                start, v["host_pitch"], v["count"], v["bytes"])
        return done

    def ring_bytes(self, instruction: Instruction, values: Fields) -> int:
        """Return the bytes of the ring that an instruction removes."""
        if instruction.name != "MATMUL_RING":
            return 0
        return values["row_count"] * values["chunk_count"] * self.config.tile_bytes

    def _multiply_ring(self, v: Fields) -> None:
        passes = v["row_count"] * v["chunk_count"]
        tiles = self.ring.take(passes * self.config.tile_bytes).view(np.int8)
        self.counts["MAC_BUSY"] += passes * v["x_count"]
        sums = ring_sums(self.spad.view(np.int8), tiles, self.config, v)
        count = v["x_count"]
        if not v["acc_pitch"]:
            sums = sums.sum(axis=0, keepdims=True)
        target = self.acc[v["acc_addr"]:v["acc_addr"] + len(sums) * count]
        total = sums.reshape(-1, self.config.cols)
        if v["accumulate"]:
            total = total + target
        target[:] = wrap32(total)

    def _fill(self, v: Fields) -> None:
        for rows, columns in copy_blocks(v["count"], v["bytes"]):
            self.spad[v["local_addr"] + rows * v["local_pitch"] + columns] = v["value"]

    def _store(self, v: Fields, mem_base: int) -> None:
        start, pitch = mem_base + v["host_addr"], v["host_pitch"]
        count, size = v["count"], v["bytes"]
        self.memory.check(start, pitch, count, size, "write")
        for rows, columns in copy_blocks(count, size):
            self.memory.scatter(start, pitch, rows, columns,
                                self.spad[v["local_addr"] + rows * v["local_pitch"] + columns])
        self.counts["BYTES_WRITTEN"] += count * size

    def _tiles(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int8]:
        """Read weights of tiles as (tile, array row, column); memory holds the last row first."""
        tile = self.config.tile_bytes
        shape = (-1, self.config.rows, self.config.cols)
        return self.wgt.view(np.int8).reshape(-1, tile)[numbers].reshape(shape)[:, ::-1]

    def _sums(self, passes: Passes, block: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Compute the result of a block of passes, as (position, column)."""
        tiles = self._tiles(passes.tiles(block)).astype(np.float32)
        tiles[:, self.config.rows - passes.fields["blank"]:] = 0
        compute = depthwise_sums if passes.fields["depthwise"] else dense_sums
        return compute(self.spad.view(np.int8), passes, block, tiles).astype(np.int64)

    def _multiply(self, v: Fields) -> None:
        passes = Passes(self.config, v)
        self.counts["MAC_BUSY"] += passes.busy_cycles
        target = self.acc[v["acc_addr"]:v["acc_addr"] + passes.position_count]
        combine = np.maximum if v["maximum"] else np.add
        total = target.astype(np.int64) if v["accumulate"] else None
        for block in passes.blocks():
            sums = self._sums(passes, block)
            total = sums if total is None else combine(total, sums)
        assert total is not None, "an instruction has at least one pass"
        target[:] = wrap32(total)

    def _params(self, v: Fields) -> None:
        channels = slice(v["channel"], v["channel"] + v["channels"])
        bias, scale = v["bias_addr"], v["scale_addr"]
        self.bias[channels] = self.spad[bias:bias + 4 * v["channels"]].view("<i4")
        if v["per_channel"]:
            raw = self.spad[scale:scale + 8 * v["channels"]]
            self.multiplier[channels] = raw.view("<u4")[0::2] & 0x7FFFFFFF
            self.shift[channels] = raw[4::8] & 0x3F
        else:
            self.multiplier[channels] = v["multiplier"]
            self.shift[channels] = v["shift"]

    def _drain(self, v: Fields) -> None:
        raw = v["mode"] == Mode.RAW
        size = v["channels"] * (4 if raw else 1)
        step = max(1, _BLOCK // (v["x_count"] * size))
        x = np.arange(v["x_count"], dtype=np.int64)
        for first in range(0, v["y_count"], step):
            y = np.arange(first, min(first + step, v["y_count"]), dtype=np.int64)[:, None]
            lines = self.acc[v["acc_addr"] + y * v["acc_pitch"] + x][..., :v["channels"]]
            channel = v["channel"] + np.arange(v["channels"]) \
                + (self.config.cols * y[..., None] if v["apart"] else 0)
            biased = wrap32(lines.astype(np.int64) + self.bias[channel])
            if raw:
                out = biased.astype("<i4").view(np.uint8).reshape(*biased.shape[:2], size)
            else:
                scaled = requantize(biased, self.multiplier[channel], self.shift[channel],
                                    Mode(v["mode"]))
                out = to_int8(scaled, v["zero_point"], v["clamp_min"],
                              v["clamp_max"]).view(np.uint8)
            targets = v["out_addr"] + y * v["y_pitch"] + x * v["x_pitch"]
            self.spad[targets[..., None] + np.arange(size)] = out

    def _table(self, v: Fields) -> None:
        start = v["table_addr"]
        self.tables[v["table"]] = self.spad[start:start + TABLE_BYTES].view("<i4")
        self.map_multiplier, self.map_shift = v["multiplier"], v["shift"]

    def _look_up(self, table: int, index: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the entries of a table for the scratchpad's bytes at ``index``."""
        return self.tables[table][self.spad[index] ^ 0x80]

    def _map(self, v: Fields) -> None:
        for rows, columns in copy_blocks(v["count"], v["bytes"]):
            value = self._look_up(0, v["a_addr"] + rows * v["a_pitch"] + columns)
            if v["op"] != MapOp.A:
                other = self._look_up(1, v["b_addr"] + rows * v["b_pitch"] + columns)
                value = wrap32(value + other).astype(np.int64) if v["op"] == MapOp.ADD else \
                    value.astype(np.int16).astype(np.int64) * other.astype(np.int16)
            scaled = requantize(value, self.map_multiplier, self.map_shift, Mode(v["mode"]))
            self.spad[v["out_addr"] + rows * v["out_pitch"] + columns] = to_int8(
                scaled, v["zero_point"], v["clamp_min"], v["clamp_max"]).view(np.uint8)

    def _softmax(self, v: Fields) -> None:
        size = v["bytes"]
        for row in range(v["count"]):
            start = v["a_addr"] + row * v["a_pitch"]
            acts = self.spad[start:start + size].view(np.int8).astype(np.int64)
            exps = self.tables[0][acts - acts.max() + 255]
            total = int((exps + (1 << SUM_BITS - 1) >> SUM_BITS).sum()) % (1 << 32)
            multiplier, power = reciprocal(total or 1)
            scaled = requantize(exps, multiplier, min(62, 54 + power), Mode.TFL2)
            start = v["out_addr"] + row * v["out_pitch"]
            self.spad[start:start + size] = to_int8(scaled, -128, -128, 127).view(np.uint8)
