"""Test bench of the MATMUL unit: model memories, and a model of its instructions."""

import functools

import numpy as np

from support.setter import setter
from support.shared_simulator import SharedSimulator
from support.streams import put
from weft.array.matmul import MatmulUnit
from weft.spec.config import Config
from weft.sram.ports import AccOp

__all__ = ["ACC_LATENCY", "MatmulBench", "MatmulModel", "make_config", "random_instruction",
           "wrapped"]

ACC_LATENCY = 4


def make_config(rows, cols, **changes):
    """Return a configuration with an array of ``rows`` x ``cols``."""
    return Config(**dict(name="test", rows=rows, cols=cols, spad_bytes=2048, spad_banks=1,
                         wgt_bytes=max(512, 16 * rows * cols), acc_rows=64, vector_lanes=1,
                         bus_width=32) | changes)


class MatmulModel:
    """Model of the accumulators after MATMUL instructions."""

    def __init__(self, config, seed):
        draw = np.random.default_rng(seed)
        self.config = config
        self.spad = draw.integers(-128, 128, config.spad_bytes, dtype=np.int8)
        self.wgt = draw.integers(-128, 128, config.wgt_bytes, dtype=np.int8)
        self.acc = draw.integers(-1 << 31, 1 << 31, (config.acc_rows, config.cols))

    def tile(self, index, blank=0):
        """Return the weights of each array row of tile ``index``, with ``blank`` lines zero."""
        size = self.config.tile_bytes
        lines = self.wgt[index * size:(index + 1) * size].reshape(self.config.rows, -1)
        lines = lines.astype(np.int64)
        lines[:blank] = 0
        return lines[::-1]

    def vector(self, address):
        """Return the vector at ``address`` of the scratchpad."""
        return self.spad[address:address + self.config.rows].astype(np.int64)

    def filtered(self, address, index, lead, pitch):
        """Return the depthwise sums; line rows - 1 - lead + j is the tap of the j-th vector."""
        sums = np.zeros(self.config.cols, np.int64)
        lanes = min(self.config.rows, self.config.cols)
        for j in range(lead + 1):
            line = self.tile(index)[lead - j]
            sums[:lanes] += (line[:lanes] * self.vector(address + j * pitch)[:lanes])
        return sums

    def execute(self, f):
        """Execute a MATMUL with fields ``f``."""
        for r in range(f["row_count"]):
            for c in range(f["chunk_count"]):
                index = f["wgt_addr"] + (0 if f["hold"] else r * f["chunk_count"] + c)
                for y in range(f["y_count"]):
                    for x in range(f["x_count"]):
                        address = (f["act_addr"] + r * f["row_pitch"] + c * f["chunk_pitch"]
                                   + y * f["y_pitch"] + x * f["x_pitch"])
                        row = f["acc_addr"] + (r if f["apart"] else y) * f["x_count"] + x
                        if f["depthwise"]:
                            product = self.filtered(address, index, f["lead"], f["x_pitch"])
                        else:
                            product = self.vector(address) @ self.tile(index, f["blank"])
                        first = c == 0 if f["apart"] else r == c == 0
                        if first and not f["accumulate"]:
                            self.acc[row] = product
                        elif f["maximum"]:
                            self.acc[row] = np.maximum(self.acc[row], product)
                        else:
                            self.acc[row] = wrapped(self.acc[row] + product)


def wrapped(value):
    """Return ``value`` modulo 2^32 as a signed number."""
    return (value + (1 << 31)) % (1 << 32) - (1 << 31)


def _word(values):
    """Return the bytes of int8 numbers as one number, the first one lowest."""
    return int.from_bytes(values.tobytes(), "little")


def random_instruction(config, draw):
    """Return the fields of a random valid MATMUL."""
    while True:
        f = {
            "maximum": draw.random() < 0.3, "accumulate": draw.random() < 0.4,
            "hold": draw.random() < 0.2, "depthwise": draw.random() < 0.5, "lead": 0,
            "blank": 0, "apart": draw.random() < 0.3,
            "row_count": draw.randint(1, 3), "chunk_count": draw.randint(1, 3),
            "y_count": draw.randint(1, 4), "x_count": draw.randint(1, 6),
            **{f"{name}_pitch": draw.randint(0, 50) for name in ("row", "chunk", "y", "x")},
        }
        if f["depthwise"]:
            f["lead"] = draw.choice((0, 1, 2, config.rows - 1, draw.randrange(config.rows)))
        elif draw.random() < 0.3:
            f["blank"] = draw.randrange(config.rows)
        if f["apart"]:
            f["y_count"], f["row_count"] = 1, draw.randint(1, 6)
        extent = config.rows + f["lead"] * f["x_pitch"] + sum(
            (f[f"{name}_count"] - 1) * f[f"{name}_pitch"] for name in ("row", "chunk", "y", "x"))
        tiles = 1 if f["hold"] else f["row_count"] * f["chunk_count"]
        if extent > config.spad_bytes or tiles > config.wgt_tiles:
            continue
        f["act_addr"] = draw.randint(0, config.spad_bytes - extent)
        f["wgt_addr"] = draw.randint(0, config.wgt_tiles - tiles)
        f["acc_addr"] = draw.randint(
            0, config.acc_rows - f["row_count" if f["apart"] else "y_count"] * f["x_count"])
        return {key: int(value) for key, value in f.items()}


