"""The control side under cocotb: programs, errors, resets, with a host, a memory and fake units."""

import json
import os
import random

from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, Timer, with_timeout
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiReadBus, AxiResp
from cocotbext.axi.axi_ram import AxiRamRead

import cocotb
from support.fake_units import FakeUnit, Program, check_order
from weft.spec import isa, register_map
from weft.spec.config import Config
from weft.spec.isa import ErrorCode

CONFIG = Config(**json.loads(os.environ["WEFT_CONFIG"]))
SEED = int(os.environ["WEFT_SEED"])
COUNT = int(os.environ["WEFT_COUNT"])
CYCLE_NS = 10
MEMORY = 1 << 15
SEQUENCER = 4
UNITS = ("load", "matmul", "vector", "store")


def pack(register, **fields):
    return sum(value << register_map.BY_NAME[register].bits(name).offset
               for name, value in fields.items())


def unpack(register, word):
    return {bits.name: word >> bits.offset & (1 << bits.width) - 1
            for bits in register_map.BY_NAME[register].fields}


class FaultyRam(AxiRamRead):
    """Memory that answers some beats with an error: ``faults`` is {beat address: response}."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.faults = {}
        self.reads = []
        send = self.r_channel.send

        async def answer(beat):
            beat.rresp = self.faults.get(self.reads[-1], AxiResp.OKAY)
            await send(beat)

        self.r_channel.send = answer

    async def _read(self, address, length):
        self.reads.append(address)
        return await super()._read(address, length)


def pauses(draw, share):
    while True:
        yield draw.random() < share


class Bench:
    """The control side with everything around it."""

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
        for unit in self.units:
            cocotb.start_soon(unit.run())
        await Timer(CYCLE_NS, "ns")     # every input is known at the first edge
        Clock(self.dut.clk, CYCLE_NS, "ns").start()
        await ClockCycles(self.dut.clk, 3)
        cocotb.start_soon(self.count_cycles())
        await ClockCycles(self.dut.clk, 2)
        self.dut.rst.value = 0
        await ClockCycles(self.dut.clk, 2)

    async def count_cycles(self):
        while True:
            await RisingEdge(self.dut.clk)
            self.cycle += 1
            if self.cycle % 16 == 0:
                for signal in (self.dut.o_irq, self.dut.o_clear, self.dut.axi_arvalid,
                               self.dut.axi_araddr, self.dut.s_axil_rdata, self.dut.load_halt,
                               self.dut.load_cmd_valid, self.dut.store_cmd_payload):
                    assert signal.value.is_resolvable, f"{signal._name} is {signal.value}"

    def stall(self, share=None):
        for channel in (self.memory.ar_channel, self.memory.r_channel,
                        self.host.write_if.aw_channel, self.host.write_if.w_channel,
                        self.host.write_if.b_channel, self.host.read_if.ar_channel,
                        self.host.read_if.r_channel):
            channel.set_pause_generator(pauses(
                self.draw, self.draw.choice((0, 0.2, 0.7)) if share is None else share))

    async def write(self, name, value, expect=AxiResp.OKAY):
        result = await self.host.write(register_map.BY_NAME[name].offset, value.to_bytes(4, "little"))
        assert result.resp == expect, f"writing {value:#x} to {name} answered {result.resp!r}"

    async def read(self, name):
        return await self.host.read_dword(register_map.BY_NAME[name].offset)

    async def status(self):
        return unpack("STATUS", await self.read("STATUS"))

    async def command(self, *names, expect=AxiResp.OKAY):
        await self.write("CONTROL", pack("CONTROL", **dict.fromkeys(names, 1)), expect)

    async def start(self, words, *, at=0x1000, mem_base=0, windows=((0, MEMORY - 1, 3),),
                    watchdog=0):
        """Places a program in memory and starts it."""
        for unit in self.units:
            unit.forget()
        self.memory.reads.clear()
        for index, word in enumerate(words):
            place = (mem_base + at + 32 * index) % MEMORY
            self.memory.write(place, word.to_bytes(32, "little"))
        for index in range(register_map.WINDOWS):
            base, last, rights = windows[index] if index < len(windows) else (1, 0, 0)
            await self.write(f"WINDOW{index}_BASE", base)
            await self.write(f"WINDOW{index}_LAST", last)
            await self.write(f"WINDOW{index}_CTRL", rights)
        for name, value in (("MEM_BASE", mem_base), ("PROGRAM_ADDR", at), ("WATCHDOG", watchdog),
                            ("PROGRAM_COUNT", len(words)), ("IRQ_STATUS", 3), ("IRQ_ENABLE", 3)):
            await self.write(name, value)
        await self.command("START")

    async def finish(self, cycles=20_000):
        """Waits for the interrupt and returns STATUS."""
        if not int(self.dut.o_irq.value):
            await with_timeout(RisingEdge(self.dut.o_irq), cycles * CYCLE_NS, "ns")
        status = await self.status()
        assert not status["BUSY"]
        cause = await self.read("IRQ_STATUS")
        assert cause == pack("IRQ_STATUS", DONE=status["DONE"], ERROR=status["ERROR"])
        return status

    async def record(self):
        code = unpack("ERROR_CODE", await self.read("ERROR_CODE"))
        return (code["CODE"], code["UNIT"], await self.read("ERROR_INDEX"),
                await self.read("ERROR_ADDR"))

    async def soft_reset(self):
        await self.command("SOFT_RESET")
        while (await self.status())["RESETTING"]:
            pass
        assert await self.read("STATUS") == 0
        assert await self.record() == (0, 0, 0, 0)

    async def works(self, length=20):
        """A program runs as it should; what, is drawn."""
        mem_base = 32 * self.draw.randrange(16)
        program = Program(self.draw, length, host=self.draw.randrange(0x800))
        await self.start(program.words, mem_base=mem_base)
        status = await self.finish()
        assert status["DONE"] and not status["ERROR"], f"seed {self.seed}: {await self.record()}"
        self.all_done(program, mem_base)
        assert await self.read("PC") == length

    def all_done(self, program, mem_base, count=None):
        expected = program.issued(mem_base, count)
        for unit, words in zip(self.units, expected):
            for what, events in (("started", unit.started), ("ended", unit.ended)):
                found = [word for _, word in events]
                assert found == words, (f"seed {self.seed}: {unit.name} {what} {len(found)} of "
                                        f"{len(words)} instructions, or others")
        check_order(self.units)


def tb_test(timeout_cycles):
    return cocotb.test(timeout_time=timeout_cycles * CYCLE_NS, timeout_unit="ns")


async def bench_of(dut, offset=0):
    bench = Bench(dut, SEED + offset)
    await bench.begin()
    return bench


@tb_test(2_000_000)
async def random_programs_keep_the_order_of_tokens(dut):
    bench = await bench_of(dut)
    for _ in range(COUNT):
        bench.stall()
        for unit in bench.units:
            unit.latency = bench.draw.choice((1, 4, 60))
            unit.readiness = bench.draw.choice((1, 0.5, 0.1))
            unit.depth = bench.draw.choice((1, 4, 40))
        await bench.works(bench.draw.randint(1, 80))


@tb_test(20_000)
async def an_empty_program_is_done_at_once(dut):
    bench = await bench_of(dut)
    await bench.start([])
    status = await bench.finish(cycles=20)
    assert status["DONE"]
    assert not bench.memory.reads
    await bench.works()


BAD = {
    ErrorCode.ILLEGAL_OPCODE: (b"\x77" + bytes(31), SEQUENCER),
    ErrorCode.RESERVED_BITS: (isa.encode("MATMUL", wait=2), 1),
    ErrorCode.BAD_FIELD: (isa.encode("DRAIN", channels=1, y_count=1), 2),
    ErrorCode.SPAD_BOUNDS: (isa.encode("FILL", bytes=1, count=1, local_addr=0xFFFFFF), 0),
    ErrorCode.WGT_BOUNDS: (isa.encode("LOAD_WGT", bytes=0xFFFFFF, count=1), 0),
    ErrorCode.ACC_BOUNDS: (isa.encode("DRAIN", channels=1, y_count=1, x_count=1, acc_addr=0xFFFF),
                           2),
    ErrorCode.HOST_WINDOW: (isa.encode("STORE", bytes=1, count=1, host_addr=MEMORY), 3),
}


@tb_test(400_000)
async def a_bad_instruction_ends_the_program_after_the_earlier_ones(dut):
    bench = await bench_of(dut, 1)
    for code, (raw, unit) in BAD.items():
        bench.stall()
        length = bench.draw.randint(1, 40)
        where = bench.draw.randrange(length)
        program = Program(bench.draw, length)
        program.words[where] = int.from_bytes(raw, "little")
        mem_base = 32 * bench.draw.randrange(8)
        await bench.start(program.words, mem_base=mem_base)
        status = await bench.finish()
        assert status["ERROR"] and not status["DONE"]
        addr = mem_base + 0x1000 + 32 * where
        if code in (ErrorCode.SPAD_BOUNDS, ErrorCode.ACC_BOUNDS, ErrorCode.WGT_BOUNDS):
            addr = {ErrorCode.SPAD_BOUNDS: 0xFFFFFF, ErrorCode.ACC_BOUNDS: 0xFFFF,
                    ErrorCode.WGT_BOUNDS: 0}[code]
        if code == ErrorCode.HOST_WINDOW:
            addr = mem_base + MEMORY
        assert await bench.record() == (code, unit, where, addr), f"seed {bench.seed}: {code!r}"
        bench.all_done(program, mem_base, where)
        assert await bench.read("PC") == where
        await bench.command("START", expect=AxiResp.SLVERR)
        await bench.command("CLEAR", expect=AxiResp.SLVERR)
        await bench.soft_reset()
        await bench.works()


@tb_test(400_000)
async def what_waits_for_a_refused_instruction_ends_the_program_too(dut):
    bench = await bench_of(dut, 2)
    words = [int.from_bytes(isa.encode("SYNC_MATMUL", wait=1), "little"),
             int.from_bytes(isa.encode("SYNC_LOAD", wait=0xF), "little")]
    await bench.start(words)
    status = await bench.finish()
    assert status["ERROR"] and not bench.units[1].started
    assert await bench.record() == (ErrorCode.RESERVED_BITS, 0, 1, 0x1020)
    assert unpack("WAITS", await bench.read("WAITS"))["MATMUL_TOKENS"] == 1


@tb_test(400_000)
async def fetching_outside_the_windows_is_an_error_of_the_sequencer(dut):
    bench = await bench_of(dut, 3)
    beats = 256 // CONFIG.bus_width
    for good in (0, 1, 3, 4, 11):
        bench.stall()
        program = Program(bench.draw, 16)
        await bench.start(program.words, windows=((0, 0x0FFF, 3), (0x1000, 0x1000 + 32 * good + 30,
                                                                  3)))
        status = await bench.finish()
        assert status["ERROR"]
        assert await bench.record() == (ErrorCode.HOST_WINDOW, SEQUENCER, good, 0x1000 + 32 * good)
        bench.all_done(program, 0, good)
        assert len(bench.memory.reads) == good * beats, "a burst left for a refused address"
        await bench.soft_reset()


@tb_test(400_000)
async def an_error_on_a_fetched_beat_is_an_error_of_the_sequencer(dut):
    bench = await bench_of(dut, 4)
    for response, code in ((AxiResp.SLVERR, ErrorCode.BUS_SLVERR),
                           (AxiResp.DECERR, ErrorCode.BUS_DECERR)) * 4:
        bench.stall()
        program = Program(bench.draw, 30)
        at = 0x1000 - 32 * bench.draw.randrange(1, 20)
        where = bench.draw.randrange(30)
        beat = at + 32 * where + bench.draw.randrange(0, 32, CONFIG.bus_bytes)
        bench.memory.faults = {beat: response}
        await bench.start(program.words, at=at)
        status = await bench.finish()
        assert status["ERROR"]
        assert await bench.record() == (code, SEQUENCER, where, beat), f"seed {bench.seed}"
        bench.all_done(program, 0, where)
        bench.memory.faults = {}
        await bench.soft_reset()
        await bench.works()


@tb_test(400_000)
async def an_error_of_a_unit_stops_the_others(dut):
    bench = await bench_of(dut, 5)
    for round_ in range(8):
        bench.stall()
        program = Program(bench.draw, 60)
        where = bench.draw.randrange(40)
        word = program.words[where]
        unit = isa.BY_OPCODE[word & 0xFF].unit
        code, addr = ErrorCode.BUS_SLVERR, 0x12345670 + round_
        bench.units[unit].fail = {program.issued(0, where + 1)[unit][-1]: (code, addr)}
        await bench.start(program.words)
        # the bus owes something for a while
        bench.dut.i_bus_idle.value = 0
        while not int(bench.dut.load_halt.value):
            await RisingEdge(bench.dut.clk)
        stopped = bench.cycle
        assert int(bench.dut.store_halt.value)
        await ClockCycles(bench.dut.clk, 100)
        assert (await bench.status())["BUSY"] and not int(bench.dut.o_irq.value)
        bench.dut.i_bus_idle.value = 3
        status = await bench.finish()
        assert status["ERROR"]
        assert await bench.record() == (code, unit, where, addr), f"seed {bench.seed}"
        for number, fake in enumerate(bench.units):
            assert all(cycle <= stopped for cycle, _ in fake.started)
            if fake.name in ("matmul", "vector") and number != unit:
                assert not fake.pending, f"{fake.name} was cut off"
            fake.fail = {}
        check_order(bench.units)
        await bench.soft_reset()
        await bench.works()


@tb_test(100_000)
async def one_token_too_many_is_an_error(dut):
    bench = await bench_of(dut, 6)
    for unit in bench.units:
        unit.latency = unit.readiness = 1
    give = int.from_bytes(isa.encode("SYNC_VECTOR", signal=1), "little")
    take = int.from_bytes(isa.encode("SYNC_LOAD", wait=4), "little")
    await bench.start([give] * 255 + [take] * 255)
    assert (await bench.finish())["DONE"]
    await bench.start([give] * 255)     # tokens that are left over are no error,
    assert (await bench.finish())["DONE"]
    await bench.start([give] * 256)     # and a start forgets them
    assert (await bench.finish())["ERROR"]
    assert await bench.record() == (ErrorCode.TOKEN_OVERFLOW, 2, 255, 0)
    await bench.soft_reset()
    await bench.works()


@tb_test(100_000)
async def the_watchdog_names_who_waits(dut):
    bench = await bench_of(dut, 7)
    load, _, _, store = bench.units
    encode = lambda name, **v: int.from_bytes(isa.encode(name, **v), "little")  # noqa: E731
    fill = encode("FILL", bytes=1, count=1)
    store_one = encode("STORE", bytes=1, count=1)
    sync = encode("SYNC_VECTOR", signal=2)
    wait = encode("SYNC_MATMUL", wait=9)

    async def expect(words, unit, index, **waits):
        await bench.start(words, watchdog=200)
        began = bench.cycle
        status = await bench.finish()
        assert 200 <= bench.cycle - began < 1000
        assert status["ERROR"]
        assert await bench.record() == (ErrorCode.WATCHDOG, unit, index, 0)
        found = unpack("WAITS", await bench.read("WAITS"))
        for name, value in waits.items():
            assert found[name] == value, (name, found)
        await bench.soft_reset()
        for fake in bench.units:
            fake.hang, fake.memory = set(), False

    # a token that nobody gives
    await expect([sync, fill, wait], 1, 2, MATMUL_TOKENS=9, MATMUL_QUEUED=1, MATMUL_BUSY=0)
    # ... in front of a unit that hangs: the unit is named
    load.hang = {fill}
    await expect([sync, fill, wait], 0, 1, MATMUL_TOKENS=9, LOAD_BUSY=1, LOAD_MEMORY=0)
    # ... or one that waits for memory, though a lower one hangs
    load.hang, store.hang, store.memory = {fill}, {store_one}, True
    await expect([fill, store_one], 3, 1, STORE_MEMORY=1, LOAD_BUSY=1)
    # an instruction that memory does not deliver
    bench.memory.r_channel.set_pause_generator(pauses(bench.draw, 2))
    began = bench.cycle
    await bench.start([sync], watchdog=100)
    await RisingEdge(bench.dut.o_irq)
    assert bench.cycle - began < 2000
    assert await bench.record() == (ErrorCode.WATCHDOG, SEQUENCER, 0, 0)
    # the reset waits for the bus, however long that takes
    await bench.command("SOFT_RESET")
    for _ in range(20):
        assert (await bench.status())["RESETTING"]
    bench.memory.r_channel.set_pause_generator(None)
    bench.memory.r_channel.pause = False
    await ClockCycles(bench.dut.clk, 100)
    assert not (await bench.status())["RESETTING"]
    await bench.works()


@tb_test(100_000)
async def the_watchdog_is_held_off_by_progress(dut):
    bench = await bench_of(dut, 8)
    word = int.from_bytes(isa.encode("SYNC_LOAD"), "little")
    bench.units[0].hang = {word}
    await bench.start([word], watchdog=50)
    for _ in range(20):
        await ClockCycles(dut.clk, 40)
        dut.i_progress.value = 1
        await ClockCycles(dut.clk, 1)
        dut.i_progress.value = 0
    assert (await bench.status())["BUSY"]
    await ClockCycles(dut.clk, 250)
    assert (await bench.status())["ERROR"]


@tb_test(1_000_000)
async def a_soft_reset_is_legal_in_any_cycle(dut):
    bench = await bench_of(dut, 9)
    for _ in range(25):
        bench.stall()
        program = Program(bench.draw, 40)
        await bench.start(program.words)
        await ClockCycles(dut.clk, bench.draw.randint(1, 400))
        owed = bench.draw.random() < 0.5
        bench.dut.i_bus_idle.value = bench.draw.randrange(3) if owed else 3
        await bench.command("SOFT_RESET")
        if owed:
            await ClockCycles(dut.clk, 50)
            assert (await bench.status())["RESETTING"] and int(dut.load_halt.value)
            await bench.command("START", expect=AxiResp.SLVERR)
            await bench.command("SOFT_RESET")
            bench.dut.i_bus_idle.value = 3
        while (await bench.status())["RESETTING"]:
            pass
        assert await bench.read("STATUS") == 0
        assert bench.memory.ar_channel.empty() and bench.memory.r_channel.empty()
        await bench.works()


@tb_test(100_000)
async def refused_accesses_change_nothing(dut):
    bench = await bench_of(dut, 10)
    bench.stall()
    for register in register_map.REGISTERS:
        if register.access == "RO":
            before = await bench.read(register.name)
            await bench.write(register.name, 0xFFFFFFFF, AxiResp.SLVERR)
            assert await bench.read(register.name) == before
    mapped = {register.offset for register in register_map.REGISTERS}
    for offset in range(0, 1 << register_map.ADDR_WIDTH, 4):
        if offset not in mapped and (offset < 0x180 or bench.draw.random() < 0.02):
            result = await bench.host.read(offset, 4)
            assert result.resp == AxiResp.SLVERR and result.data == bytes(4), hex(offset)
            assert (await bench.host.write(offset, bytes(4))).resp == AxiResp.SLVERR
    await bench.write("MEM_BASE", 0x100, AxiResp.OKAY)
    for name in ("MEM_BASE", "PROGRAM_ADDR"):
        await bench.write(name, 0x110, AxiResp.SLVERR)
    assert await bench.read("MEM_BASE") == 0x100
    # single bytes
    await bench.write("WATCHDOG", 0x11223344)
    await bench.host.write(register_map.BY_NAME["WATCHDOG"].offset + 1, b"\xAB\xCD")
    assert await bench.read("WATCHDOG") == 0x11CDAB44
    # configuration is refused while a program runs
    await bench.write("WATCHDOG", 0)
    word = int.from_bytes(isa.encode("SYNC_LOAD"), "little")
    bench.units[0].hang = {word}
    await bench.start([word])
    for register in register_map.REGISTERS:
        if register.access == "RW":
            await bench.write(register.name, 0, AxiResp.SLVERR)
    await bench.command("START", expect=AxiResp.SLVERR)
    await bench.command("CLEAR", expect=AxiResp.SLVERR)
    assert await bench.read("PROGRAM_COUNT") == 1
    await bench.soft_reset()
    assert await bench.read("PROGRAM_COUNT") == 1
    await bench.command("START", "CLEAR", expect=AxiResp.SLVERR)
    assert await bench.read("STATUS") == 0


@tb_test(100_000)
async def a_locked_window_stays_until_a_hardware_reset(dut):
    bench = await bench_of(dut, 11)
    lock = pack("WINDOW2_CTRL", READ=1, LOCK=1)
    await bench.write("WINDOW2_BASE", 0x40)
    await bench.write("WINDOW2_LAST", 0x80)
    await bench.write("WINDOW2_CTRL", lock)
    for _ in range(2):
        for name in ("BASE", "LAST", "CTRL"):
            await bench.write(f"WINDOW2_{name}", 0, AxiResp.SLVERR)
            await bench.write(f"WINDOW1_{name}", 0)
        assert await bench.read("WINDOW2_BASE") == 0x40
        assert await bench.read("WINDOW2_LAST") == 0x80
        assert await bench.read("WINDOW2_CTRL") == lock
        await bench.soft_reset()
    dut.rst.value = 1
    await ClockCycles(dut.clk, 3)
    dut.rst.value = 0
    await ClockCycles(dut.clk, 3)
    assert await bench.read("WINDOW2_CTRL") == 0
    await bench.write("WINDOW2_CTRL", 2)


@tb_test(100_000)
async def counters_count_and_are_copied_at_once(dut):
    bench = await bench_of(dut, 12)
    length = 160                # of fewer, none might wait for a token
    await bench.command("CLEAR_COUNTERS")
    busy = {"cycles": 0}

    async def watch():
        while True:
            await RisingEdge(dut.clk)
            dut.i_counters.value = 0b1 | 0b100 | CONFIG.bus_bytes << 3 if int(
                dut.load_cmd_valid.value) else 0
            busy["cycles"] += int(dut.load_cmd_valid.value)

    watcher = cocotb.start_soon(watch())
    await bench.works(length)
    watcher.cancel()
    await bench.command("SNAPSHOT", "CLEAR_COUNTERS")
    value = {name: await bench.read(f"COUNTER_{name}") for name, _ in register_map.COUNTERS}
    assert value["INSTRUCTIONS"] == length
    assert value["MAC_BUSY"] == busy["cycles"] > 0
    assert value["BYTES_READ"] == value["BYTES_WRITTEN"] == CONFIG.bus_bytes * busy["cycles"]
    assert value["MATMUL_WAIT_WEIGHTS"] == 0
    for unit, fake in zip(UNITS, bench.units):
        assert bool(value[f"{unit.upper()}_BUSY"]) == bool(fake.started)
    assert value["LOAD_WAIT_TOKEN"] + value["MATMUL_WAIT_TOKEN"] > 0
    assert value["FETCH_WAIT_MEMORY"] > 0
    assert length * 5 < value["CYCLES"] < length * 125
    # the snapshot stands, and what was cleared starts from zero
    assert await bench.read("COUNTER_INSTRUCTIONS") == length
    await bench.works(7)
    assert await bench.read("COUNTER_INSTRUCTIONS") == length
    await bench.command("SNAPSHOT")
    assert await bench.read("COUNTER_INSTRUCTIONS") == 7


@tb_test(20_000)
async def memories_are_cleared_on_command(dut):
    bench = await bench_of(dut, 13)
    cleared = []

    async def memories():
        while True:
            await RisingEdge(dut.clk)
            if int(dut.o_clear_memories.value):
                cleared.append(bench.cycle)
                dut.i_clearing.value = 1
                await ClockCycles(dut.clk, 100)
                dut.i_clearing.value = 0

    cocotb.start_soon(memories())
    await bench.command("CLEAR")
    began = bench.cycle
    await bench.command("START", expect=AxiResp.SLVERR)
    while (await bench.status())["CLEARING"]:
        pass
    assert bench.cycle - began > 80 and len(cleared) == 1
    await bench.works()
