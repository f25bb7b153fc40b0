"""The scratchpad under cocotb: a driver for each port, a monitor, a byte array beside it."""

import collections
import json
import os
import random

from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, ReadOnly, RisingEdge

import cocotb
from weft.spec.config import Config
from weft.sram.scratchpad import Scratchpad

CONFIG = Config(**json.loads(os.environ["WEFT_CONFIG"]))
SEED = int(os.environ["WEFT_SEED"])
CYCLES = int(os.environ["WEFT_CYCLES"])
SIZE = CONFIG.spad_bytes
BANK = SIZE // CONFIG.spad_banks
READS = {"matmul": CONFIG.rows, "vector": max(CONFIG.vector_lanes, 4), "store": CONFIG.bus_bytes}
WRITES = {"load": CONFIG.bus_bytes, "vector_out": max(CONFIG.vector_lanes, 4)}
WIDTHS = {**READS, **WRITES}
ADDR_WIDTH = (SIZE - 1).bit_length()
DEPTH = SIZE // CONFIG.spad_banks // CONFIG.spad_row_bytes
CYCLE_NS = 10


def places(name, addr):
    return [(addr + i) % SIZE for i in range(WIDTHS[name])]


class Bench:
    """Drives all ports a cycle at a time and checks every output in every cycle."""

    def __init__(self, dut, name, idle_share, pick):
        self.dut = dut
        self.random = random.Random(f"{SEED}/{name}")
        self.idle_share = idle_share
        self.pick = pick
        self.memory = bytearray(SIZE)
        self.request = dict.fromkeys(WIDTHS)
        self.waiting = {name: collections.deque() for name in WIDTHS}    # accepted, not made
        self.due = {name: collections.deque() for name in READS}
        self.made = collections.Counter()
        self.waited = collections.Counter()
        self.longest = collections.Counter()
        self.cycle = 0

    def signal(self, name, what):
        return getattr(self.dut, f"{name}_{what}")

    async def start(self):
        for name in WIDTHS:
            self.signal(name, "req_valid").value = 0
            self.signal(name, "req_payload").value = 0
        self.dut.i_clear.value = 0
        self.dut.i_flush.value = 0
        self.dut.rst.value = 1
        Clock(self.dut.clk, CYCLE_NS, "ns").start()
        for _ in range(3):
            await RisingEdge(self.dut.clk)
        await FallingEdge(self.dut.clk)
        self.dut.rst.value = 0
        # a test before may have left anything
        self.dut.i_clear.value = 1
        await FallingEdge(self.dut.clk)
        self.dut.i_clear.value = 0
        while int(self.dut.o_clearing.value):
            await FallingEdge(self.dut.clk)

    def draw(self, name):
        addr = self.pick(name, self.random) % SIZE
        if name in READS:
            return addr, addr
        width = WIDTHS[name]
        mask = self.random.getrandbits(width)
        data = [self.random.randrange(256) for _ in range(width)]
        packed = addr | int.from_bytes(data, "little") << ADDR_WIDTH
        last = 1                    # every write asks for done
        return packed | (last << width | mask) << ADDR_WIDTH + 8 * width, (addr, data, mask)

    async def step(self, draw=True):
        """One cycle; inputs change on the falling edge, outputs are looked at before the rise."""
        for name in WIDTHS:
            if draw and self.request[name] is None and self.random.random() >= self.idle_share:
                payload, self.request[name] = self.draw(name)
                self.signal(name, "req_payload").value = payload
            self.signal(name, "req_valid").value = self.request[name] is not None
        await ReadOnly()
        made = {}
        for name in WIDTHS:
            pulse = "granted" if name in READS else "done"
            if int(self.signal(name, pulse).value):             # raises if it is X
                made[name] = self.waiting[name].popleft()[1]
                self.made[name] += 1
            late = bool(self.waiting[name]) and self.waiting[name][0][0] <= self.cycle - 2
            conflict = int(self.signal(name, "conflict").value)
            assert conflict == (late and name not in made), (SEED, self.cycle, name)
            self.waited[name] = self.waited[name] + 1 if conflict else 0
            self.longest[name] = max(self.longest[name], self.waited[name])
        self.apply(made)
        for name, request in self.request.items():
            ready = int(self.signal(name, "req_ready").value)
            assert ready == (len(self.waiting[name]) < 2), (SEED, self.cycle, name)
            if request is not None and ready:
                self.waiting[name].append((self.cycle, request))
                self.request[name] = None
        self.compare()
        await FallingEdge(self.dut.clk)
        self.cycle += 1

    def compare(self):
        for name, due in self.due.items():
            valid = int(self.signal(name, "valid").value)
            assert valid == bool(due and due[0][0] == self.cycle), (SEED, self.cycle, name)
            if valid:
                _, addr, expected = due.popleft()
                word = int(self.signal(name, "data").value)
                got = word.to_bytes(WIDTHS[name], "little")
                for i, (want, byte) in enumerate(zip(expected, got)):
                    assert want in (None, byte), (
                        f"seed {SEED}, cycle {self.cycle}: {name} at {addr:#x}: byte {i} is "
                        f"{byte}, expected {want}")

    def apply(self, made):
        """What the cycle before made."""
        written = {}
        for name in made:
            if name in WRITES:
                addr, data, mask = made[name]
                written |= {place: byte for i, (place, byte)
                            in enumerate(zip(places(name, addr), data)) if mask >> i & 1}
        for name in made:
            if name in READS:
                # a byte written in this very cycle may read as anything
                self.due[name].append((
                    self.cycle + Scratchpad.DATA_LATENCY, made[name],
                    [None if place in written else self.memory[place]
                     for place in places(name, made[name])]))
        for place, byte in written.items():
            self.memory[place] = byte

    async def finish(self):
        for _ in range(Scratchpad.DATA_LATENCY + 4 * len(WIDTHS)):
            await self.step(draw=False)
        assert not any(self.request.values()) and not any(self.due.values())
        assert not any(self.waiting.values())


