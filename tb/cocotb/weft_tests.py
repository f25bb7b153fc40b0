"""Cocotb tests of the accelerator: random programs, stalls and errors, against the emulator."""

import json
import os
import random

import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, with_timeout
from cocotbext.axi import AxiBus, AxiLiteBus, AxiLiteMaster, AxiRam, AxiResp

import cocotb
from support.programs import illegal_programs, random_program
from weft.spec import register_map
from weft.spec.config import Config
from weft_host.device import EmulatorDevice
from weft_host.register_words import pack, unpack

CONFIG = Config(**json.loads(os.environ["WEFT_CONFIG"]))
SEED = int(os.environ["WEFT_SEED"])
COUNT = int(os.environ["WEFT_COUNT"])
MEMORY = 1 << 16
CYCLE_NS = 10
PROGRAM_CYCLES = 60_000
HAS_X = "icarus" in cocotb.SIM_NAME.lower()
OUTPUTS = (
    "irq", "s_axil_awready", "s_axil_wready", "s_axil_bvalid", "s_axil_bresp", "s_axil_arready",
    "s_axil_rvalid", "s_axil_rdata", "s_axil_rresp",
    *(f"m_axi_{name}" for name in (
        "arid", "araddr", "arlen", "arsize", "arburst", "arvalid", "rready", "awid", "awaddr",
        "awlen", "awsize", "awburst", "awvalid", "wdata", "wstrb", "wlast", "wvalid", "bready")))


def stalls(draw, share):
    """Pause a channel in ``share`` of the cycles."""
    while True:
        yield draw.random() < share


