"""Cocotb tests of the scratchpad: a driver for each port, a monitor, and a byte array as model."""

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
READS = {"matmul": CONFIG.rows, "vector": CONFIG.vector_port_bytes, "store": CONFIG.bus_bytes}
WRITES = {"load": CONFIG.bus_bytes, "vector_out": CONFIG.vector_port_bytes}
WIDTHS = {**READS, **WRITES}
ADDR_WIDTH = CONFIG.spad_addr_width
DEPTH = SIZE // CONFIG.spad_banks // CONFIG.spad_row_bytes
CYCLE_NS = 10


def addresses(name, addr):
    """Return the byte addresses of an access of port ``name`` at ``addr``."""
    return [(addr + i) % SIZE for i in range(WIDTHS[name])]


class Bench:
    """Driver of all ports and checker of every output in every cycle."""

    def __init__(self, dut, name, idle_share, pick):
        self.dut = dut
        self.random = random.Random(f"{SEED}/{name}")
        self.idle_share = idle_share
        self.pick = pick
        self.memory = bytearray(SIZE)
        self.request = dict.fromkeys(WIDTHS)
        self.waiting = {name: collections.deque() for name in WIDTHS}    # accepted, not granted
        self.due = {name: collections.deque() for name in READS}
        self.granted = collections.Counter()
        self.waited = collections.Counter()
        self.longest = collections.Counter()
        self.cycle = 0

    def signal(self, name, member):
        """Return member ``member`` of port ``name``."""
        return getattr(self.dut, f"{name}_{member}")

    async def start(self):
        """Reset and clear the memory."""
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
        # an earlier test may have left any contents
        self.dut.i_clear.value = 1
        await FallingEdge(self.dut.clk)
        self.dut.i_clear.value = 0
        while int(self.dut.o_clearing.value):
            await FallingEdge(self.dut.clk)

    def draw(self, name):
        """Return the payload of a random request of port ``name``, packed and as a tuple."""
        addr = self.pick(name, self.random) % SIZE
        if name in READS:
            return addr, addr
        width = WIDTHS[name]
        mask = self.random.getrandbits(width)
        data = [self.random.randrange(256) for _ in range(width)]
        packed = addr | int.from_bytes(data, "little") << ADDR_WIDTH
        last = 1                    # every write requests done
        return packed | (last << width | mask) << ADDR_WIDTH + 8 * width, (addr, data, mask)

    async def step(self, draw=True):
        """Simulate a cycle: inputs change on the falling edge, outputs are sampled before it."""
        for name in WIDTHS:
            if draw and self.request[name] is None and self.random.random() >= self.idle_share:
                payload, self.request[name] = self.draw(name)
                self.signal(name, "req_payload").value = payload
            self.signal(name, "req_valid").value = self.request[name] is not None
        await ReadOnly()
        granted = {}
        for name in WIDTHS:
            pulse = "granted" if name in READS else "done"
            if int(self.signal(name, pulse).value):             # raises if it is X
                granted[name] = self.waiting[name].popleft()[1]
                self.granted[name] += 1
            overdue = bool(self.waiting[name]) and self.waiting[name][0][0] <= self.cycle - 2
            conflict = int(self.signal(name, "conflict").value)
            assert conflict == (overdue and name not in granted), (SEED, self.cycle, name)
            self.waited[name] = self.waited[name] + 1 if conflict else 0
            self.longest[name] = max(self.longest[name], self.waited[name])
        self.apply(granted)
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
        """Compare the data that is due in this cycle with the model."""
        for name, due in self.due.items():
            valid = int(self.signal(name, "valid").value)
            assert valid == bool(due and due[0][0] == self.cycle), (SEED, self.cycle, name)
            if valid:
                _, addr, expected = due.popleft()
                word = int(self.signal(name, "data").value)
                actual = word.to_bytes(WIDTHS[name], "little")
                for i, (wanted, byte) in enumerate(zip(expected, actual)):
                    assert wanted in (None, byte), (
                        f"seed {SEED}, cycle {self.cycle}: {name} at {addr:#x}: byte {i} is "
                        f"{byte}, expected {wanted}")

    def apply(self, granted):
        """Apply the requests that were granted in the previous cycle to the model."""
        written = {}
        for name in granted:
            if name in WRITES:
                addr, data, mask = granted[name]
                written |= {address: byte for i, (address, byte)
                            in enumerate(zip(addresses(name, addr), data)) if mask >> i & 1}
        for name in granted:
            if name in READS:
                # the read of a byte that is written in the same cycle is undefined
                self.due[name].append((
                    self.cycle + Scratchpad.DATA_LATENCY, granted[name],
                    [None if address in written else self.memory[address]
                     for address in addresses(name, granted[name])]))
        for address, byte in written.items():
            self.memory[address] = byte

    async def finish(self):
        """Simulate until all data has arrived."""
        for _ in range(Scratchpad.DATA_LATENCY + 4 * len(WIDTHS)):
            await self.step(draw=False)
        assert not any(self.request.values()) and not any(self.due.values())
        assert not any(self.waiting.values())


def near_a_bank_end(name, rng):
    """Return an address close to the end of a bank."""
    edge = rng.randrange(CONFIG.spad_banks + 1) * BANK
    # a small region, so that most bytes that are read were written before
    return edge + rng.randint(-2 * CONFIG.spad_row_bytes, 2 * CONFIG.spad_row_bytes)


async def run_random_accesses(dut, name, idle_share):
    """Run ``CYCLES`` cycles of random accesses, and return the number granted to each port."""
    bench = Bench(dut, name, idle_share, near_a_bank_end)
    await bench.start()
    for _ in range(CYCLES):
        await bench.step()
    await bench.finish()
    return bench.granted


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def agrees_with_a_byte_array_without_stalls(dut):
    granted = await run_random_accesses(dut, "full", 0.0)
    assert min(granted[name] for name in WIDTHS) > CYCLES // 4, granted


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def agrees_with_a_byte_array_under_random_stalls(dut):
    await run_random_accesses(dut, "stalls", 0.6)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def shares_one_bank_equally(dut):
    bench = Bench(dut, "fair", 0.0, lambda name, rng: rng.randrange(BANK - CONFIG.spad_row_bytes))
    await bench.start()
    for _ in range(300):
        await bench.step()
    for ports in (READS, WRITES):
        for name in ports:
            assert bench.longest[name] < len(ports), bench.longest
            assert abs(bench.granted[name] - 300 / len(ports)) <= 3, bench.granted
    await bench.finish()


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def clears_all_bytes_one_row_a_cycle(dut):
    bench = Bench(dut, "clear", 0.0, near_a_bank_end)
    await bench.start()
    for _ in range(300):
        await bench.step()
    bench.dut.i_clear.value = 1
    await bench.step()
    bench.dut.i_clear.value = 0
    cycles = 0
    while int(dut.o_clearing.value):
        granted = bench.granted.total()
        await bench.step()
        if cycles == 0:         # this step reported the grants of the cycle of i_clear
            bench.memory = bytearray(SIZE)
        else:
            assert bench.granted.total() == granted
        cycles += 1
    assert cycles == DEPTH
    for _ in range(300):
        await bench.step()
    await bench.finish()
