"""The MATMUL unit with model memories: results against numpy, and cycles of a pass."""

import random

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.sim import Simulator

from support.streams import STALL_PATTERNS, Stalls, put
from weft.array.matmul import MatmulUnit
from weft.array.positions import UPDATE_DISTANCE
from weft.config import Config
from weft.control import isa
from weft.sram.ports import AccOp

ACC_LATENCY = 4


def make_config(rows, cols, **changes):
    return Config(**dict(name="test", rows=rows, cols=cols, spad_bytes=2048, spad_banks=1,
                         wgt_bytes=max(512, 16 * rows * cols), acc_rows=64, vector_lanes=1,
                         bus_width=32) | changes)


class Model:
    """What the instructions should leave in the accumulators."""

    def __init__(self, config, seed):
        draw = np.random.default_rng(seed)
        self.config = config
        self.spad = draw.integers(-128, 128, config.spad_bytes, dtype=np.int8)
        self.wgt = draw.integers(-128, 128, config.wgt_bytes, dtype=np.int8)
        self.acc = draw.integers(-1 << 31, 1 << 31, (config.acc_rows, config.cols))

    def tile(self, index):
        size = self.config.tile_bytes
        lines = self.wgt[index * size:(index + 1) * size].reshape(self.config.rows, -1)
        return lines[::-1].astype(np.int64)

    def vector(self, at):
        return self.spad[at:at + self.config.rows].astype(np.int64)

    def filtered(self, at, index, lead, pitch):
        """Line rows - 1 - lead + j of the tile is tap j, for the vector j positions further."""
        sums = np.zeros(self.config.cols, np.int64)
        lanes = min(self.config.rows, self.config.cols)
        for j in range(lead + 1):
            line = self.tile(index)[lead - j]
            sums[:lanes] += (line[:lanes] * self.vector(at + j * pitch)[:lanes])
        return sums

    def execute(self, f):
        for r in range(f["row_count"]):
            for c in range(f["chunk_count"]):
                index = f["wgt_addr"] + (0 if f["hold"] else r * f["chunk_count"] + c)
                for y in range(f["y_count"]):
                    for x in range(f["x_count"]):
                        at = (f["act_addr"] + r * f["row_pitch"] + c * f["chunk_pitch"]
                              + y * f["y_pitch"] + x * f["x_pitch"])
                        row = f["acc_addr"] + y * f["x_count"] + x
                        if f["depthwise"]:
                            product = self.filtered(at, index, f["lead"], f["x_pitch"])
                        else:
                            product = self.vector(at) @ self.tile(index)
                        if r == c == 0 and not f["accumulate"]:
                            self.acc[row] = product
                        elif f["maximum"]:
                            self.acc[row] = np.maximum(self.acc[row], product)
                        else:
                            self.acc[row] = _int32(self.acc[row] + product)


def _int32(value):
    return (value + (1 << 31)) % (1 << 32) - (1 << 31)


def random_instruction(config, draw):
    while True:
        f = {
            "maximum": draw.random() < 0.3, "accumulate": draw.random() < 0.4,
            "hold": draw.random() < 0.2, "depthwise": draw.random() < 0.5, "lead": 0,
            "row_count": draw.randint(1, 3), "chunk_count": draw.randint(1, 3),
            "y_count": draw.randint(1, 4), "x_count": draw.randint(1, 6),
            **{f"{name}_pitch": draw.randint(0, 50) for name in ("row", "chunk", "y", "x")},
        }
        if f["depthwise"]:
            f["lead"] = draw.choice((0, 1, 2, config.rows - 1, draw.randrange(config.rows)))
        extent = config.rows + f["lead"] * f["x_pitch"] + sum(
            (f[f"{name}_count"] - 1) * f[f"{name}_pitch"] for name in ("row", "chunk", "y", "x"))
        tiles = 1 if f["hold"] else f["row_count"] * f["chunk_count"]
        if extent > config.spad_bytes or tiles > config.wgt_tiles:
            continue
        f["act_addr"] = draw.randint(0, config.spad_bytes - extent)
        f["wgt_addr"] = draw.randint(0, config.wgt_tiles - tiles)
        f["acc_addr"] = draw.randint(0, config.acc_rows - f["y_count"] * f["x_count"])
        return {key: int(value) for key, value in f.items()}