def anywhere(name, rng):
    edge = rng.randrange(CONFIG.spad_banks + 1) * BANK
    # a small region, so that what is read has mostly been written
    return edge + rng.randint(-2 * CONFIG.spad_row_bytes, 2 * CONFIG.spad_row_bytes)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def agrees_with_a_byte_array_without_stalls(dut):
    bench = Bench(dut, "full", 0.0, anywhere)
    await bench.start()
    for _ in range(CYCLES):
        await bench.step()
    await bench.finish()
    assert min(bench.made[name] for name in WIDTHS) > CYCLES // 4, bench.made


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def agrees_with_a_byte_array_under_random_stalls(dut):
    bench = Bench(dut, "stalls", 0.6, anywhere)
    await bench.start()
    for _ in range(CYCLES):
        await bench.step()
    await bench.finish()


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def shares_one_bank_equally(dut):
    bench = Bench(dut, "fair", 0.0, lambda name, rng: rng.randrange(BANK - CONFIG.spad_row_bytes))
    await bench.start()
    for _ in range(300):
        await bench.step()
    for ports in (READS, WRITES):
        for name in ports:
            assert bench.longest[name] < len(ports), bench.longest
            assert abs(bench.made[name] - 300 / len(ports)) <= 3, bench.made
    await bench.finish()


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def clears_everything_a_row_a_cycle(dut):
    bench = Bench(dut, "clear", 0.0, anywhere)
    await bench.start()
    for _ in range(300):
        await bench.step()
    bench.dut.i_clear.value = 1
    await bench.step()
    bench.dut.i_clear.value = 0
    cycles = 0
    while int(dut.o_clearing.value):
        made = bench.made.total()
        await bench.step()
        if cycles == 0:         # that step told of what was made in the cycle of i_clear
            bench.memory = bytearray(SIZE)
        else:
            assert bench.made.total() == made
        cycles += 1
    assert cycles == DEPTH
    for _ in range(300):
        await bench.step()
    await bench.finish()