@functools.cache
def _simulator(config, data_latency, wgt_latency):
    """Return a simulator of the unit for all benches of a process with these parameters."""
    return SharedSimulator(
        MatmulUnit(config, spad_latency=data_latency + 2, data_latency=data_latency,
                   wgt_latency=wgt_latency, acc_latency=ACC_LATENCY), processes=5)


class MatmulBench:
    """MATMUL unit with its neighbours; records updates, done strobes and cycle numbers."""

    def __init__(self, config, model, data_latency, wgt_latency, stalls):
        self.config, self.model, self.stalls = config, model, stalls
        self.data_latency, self.wgt_latency = data_latency, wgt_latency
        self.simulator = _simulator(config, data_latency, wgt_latency)
        self.dut = self.simulator.dut
        self.acc = model.acc.copy()
        self.cycle = 0
        self.done_cycles = []
        self.vector_cycles = []
        self.last_update = {}

    async def scratchpad(self, ctx):
        """Model the scratchpad's port: at most two requests wait, stalled as ``stalls`` decides."""
        pipe = [None] * self.data_latency
        waiting = []
        idle = next(self.stalls)
        dut = self.dut.spad
        set_ready, set_granted, set_conflict, set_valid, set_data = (
            setter(ctx, signal) for signal in (
                dut.req.ready, dut.granted, dut.conflict, dut.valid, dut.data.as_value()))
        while True:
            set_ready(len(waiting) < 2)
            _, _, valid, ready, addr = await ctx.tick().sample(
                dut.req.valid, dut.req.ready, dut.req.payload)
            granted = None
            stalled = bool(waiting) and idle > 0
            if waiting and not stalled:
                granted = waiting.pop(0)
                idle = next(self.stalls)
            elif idle:
                idle -= 1
            if valid and ready:
                waiting.append(addr)
            set_granted(granted is not None)
            set_conflict(stalled)
            due = pipe.pop()
            pipe.insert(0, granted)
            set_valid(due is not None)
            if due is not None:
                set_data(_word(self.model.spad[due:due + self.config.rows]))

    async def upper_weights(self, ctx):
        """Model the read port of the weight buffer."""
        await self._weights(ctx, self.dut.wgt, self.config.tile_lines - 1)

    async def lower_weights(self, ctx):
        """Model the read port of the lower lines."""
        await self._weights(ctx, self.dut.wgt_lower, 0)

    async def _weights(self, ctx, dut, half):
        pipe = [None] * self.wgt_latency
        cols, count = self.config.cols, self.config.tile_cycles
        set_valid, set_data = setter(ctx, dut.valid), setter(ctx, dut.data.as_value())
        while True:
            _, _, en, address = await ctx.tick().sample(dut.req.valid, dut.req.payload)
            tile, line = divmod(address, count)
            index = tile * self.config.rows + half * count + line
            pipe = [index if en else None, *pipe[:-1]]
            due = pipe[-1]
            set_valid(due is not None)
            if due is not None:
                set_data(_word(self.model.wgt[due * cols:due * cols + cols]))

    async def watch(self, ctx):
        """Apply the updates of the unit to ``acc`` and check their distances."""
        dut = self.dut
        while True:
            _, _, en, row, op, data, done, busy, vector = await ctx.tick().sample(
                dut.acc.en, dut.acc.row, dut.acc.op, dut.acc.data, dut.unit.done, dut.unit.busy,
                dut.o_mac_busy)
            self.cycle += 1
            if vector:
                self.vector_cycles.append(self.cycle)
            if done:
                assert busy
                self.done_cycles.append(self.cycle)
            if not en:
                continue
            assert self.cycle - self.last_update.get(row, -10) >= 4, f"row {row} updated too soon"
            self.last_update[row] = self.cycle
            values = np.array([data[col] for col in range(self.config.cols)])
            if op == AccOp.WRITE:
                self.acc[row] = values
            elif op == AccOp.ADD:
                self.acc[row] = wrapped(self.acc[row] + values)
            else:
                self.acc[row] = np.maximum(self.acc[row], values)

    def processes(self):
        """Return the processes beside the unit."""
        lower = [self.lower_weights] if self.config.tile_lines > 1 else []
        return [self.scratchpad, self.upper_weights, *lower, self.watch]

    async def _execute(self, ctx, words, timeout):
        wanted = len(self.done_cycles) + len(words)
        for word in words:
            await put(ctx, self.dut.unit.cmd, int.from_bytes(word, "little"))
        for _ in range(timeout):
            if len(self.done_cycles) == wanted:
                break
            await ctx.tick()
        else:
            raise AssertionError(f"{len(self.done_cycles)} of {wanted} done")
        await ctx.tick().repeat(4)
        assert not ctx.get(self.dut.unit.busy)

    def run(self, words, timeout, between=None):
        """Execute the instructions ``words``; raise if they take more than ``timeout`` cycles.

        ``between`` is an async function that is called when they are done, and returns further
        instructions.
        """
        async def issue(ctx):
            await self._execute(ctx, words, timeout)
            if between is not None:
                await self._execute(ctx, await between(ctx), timeout)

        try:
            self.simulator.run(processes=self.processes(), testbenches=[issue])
        except BaseException:
            _simulator.cache_clear()        # its state is unknown
            raise