class Bench:
    """The unit with its neighbours; collects updates, done strobes and cycle numbers."""

    def __init__(self, config, model, answer_latency, wgt_latency, stalls):
        self.config, self.model, self.stalls = config, model, stalls
        self.answer_latency, self.wgt_latency = answer_latency, wgt_latency
        self.dut = MatmulUnit(config, spad_latency=answer_latency + 2,
                              answer_latency=answer_latency, wgt_latency=wgt_latency,
                              acc_latency=ACC_LATENCY)
        self.acc = model.acc.copy()
        self.cycle = 0
        self.done_cycles = []
        self.vector_cycles = []
        self.last_update = {}

    async def scratchpad(self, ctx):
        """Two requests wait at most; the oldest is put off as the stalls say."""
        pipe = [None] * self.answer_latency
        waiting = []
        idle = next(self.stalls)
        dut = self.dut.spad
        while True:
            ctx.set(dut.req.ready, len(waiting) < 2)
            _, _, valid, ready, addr = await ctx.tick().sample(
                dut.req.valid, dut.req.ready, dut.req.payload)
            made = None
            put_off = bool(waiting) and idle > 0
            if waiting and not put_off:
                made = waiting.pop(0)
                idle = next(self.stalls)
            elif idle:
                idle -= 1
            if valid and ready:
                waiting.append(addr)
            ctx.set(dut.going, made is not None)
            ctx.set(dut.conflict, put_off)
            due = pipe.pop()
            pipe.insert(0, made)
            ctx.set(dut.valid, due is not None)
            if due is not None:
                for lane in range(self.config.rows):
                    byte = due + lane
                    ctx.set(dut.data[lane], int(self.model.spad[byte]) & 255)

    async def weights(self, ctx):
        pipe = [None] * self.wgt_latency
        dut = self.dut.wgt
        cols = self.config.cols
        while True:
            _, _, en, line = await ctx.tick().sample(dut.req.valid, dut.req.payload)
            pipe = [line if en else None, *pipe[:-1]]
            due = pipe[-1]
            ctx.set(dut.valid, due is not None)
            if due is not None:
                for col in range(cols):
                    ctx.set(dut.data[col], int(self.model.wgt[due * cols + col]) & 255)

    async def watch(self, ctx):
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
                self.acc[row] = _int32(self.acc[row] + values)
            else:
                self.acc[row] = np.maximum(self.acc[row], values)

    def run(self, words, timeout):
        m = Module()
        m.submodules.dut = self.dut
        simulator = Simulator(m)
        simulator.add_clock(1e-6)

        async def issue(ctx):
            for word in words:
                await put(ctx, self.dut.unit.cmd, int.from_bytes(word, "little"))
            for _ in range(timeout):
                if len(self.done_cycles) == len(words):
                    break
                await ctx.tick()
            else:
                raise AssertionError(f"{len(self.done_cycles)} of {len(words)} done")
            await ctx.tick().repeat(4)
            assert not ctx.get(self.dut.unit.busy)

        for process in (self.scratchpad, self.weights, self.watch):
            simulator.add_testbench(process, background=True)
        simulator.add_testbench(issue)
        simulator.run()