class Bench:
    """Accelerator with a host on ``s_axil`` and a memory on ``m_axi``."""

    def __init__(self, dut):
        self.dut = dut
        self.clock = Clock(dut.clk, CYCLE_NS, "ns")
        self.clock.start()
        dut.rst.value = 1
        self.host = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk, dut.rst)
        self.memory = AxiRam(AxiBus.from_prefix(dut, "m_axi"), dut.clk, dut.rst, size=MEMORY)
        for owner in (self.host.write_if, self.host.read_if, self.memory.write_if,
                      self.memory.read_if):
            owner.log.setLevel("WARNING")
        self.emulator = EmulatorDevice(CONFIG, memory_bytes=MEMORY)

    async def reset(self):
        await ClockCycles(self.dut.clk, 4)
        self.dut.rst.value = 0
        await ClockCycles(self.dut.clk, 2)
        if HAS_X:
            cocotb.start_soon(self.watch_for_x())

    async def watch_for_x(self):
        """Assert that no output is unknown in any cycle after reset."""
        handles = {name: getattr(self.dut, name) for name in OUTPUTS}
        changed = set(OUTPUTS)

        async def note(name):
            while True:
                await handles[name].value_change
                changed.add(name)

        for name in OUTPUTS:
            cocotb.start_soon(note(name))
        while True:
            await RisingEdge(self.dut.clk)
            # outputs that have not changed need no further check
            for name in changed:
                assert handles[name].value.is_resolvable, f"{name} is {handles[name].value}"
            changed.clear()

    def stall(self, draw):
        """Set random pauses, of a random share, on every channel."""
        for channel in (self.memory.read_if.ar_channel, self.memory.read_if.r_channel,
                        self.memory.write_if.aw_channel, self.memory.write_if.w_channel,
                        self.memory.write_if.b_channel, self.host.write_if.aw_channel,
                        self.host.write_if.w_channel, self.host.write_if.b_channel,
                        self.host.read_if.ar_channel, self.host.read_if.r_channel):
            channel.set_pause_generator(stalls(draw, draw.choice((0, 0.1, 0.5, 0.8))))

    async def write(self, name, value):
        result = await self.host.write_dword(register_map.BY_NAME[name].offset, value)
        return result

    async def read(self, name):
        return await self.host.read_dword(register_map.BY_NAME[name].offset)

    async def field(self, register, name):
        return unpack(register, await self.read(register))[name]

    async def start(self, program, inputs):
        """Load ``program`` into emulator and hardware, and start both."""
        emulator = self.emulator
        emulator.load(program, watchdog=PROGRAM_CYCLES // 2)
        for tensor, array in zip(program.inputs, inputs):
            emulator.write_memory(tensor.offset, array.tobytes())
        self.memory.write(0, emulator.read_memory(0, MEMORY))
        for register in register_map.REGISTERS:
            if register.access == "RW":
                await self.write(register.name, emulator.read_register(register.name))
        await self.write("IRQ_ENABLE", pack("IRQ_ENABLE", DONE=1, ERROR=1))
        await self.write("CONTROL", pack("CONTROL", START=1))
        emulator.start()
        emulator.wait()

    async def finish(self):
        await with_timeout(RisingEdge(self.dut.irq), PROGRAM_CYCLES * CYCLE_NS, "ns")
        await self.write("IRQ_STATUS", pack("IRQ_STATUS", DONE=1, ERROR=1))

    async def compare(self, case):
        """Assert that status, error record and memory equal those of the emulator."""
        for name in ("STATUS", "ERROR_CODE", "ERROR_INDEX", "ERROR_ADDR"):
            found, expected = await self.read(name), self.emulator.read_register(name)
            assert found == expected, (
                f"{case}: {name} is {unpack(name, found)} instead of {unpack(name, expected)}")
        found = np.frombuffer(self.memory.read(0, MEMORY), np.uint8)
        expected = np.frombuffer(self.emulator.read_memory(0, MEMORY), np.uint8)
        wrong = np.flatnonzero(found != expected)
        assert not len(wrong), (
            f"{case}: {len(wrong)} bytes differ, first at {wrong[0]:#x}: expected "
            f"{expected[wrong[0]]}, got {found[wrong[0]]}")


def random_inputs(program, draw):
    return [np.random.default_rng(draw.randrange(1 << 30)).integers(
        -128, 128, tensor.shape, dtype=np.int8) for tensor in program.inputs]


@cocotb.test(timeout_time=COUNT * PROGRAM_CYCLES * CYCLE_NS, timeout_unit="ns")
async def random_programs_equal_the_emulator(dut):
    bench = Bench(dut)
    await bench.reset()
    for seed in range(SEED, SEED + COUNT):
        draw = random.Random(seed)
        bench.stall(draw)
        program = random_program(CONFIG, seed)
        await bench.start(program, random_inputs(program, draw))
        await bench.finish()
        assert await bench.field("STATUS", "DONE"), f"seed {seed}: stopped with an error"
        await bench.compare(f"{CONFIG.name}, seed {seed}")


@cocotb.test(timeout_time=60 * PROGRAM_CYCLES * CYCLE_NS, timeout_unit="ns")
async def illegal_instructions_end_as_in_the_emulator(dut):
    bench = Bench(dut)
    await bench.reset()
    draw = random.Random(SEED)
    programs = list(illegal_programs(CONFIG, SEED))
    for index, program in enumerate(draw.sample(programs, min(30, COUNT, len(programs)))):
        await bench.start(program, random_inputs(program, draw))
        await bench.finish()
        await bench.compare(f"{CONFIG.name}, seed {SEED}, illegal program {index}")
        await bench.write("CONTROL", pack("CONTROL", SOFT_RESET=1))
        bench.emulator.soft_reset()
        while await bench.field("STATUS", "RESETTING"):
            pass
        assert await bench.read("STATUS") == 0


@cocotb.test(timeout_time=40 * PROGRAM_CYCLES * CYCLE_NS, timeout_unit="ns")
async def a_soft_reset_in_any_cycle_leaves_a_working_device(dut):
    bench = Bench(dut)
    await bench.reset()
    draw = random.Random(SEED)
    for attempt in range(max(1, min(10, COUNT // 3))):
        bench.stall(draw)
        program = random_program(CONFIG, SEED + attempt)
        inputs = random_inputs(program, draw)
        await bench.start(program, inputs)
        await ClockCycles(dut.clk, draw.randint(1, 600))
        await bench.write("CONTROL", pack("CONTROL", SOFT_RESET=1))
        while await bench.field("STATUS", "RESETTING"):
            pass
        assert await bench.read("STATUS") == 0
        await bench.write("IRQ_STATUS", pack("IRQ_STATUS", DONE=1, ERROR=1))
        # the on-chip state of the stopped program must not matter
        bench.emulator.soft_reset()
        await bench.start(program, inputs)
        await bench.finish()
        await bench.compare(f"{CONFIG.name}, seed {SEED + attempt}, after a soft reset")


@cocotb.test(timeout_time=10_000, timeout_unit="ns")
async def unmapped_registers_respond_with_slverr(dut):
    bench = Bench(dut)
    await bench.reset()
    response = await bench.host.read(0xFF0, 4)
    assert response.resp == AxiResp.SLVERR
    assert await bench.read("ID") == register_map.MAGIC
