"""Cocotb tests of the VECTOR unit: random programs, with memories that stall at random."""

import json
import os
import random

from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, with_timeout

import cocotb
from models.vector_unit import VectorModel, random_program
from weft.spec.config import Config

CONFIG = Config(**json.loads(os.environ["WEFT_CONFIG"]))
SEED = int(os.environ["WEFT_SEED"])
COUNT = int(os.environ["WEFT_COUNT"])
CYCLE_NS = 10
INSTRUCTIONS = 15
WIDTH = CONFIG.vector_port_bytes
ADDR_WIDTH = CONFIG.spad_addr_width
FLAGS = ("unit_cmd_ready", "unit_done", "unit_error", "unit_busy", "unit_wait_memory",
         "unit_conflict", "acc_req_valid", "spad_req_valid", "spad_out_req_valid")


def write_request(bits):
    """Return a write's payload as a number; the bytes of a write without a mask may be unknown."""
    flags, data, addr = bits[:1 + WIDTH], bits[1 + WIDTH:-ADDR_WIDTH], bits[-ADDR_WIDTH:]
    if not int(flags[1:], 2):       # raises if it is X
        data = "0" * len(data)
    return int(flags + data + addr, 2)


class ReadMemory:
    """Model of a read port with a fixed latency, without ``granted``, which VECTOR does not use.

    ``stall`` is the probability of a stall in each cycle.
    """

    def __init__(self, dut, prefix, width, read, rng, *, latency, stall):
        self.req_valid = getattr(dut, f"{prefix}_req_valid")
        self.req_ready = getattr(dut, f"{prefix}_req_ready")
        self.req_payload = getattr(dut, f"{prefix}_req_payload")
        self.valid = getattr(dut, f"{prefix}_valid")
        self.data = getattr(dut, f"{prefix}_data")
        self.width, self.read, self.rng, self.stall = width, read, rng, stall
        self.pipe = [None] * (latency - 1)
        self.ready = False

    def tick(self):
        """Simulate one cycle."""
        accepted = int(self.req_valid.value) and self.ready
        self.pipe.append(self.read(int(self.req_payload.value)) if accepted else None)
        data = self.pipe.pop(0)
        self.valid.value = data is not None
        # random without valid, so that no result can depend on it
        self.data.value = self.rng.getrandbits(self.width) if data is None else data
        self.ready = self.rng.random() >= self.stall
        self.req_ready.value = self.ready