@pytest.mark.parametrize("rows, cols", [(4, 4), (4, 8), (8, 4)])
@pytest.mark.parametrize("pattern", STALL_PATTERNS)
@pytest.mark.parametrize("latencies", [(4, 2), (3, 2), (2, 3), (5, 1)])
def test_random_instructions_equal_numpy(rows, cols, pattern, latencies):
    config = make_config(rows, cols)
    seed = random.Random(f"{rows} {cols} {pattern} {latencies}").randrange(1 << 30)
    print("seed", seed)
    draw = random.Random(seed)
    model = Model(config, seed)
    bench = Bench(config, model, *latencies, Stalls(pattern, seed))
    words = []
    for _ in range(12):
        if draw.random() < 0.2:
            words.append(isa.encode("SYNC_MATMUL"))
        else:
            fields = random_instruction(config, draw)
            words.append(isa.encode("MATMUL", **fields))
            model.execute(fields)
    bench.run(words, timeout=20000)
    wrong = np.argwhere(bench.acc != model.acc)
    assert not len(wrong), (
        f"seed {seed}: row {wrong[0]}: expected {model.acc[tuple(wrong[0])]}, "
        f"got {bench.acc[tuple(wrong[0])]}")


@pytest.mark.parametrize("rows, cols", [(4, 4), (8, 4), (4, 8)])
@pytest.mark.parametrize("positions", [1, 3, 4, 8, 13])
def test_a_pass_takes_max_of_rows_and_positions(rows, cols, positions):
    config = make_config(rows, cols)
    model = Model(config, 1)
    bench = Bench(config, model, 4, 2, Stalls("none"))
    fields = {"act_addr": 3, "row_count": 2, "row_pitch": 40, "chunk_count": 2, "chunk_pitch": rows,
              "y_count": 1, "x_count": positions, "x_pitch": 7}
    words = [isa.encode("MATMUL", **fields, acc_addr=index % 2 * 16) for index in range(4)]
    bench.run(words, timeout=2000)
    passes = 4 * 4
    # the last pass needs only its positions; every one before it also hides the next tile
    ideal = (passes - 1) * max(rows, positions) + positions
    assert bench.vector_cycles[-1] - bench.vector_cycles[0] + 1 == ideal


def cycles_of(rows, cols, *instructions, spad_bytes=2048, acc_rows=64):
    """Cycles from the first to the last vector; the results are compared, too."""
    config = make_config(rows, cols, spad_bytes=spad_bytes, acc_rows=acc_rows)
    model = Model(config, 1)
    bench = Bench(config, model, 4, 2, Stalls("none"))
    zeros = {field.name: 0 for field in isa.BY_NAME["MATMUL"].fields}
    for fields in instructions:
        model.execute(zeros | {"row_count": 1, "chunk_count": 1, "y_count": 1} | fields)
    bench.run([isa.encode("MATMUL", **{"row_count": 1, "chunk_count": 1, "y_count": 1} | fields)
               for fields in instructions], timeout=20000)
    assert (bench.acc == model.acc).all()
    return bench.vector_cycles[-1] - bench.vector_cycles[0] + 1


@pytest.mark.parametrize("rows, cols", [(8, 8), (16, 4), (4, 16)])
@pytest.mark.parametrize("lead", [0, 1, 3])
@pytest.mark.parametrize("y_count, x_count", [(1, 1), (1, 7), (3, 4), (4, 5)])
def test_a_depthwise_pass_takes_lead_more_cycles_a_row_of_positions(
        rows, cols, lead, y_count, x_count):
    pitch = min(rows, cols)
    fields = {"depthwise": 1, "lead": lead, "act_addr": 1, "row_count": 3, "x_pitch": pitch,
              "y_count": y_count, "y_pitch": pitch * (x_count + lead), "x_count": x_count,
              "row_pitch": pitch * (x_count + lead)}
    words = [fields | {"acc_addr": index % 2 * 32} for index in range(3)]
    vectors = y_count * (x_count + lead)
    passes = 3 * len(words)
    assert cycles_of(rows, cols, *words) == (passes - 1) * max(rows, vectors) + vectors


