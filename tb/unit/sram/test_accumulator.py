"""Accumulator memory compared with a numpy model."""

import collections
import random

import numpy as np
import pytest
from amaranth.sim import Simulator

from support.seeds import seed
from weft.spec.presets import preset
from weft.sram.accumulator import AccumulatorMemory
from weft.sram.ports import AccOp

INT32 = 2**31


def wrap(values):
    """Return ``values`` modulo 2^32 as int32."""
    return (np.asarray(values, np.int64) + INT32) % 2**32 - INT32


class Traffic:
    """Random updates and reads compared with a numpy array that wraps like int32.

    ``pick`` is a function of the random generator and ``"update"`` or ``"read"`` that returns a
    row.
    """

    def __init__(self, dut, name, *, update_rate=0.7, read_rate=0.7, pick=None):
        self.dut = dut
        self.seed = f"{seed()}/{name}"
        self.random = random.Random(self.seed)
        self.update_rate = update_rate
        self.read_rate = read_rate
        self.pick = pick or (lambda rng, kind: rng.randrange(dut.config.acc_rows))
        self.model = np.zeros((dut.config.acc_rows, dut.config.cols), np.int64)
        self.last_update = collections.defaultdict(lambda: -100)
        self.updates = self.reads = self.stalled = self.checked = 0

    def run(self, cycles, *, clear_at=()):
        """Simulate ``cycles`` cycles of traffic, with ``i_clear`` high in those of ``clear_at``."""
        simulator = Simulator(self.dut)
        simulator.add_clock(1e-6)

        async def bench(ctx):
            await self._bench(ctx, cycles, clear_at)
        simulator.add_testbench(bench)
        simulator.run()

    def _operand(self):
        limit = 1 << (self.dut.config.sum_width - 1)
        return self.random.choice(
            [-limit, limit - 1, 0, -1, self.random.randrange(-limit, limit)])

    async def _bench(self, ctx, cycles, clear_at):
        dut, latency = self.dut, self.dut.READ_LATENCY
        due = collections.deque()
        request = None
        clearing = 0
        for cycle in range(cycles + dut.config.acc_rows + 20):
            row = self.pick(self.random, "update")
            update = None
            if (cycle < cycles and not clearing and self.random.random() < self.update_rate
                    and cycle - self.last_update[row] >= dut.UPDATE_LATENCY):
                update = (self.random.choice(list(AccOp)),
                          [self._operand() for _ in range(dut.config.cols)])
                ctx.set(dut.update.row, row)
                ctx.set(dut.update.op, update[0])
                ctx.set(dut.update.data, update[1])
            ctx.set(dut.update.en, update is not None)
            if request is None and cycle < cycles and self.random.random() < self.read_rate:
                request = self.pick(self.random, "read")
                ctx.set(dut.read.req.payload, request)
            ctx.set(dut.read.req.valid, request is not None)
            ctx.set(dut.i_clear, cycle in clear_at)
            _, _, ready, conflict, busy, valid, data = await ctx.tick().sample(
                dut.read.req.ready, dut.o_conflict_read, dut.o_clearing, dut.read.valid,
                dut.read.data)

            same_half = update is not None and request is not None and (
                row // dut.depth == request // dut.depth)
            if request is not None:
                assert ready == (not same_half and not clearing), (self.seed, cycle)
            assert conflict == (request is not None and not ready), (self.seed, cycle)
            assert busy == (clearing > 0), (self.seed, cycle)
            self._check(cycle, due, valid, data)
            if update is not None:
                self.updates += 1
                self._apply(row, *update)
                self.last_update[row] = cycle
            if request is not None and ready:
                # an update less than UPDATE_LATENCY cycles before leaves the data undefined
                settled = cycle - self.last_update[request] >= dut.UPDATE_LATENCY
                due.append((cycle + latency, request, self.model[request].copy(), settled))
                self.reads += 1
                request = None
            elif request is not None:
                self.stalled += 1
            if clearing:
                clearing -= 1
            elif cycle in clear_at:
                clearing = dut.depth + dut.UPDATE_LATENCY
                self.model[:] = 0
                self.last_update.clear()
        assert not due and request is None, self.seed

    def _apply(self, row, op, operand):
        old = self.model[row]
        self.model[row] = {AccOp.WRITE: lambda: np.array(operand),
                           AccOp.ADD: lambda: wrap(old + operand),
                           AccOp.MAX: lambda: np.maximum(old, operand)}[op]()

    def _check(self, cycle, due, valid, data):
        assert valid == bool(due and due[0][0] == cycle), (self.seed, cycle, valid)
        if valid:
            _, row, expected, settled = due.popleft()
            if settled:
                self.checked += 1
                wrong = np.flatnonzero(np.array(list(data)) != expected)
                assert not len(wrong), (
                    f"seed {self.seed}, cycle {cycle}: row {row}, column {wrong[0]} is "
                    f"{data[int(wrong[0])]}, expected {expected[wrong[0]]}")


@pytest.mark.parametrize("config", [
    preset("tiny", acc_rows=8), preset("tiny", cols=2, acc_rows=16, vector_lanes=2),
    preset("wide", acc_rows=8), preset("tall", acc_rows=64),
], ids=lambda config: config.name)
def test_random_updates_and_reads_agree_with_numpy(config):
    traffic = Traffic(AccumulatorMemory(config), f"random/{config.name}")
    traffic.run(1000)
    assert min(traffic.updates, traffic.reads, traffic.checked) > 200


def test_updates_of_one_row_as_close_as_allowed():
    dut = AccumulatorMemory(preset("tiny", acc_rows=8))
    order = iter(range(10**6))

    def rows(rng, kind):
        return next(order) % 4 if kind == "update" else rng.randrange(8)
    traffic = Traffic(dut, "close", update_rate=1, pick=rows)
    traffic.run(500)
    assert traffic.updates == 500


def test_updates_of_one_half_do_not_stall_reads_of_the_other():
    dut = AccumulatorMemory(preset("tiny", acc_rows=32))
    order = iter(range(10**6))

    def rows(rng, kind):
        return next(order) % 16 if kind == "update" else 16 + rng.randrange(16)
    traffic = Traffic(dut, "halves", update_rate=1, read_rate=1, pick=rows)
    traffic.run(200)
    assert (traffic.updates, traffic.reads, traffic.stalled) == (200, 200, 0)


def test_a_read_is_stalled_while_its_half_is_updated():
    dut = AccumulatorMemory(preset("tiny", acc_rows=32))
    order = iter(range(10**6))

    def rows(rng, kind):
        return next(order) % 16
    traffic = Traffic(dut, "wait", update_rate=0.5, read_rate=1, pick=rows)
    traffic.run(300)
    assert traffic.stalled > 50


def test_sums_wrap_at_32_bits():
    config = preset("tiny", rows=64, acc_rows=8)
    dut = AccumulatorMemory(config)
    limit = 1 << (config.sum_width - 1)
    count = INT32 // (limit - 1) + 1

    async def bench(ctx):
        for _ in range(count):
            ctx.set(dut.update.en, 1)
            ctx.set(dut.update.op, AccOp.ADD)
            ctx.set(dut.update.data, [limit - 1, -limit, 1, -1])
            await ctx.tick()
            ctx.set(dut.update.en, 0)
            await ctx.tick().repeat(3)
        ctx.set(dut.read.req.valid, 1)
        await ctx.tick()
        data, = await ctx.tick().sample(dut.read.data).until(dut.read.valid)
        expected = wrap(np.array([limit - 1, -limit, 1, -1]) * count)
        assert expected[0] < 0 < expected[1]
        assert list(data) == list(expected)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("acc_rows", [8, 64])
def test_a_clear_follows_updates_in_flight(acc_rows):
    dut = AccumulatorMemory(preset("tiny", acc_rows=acc_rows))
    traffic = Traffic(dut, f"clear/{acc_rows}", update_rate=1)
    traffic.run(2 * acc_rows + 600, clear_at=(100, 200 + acc_rows, 391 + acc_rows))
    assert traffic.checked > 50