class Bench:
    """VECTOR unit with its model and model memories, simulated cycle by cycle."""

    def __init__(self, dut, seed, stall):
        self.dut, self.seed, self.stall = dut, seed, stall
        self.rng = rng = random.Random(f"bench/{seed}")
        self.model = VectorModel(CONFIG, seed)
        self.spad = bytearray(self.model.spad)
        self.done = 0
        self.write_ready = False
        self.writes = []            # accepted, not granted
        self.readers = (
            ReadMemory(dut, "acc", 32 * CONFIG.cols, self.read_acc, rng,
                       latency=rng.randint(1, 7), stall=stall),
            ReadMemory(dut, "spad", 8 * WIDTH, self.read_spad, rng,
                       latency=rng.randint(1, 7), stall=stall))

    def read_acc(self, row):
        """Return the contents of an accumulator row as a number."""
        return sum((value & 0xFFFFFFFF) << 32 * i for i, value in enumerate(self.model.acc[row]))

    def read_spad(self, addr):
        """Return the bytes at ``addr`` of the scratchpad as a number."""
        return int.from_bytes(self.spad[addr:addr + WIDTH].ljust(WIDTH, b"\x5a"), "little")

    async def reset(self):
        """Reset the unit."""
        self.dut.rst.value = 1
        self.dut.unit_cmd_valid.value = 0
        self.dut.unit_halt.value = 0
        for reader in self.readers:
            reader.req_ready.value = 0
            reader.valid.value = 0
        for name in ("spad_out_req_ready", "spad_out_done", "spad_out_conflict", "spad_conflict",
                     "spad_granted"):
            getattr(self.dut, name).value = 0
        for _ in range(3):
            await RisingEdge(self.dut.clk)
        self.dut.rst.value = 0

    async def tick(self):
        """Simulate one cycle: sample the outputs, then drive the inputs."""
        dut = self.dut
        await RisingEdge(dut.clk)
        for flag in FLAGS:
            assert getattr(dut, flag).value.is_resolvable, f"{flag} is unknown, seed {self.seed}"
        assert not int(dut.unit_error.value) and not int(dut.unit_wait_memory.value)
        if int(dut.unit_done.value):
            assert int(dut.unit_busy.value)
            self.done += 1
        if int(dut.spad_out_req_valid.value) and self.write_ready:
            self.writes.append(write_request(str(dut.spad_out_req_payload.value)))
        dut.spad_out_done.value = 0
        granted = bool(self.writes) and self.rng.random() >= self.stall
        dut.spad_out_conflict.value = bool(self.writes) and not granted
        if granted:
            word = self.writes.pop(0)
            dut.spad_out_done.value = word >> ADDR_WIDTH + 9 * WIDTH
            addr = word & (1 << ADDR_WIDTH) - 1
            mask = word >> ADDR_WIDTH + 8 * WIDTH
            for i in range(WIDTH):
                if mask >> i & 1:
                    self.spad[(addr + i) % len(self.spad)] = word >> ADDR_WIDTH + 8 * i & 0xFF
        self.write_ready = len(self.writes) < 2 and self.rng.random() >= self.stall
        dut.spad_out_req_ready.value = self.write_ready
        for reader in self.readers:
            reader.tick()

    async def issue(self, program):
        """Send all instructions of ``program`` to the unit."""
        dut = self.dut
        for raw in program:
            while self.rng.random() < self.stall / 4:
                await self.tick()
            dut.unit_cmd_payload.value = int.from_bytes(raw, "little")
            dut.unit_cmd_valid.value = 1
            await self.tick()
            while not int(dut.unit_cmd_ready.value):
                await self.tick()
            dut.unit_cmd_valid.value = 0
            dut.unit_cmd_payload.value = self.rng.getrandbits(256)

    async def run(self, program):
        """Execute a program on the unit and the model, and compare the whole scratchpad."""
        for raw in program:
            self.model.execute(raw)
        target = self.done + len(program)
        await self.issue(program)
        while self.done < target:
            await self.tick()
        for _ in range(5):
            await self.tick()
            assert not int(self.dut.unit_busy.value) and self.done == target
        for addr, (expected, actual) in enumerate(zip(self.model.spad, self.spad)):
            assert expected == actual, f"seed {self.seed}: byte {addr}: {(expected, actual)}"


async def _start(dut):
    dut.unit_cmd_payload.value = 0
    dut.acc_data.value = 0
    dut.spad_data.value = 0
    Clock(dut.clk, CYCLE_NS, unit="ns").start()


@cocotb.test()
async def random_programs(dut):
    await _start(dut)
    for number in range(COUNT):
        seed = f"{SEED}/{number}"
        bench = Bench(dut, seed, stall=(0.0, 0.2, 0.5, 0.8)[number % 4])
        await bench.reset()
        program = random_program(random.Random(seed), CONFIG, INSTRUCTIONS, max_positions=8)
        await with_timeout(bench.run(program), 20000 * CYCLE_NS, "ns")


@cocotb.test()
async def reset_in_any_cycle(dut):
    """A reset must not affect the next program."""
    await _start(dut)
    rng = random.Random(f"reset/{SEED}")
    for number in range(COUNT):
        seed = f"{SEED}/reset/{number}"
        bench = Bench(dut, seed, stall=0.3)
        await bench.reset()
        issuing = cocotb.start_soon(bench.issue(random_program(rng, CONFIG, 8)))
        # before the first tables are loaded, or at any later time
        for _ in range(rng.randint(1, rng.choice((150, 2000)))):
            await RisingEdge(dut.clk)
        issuing.cancel()
        after = Bench(dut, seed, stall=0.3)
        await after.reset()
        await with_timeout(after.run(random_program(rng, CONFIG, 4)), 20000 * CYCLE_NS, "ns")