@pytest.mark.parametrize("rows, cols", [(8, 8), (4, 16)])
def test_dense_and_depthwise_passes_follow_each_other_without_a_bubble(rows, cols):
    dense = {"row_count": 2, "row_pitch": 9, "x_count": rows, "x_pitch": 3}
    depthwise = dense | {"depthwise": 1, "lead": 2, "x_count": rows - 2}
    words = [(dense, depthwise)[index % 2] | {"acc_addr": 16 * index, "wgt_addr": index % 3}
             for index in range(4)]
    assert cycles_of(rows, cols, *words) == 8 * rows


@pytest.mark.parametrize("rows, cols", [(4, 4), (16, 16)])
@pytest.mark.parametrize("positions", [1, 2, 4, 5])
@pytest.mark.parametrize("depthwise", [0, 1])
def test_a_held_tile_costs_its_positions_only(rows, cols, positions, depthwise):
    fields = {"hold": 1, "row_count": 5, "row_pitch": 20, "chunk_count": 25, "chunk_pitch": 3,
              "x_count": positions, "x_pitch": rows, "depthwise": depthwise}
    ideal = 125 * max(positions, UPDATE_DISTANCE) - max(0, UPDATE_DISTANCE - positions)
    assert cycles_of(rows, cols, fields) == ideal


@pytest.mark.parametrize("width, height, y_each", [(25, 5, 5), (48, 4, 3)])
def test_a_depthwise_layer_is_fast(width, height, y_each):
    """3 x 3 over 16 channels on 16 x 16, in instructions of ``y_each`` rows of positions."""
    size, cells = 16, dict(spad_bytes=65536, acc_rows=256)
    halo = (width + 2) * size
    shapes = [(y, min(y_each, height - y)) for y in range(0, height, y_each)]

    def layer(**fields):
        return cycles_of(size, size, *(
            {"act_addr": y * halo, "row_count": 3, "row_pitch": halo, "y_count": count,
             "y_pitch": halo, "x_count": width, "x_pitch": size} | fields
            for y, count in shapes), **cells)

    diagonal = layer(chunk_count=3, chunk_pitch=size)
    filters = layer(depthwise=1, lead=2)
    print("diagonal", diagonal, "filters", filters)
    assert diagonal == 9 * width * height
    assert filters == 3 * (width + 2) * height
    assert diagonal >= 2.5 * filters


def test_halt_keeps_the_unit_from_starting():
    config = make_config(4, 4)
    dut = MatmulUnit(config, spad_latency=4, answer_latency=2, wgt_latency=2,
                     acc_latency=ACC_LATENCY)
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)

    async def bench(ctx):
        ctx.set(dut.unit.cmd.payload, int.from_bytes(isa.encode("SYNC_MATMUL"), "little"))
        ctx.set(dut.unit.cmd.valid, 1)
        ctx.set(dut.unit.halt, 1)
        for _ in range(10):
            assert not ctx.get(dut.unit.cmd.ready)
            await ctx.tick()
        ctx.set(dut.unit.halt, 0)
        assert ctx.get(dut.unit.cmd.ready)

    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("pattern", STALL_PATTERNS)
@pytest.mark.parametrize("positions", [1, 2, 3, 4])
def test_updates_of_a_row_stay_apart_when_reads_are_put_off(pattern, positions):
    """Short passes with a held tile come back to a row as soon as they may."""
    config = make_config(4, 4)
    model = Model(config, 1)
    bench = Bench(config, model, 4, 5, Stalls(pattern, positions))
    fields = {"hold": 1, "row_count": 6, "row_pitch": 20, "chunk_count": 10, "chunk_pitch": 3,
              "x_count": positions, "x_pitch": 4, "y_count": 1}
    zeros = {field.name: 0 for field in isa.BY_NAME["MATMUL"].fields}
    words = [fields | {"acc_addr": acc} for acc in (0, 0, 1, 2, 0)]
    for word in words:
        model.execute(zeros | word)
    bench.run([isa.encode("MATMUL", **word) for word in words], timeout=20000)
    assert (bench.acc == model.acc).all()
