"""Environment of the control subsystem in cocotb: host, program memory and fake units."""

import json
import os
import random

from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, Timer, with_timeout
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiReadBus, AxiResp
from cocotbext.axi.axi_ram import AxiRamRead

import cocotb
from support.fake_units import FakeUnit, Program, check_order
from weft.spec import register_map
from weft.spec.config import Config
from weft_host.register_words import pack, unpack

__all__ = ["CONFIG", "COUNT", "MEMORY", "SEQUENCER", "UNITS", "Bench", "bench_of", "pauses",
           "tb_test"]

CONFIG = Config(**json.loads(os.environ["WEFT_CONFIG"]))
SEED = int(os.environ["WEFT_SEED"])
COUNT = int(os.environ["WEFT_COUNT"])
CYCLE_NS = 10
MEMORY = 1 << 15
SEQUENCER = 4
UNITS = ("load", "matmul", "vector", "store")


class FaultyRam(AxiRamRead):
    """Program memory with errors.

    Attributes
    ----------
    faults : :class:`dict`
        Responses other than OKAY, by beat address.
    reads : :class:`list`
        Addresses of all beats that were read.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.faults = {}
        self.reads = []
        send = self.r_channel.send

        async def respond(beat):
            beat.rresp = self.faults.get(self.reads[-1], AxiResp.OKAY)
            await send(beat)

        self.r_channel.send = respond

    async def _read(self, address, length):
        self.reads.append(address)
        return await super()._read(address, length)


def pauses(draw, share):
    """Pause a channel in ``share`` of the cycles."""
    while True:
        yield draw.random() < share


class Bench:
    """Control subsystem with a host, a program memory and fake units."""

    def __init__(self, dut, seed):
        self.dut = dut
        self.draw = random.Random(seed)
        self.seed = seed
        self.cycle = 0
        dut.clk.value = 0
        dut.rst.value = 1
        dut.i_bus_idle.value = 3
        dut.i_clearing.value = 0
        dut.i_progress.value = 0
        dut.i_counters.value = 0
        self.host = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk, dut.rst)
        self.memory = FaultyRam(AxiReadBus.from_prefix(dut, "axi"), dut.clk, dut.rst, size=MEMORY)
        for owner in (self.host.write_if, self.host.read_if, self.memory):
            owner.log.setLevel("ERROR")
        self.units = [FakeUnit(self, name, self.draw) for name in UNITS]

    async def begin(self):
        """Start the clock and reset the device."""
        for unit in self.units:
            cocotb.start_soon(unit.run())
        await Timer(CYCLE_NS, "ns")     # all inputs are defined at the first edge
        Clock(self.dut.clk, CYCLE_NS, "ns").start()
        await ClockCycles(self.dut.clk, 3)
        cocotb.start_soon(self.count_cycles())
        await ClockCycles(self.dut.clk, 2)
        self.dut.rst.value = 0
        await ClockCycles(self.dut.clk, 2)

    async def count_cycles(self):
        """Count cycles, and check regularly that no output is undefined."""
        while True:
            await RisingEdge(self.dut.clk)
            self.cycle += 1
            if self.cycle % 16 == 0:
                for signal in (self.dut.o_irq, self.dut.o_clear, self.dut.axi_arvalid,
                               self.dut.axi_araddr, self.dut.s_axil_rdata, self.dut.load_halt,
                               self.dut.load_cmd_valid, self.dut.store_cmd_payload):
                    assert signal.value.is_resolvable, f"{signal._name} is {signal.value}"

    def stall(self, share=None):
        """Pause all channels in ``share`` of the cycles, or in a random share each."""
        for channel in (self.memory.ar_channel, self.memory.r_channel,
                        self.host.write_if.aw_channel, self.host.write_if.w_channel,
                        self.host.write_if.b_channel, self.host.read_if.ar_channel,
                        self.host.read_if.r_channel):
            channel.set_pause_generator(pauses(
                self.draw, self.draw.choice((0, 0.2, 0.7)) if share is None else share))

    async def write(self, name, value, expect=AxiResp.OKAY):
        """Write to a register, and check the response."""
        result = await self.host.write(register_map.BY_NAME[name].offset,
                                       value.to_bytes(4, "little"))
        assert result.resp == expect, f"{result.resp!r} to a write of {value:#x} to {name}"

    async def read(self, name):
        """Return the value of a register."""
        return await self.host.read_dword(register_map.BY_NAME[name].offset)

    async def status(self):
        """Return the fields of STATUS."""
        return unpack("STATUS", await self.read("STATUS"))

    async def command(self, *names, expect=AxiResp.OKAY):
        """Set bits of CONTROL, and check the response."""
        await self.write("CONTROL", pack("CONTROL", **dict.fromkeys(names, 1)), expect)

    async def start(self, words, *, addr=0x1000, mem_base=0, windows=((0, MEMORY - 1, 3),),
                    watchdog=0):
        """Write a program to memory and start it.

        ``windows`` are (first byte, last byte, permissions); all other windows are empty.
        """
        for unit in self.units:
            unit.forget()
        self.memory.reads.clear()
        for index, word in enumerate(words):
            self.memory.write((mem_base + addr + 32 * index) % MEMORY,
                              word.to_bytes(32, "little"))
        for index in range(register_map.WINDOWS):
            base, last, permissions = windows[index] if index < len(windows) else (1, 0, 0)
            await self.write(f"WINDOW{index}_BASE", base)
            await self.write(f"WINDOW{index}_LAST", last)
            await self.write(f"WINDOW{index}_CTRL", permissions)
        for name, value in (("MEM_BASE", mem_base), ("PROGRAM_ADDR", addr), ("WATCHDOG", watchdog),
                            ("PROGRAM_COUNT", len(words)), ("IRQ_STATUS", 3), ("IRQ_ENABLE", 3)):
            await self.write(name, value)
        await self.command("START")

    async def finish(self, cycles=20_000):
        """Wait for the interrupt, and return the fields of STATUS."""
        if not int(self.dut.o_irq.value):
            await with_timeout(RisingEdge(self.dut.o_irq), cycles * CYCLE_NS, "ns")
        status = await self.status()
        assert not status["BUSY"]
        cause = await self.read("IRQ_STATUS")
        assert cause == pack("IRQ_STATUS", DONE=status["DONE"], ERROR=status["ERROR"])
        return status

    async def record(self):
        """Return code, unit, index and address of the error record."""
        code = unpack("ERROR_CODE", await self.read("ERROR_CODE"))
        return (code["CODE"], code["UNIT"], await self.read("ERROR_INDEX"),
                await self.read("ERROR_ADDR"))

    async def soft_reset(self):
        """Reset the device, and check that no error remains."""
        await self.command("SOFT_RESET")
        while (await self.status())["RESETTING"]:
            pass
        assert await self.read("STATUS") == 0
        assert await self.record() == (0, 0, 0, 0)

    async def run_random_program(self, length=20):
        """Run a random program, and check that all its instructions complete in order."""
        mem_base = 32 * self.draw.randrange(16)
        program = Program(self.draw, length, host=self.draw.randrange(0x800),
                          fixed_point=CONFIG.fixed_point)
        for index, value in enumerate(program.steps):
            await self.write(f"STEP{index}", value)
        await self.start(program.words, mem_base=mem_base)
        status = await self.finish()
        assert status["DONE"] and not status["ERROR"], f"seed {self.seed}: {await self.record()}"
        self.check_completed(program, mem_base)
        assert await self.read("PC") == length

    def check_completed(self, program, mem_base, count=None):
        """Check that the units have completed the first ``count`` instructions, or all."""
        expected = program.issued(mem_base, count)
        for unit, words in zip(self.units, expected):
            for event, events in (("started", unit.started), ("completed", unit.ended)):
                found = [word for _, word in events]
                assert found == words, (f"seed {self.seed}: {unit.name} {event} {len(found)} of "
                                        f"{len(words)} instructions, or other instructions")
        check_order(self.units)


def tb_test(timeout_cycles):
    """Return a decorator for a cocotb test with a timeout in cycles."""
    return cocotb.test(timeout_time=timeout_cycles * CYCLE_NS, timeout_unit="ns")


async def bench_of(dut, offset=0):
    """Return a started :class:`Bench`; ``offset`` is added to the common seed."""
    bench = Bench(dut, SEED + offset)
    await bench.begin()
    return bench
