"""Cocotb tests of the control subsystem: errors of all kinds and their records."""

from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.axi import AxiResp
from sequencer_environment import CONFIG, MEMORY, SEQUENCER, bench_of, pauses, tb_test

from support.fake_units import Program, check_order
from weft.spec import isa
from weft.spec.isa import ErrorCode
from weft_host.register_words import unpack

INVALID = {
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
async def an_invalid_instruction_stops_the_program_after_earlier_ones(dut):
    """One invalid instruction of each kind, at a random position in a program."""
    bench = await bench_of(dut, 1)
    for code, (raw, unit) in INVALID.items():
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
        bench.check_completed(program, mem_base, where)
        assert await bench.read("PC") == where
        await bench.command("START", expect=AxiResp.SLVERR)
        await bench.command("CLEAR", expect=AxiResp.SLVERR)
        await bench.soft_reset()
        await bench.run_random_program()


@tb_test(400_000)
async def an_instruction_without_tokens_does_not_delay_the_error(dut):
    """An instruction that waits for a token of the refused instruction never starts."""
    bench = await bench_of(dut, 2)
    words = [int.from_bytes(isa.encode("SYNC_MATMUL", wait=1), "little"),
             int.from_bytes(isa.encode("SYNC_LOAD", wait=0xF), "little")]
    await bench.start(words)
    status = await bench.finish()
    assert status["ERROR"] and not bench.units[1].started
    assert await bench.record() == (ErrorCode.RESERVED_BITS, 0, 1, 0x1020)
    assert unpack("WAITS", await bench.read("WAITS"))["MATMUL_TOKENS"] == 1


@tb_test(400_000)
async def a_fetch_outside_the_windows_is_an_error_of_the_sequencer(dut):
    """Instructions up to the end of a window are executed; no later one is requested."""
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
        bench.check_completed(program, 0, good)
        assert len(bench.memory.reads) == good * beats, "a burst was issued for a refused address"
        await bench.soft_reset()


@tb_test(400_000)
async def an_error_response_to_a_fetch_is_an_error_of_the_sequencer(dut):
    """Error responses at random beats; earlier instructions are executed."""
    bench = await bench_of(dut, 4)
    for response, code in ((AxiResp.SLVERR, ErrorCode.BUS_SLVERR),
                           (AxiResp.DECERR, ErrorCode.BUS_DECERR)) * 4:
        bench.stall()
        program = Program(bench.draw, 30)
        addr = 0x1000 - 32 * bench.draw.randrange(1, 20)
        where = bench.draw.randrange(30)
        beat = addr + 32 * where + bench.draw.randrange(0, 32, CONFIG.bus_bytes)
        bench.memory.faults = {beat: response}
        await bench.start(program.words, addr=addr)
        status = await bench.finish()
        assert status["ERROR"]
        assert await bench.record() == (code, SEQUENCER, where, beat), f"seed {bench.seed}"
        bench.check_completed(program, 0, where)
        bench.memory.faults = {}
        await bench.soft_reset()
        await bench.run_random_program()


@tb_test(400_000)
async def an_error_of_a_unit_stops_all_units(dut):
    """After a unit's error, no instruction starts; MATMUL and VECTOR complete theirs."""
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
        # transfers are outstanding for a while
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
                assert not fake.pending, f"{fake.name} has not completed its instructions"
            fake.fail = {}
        check_order(bench.units)
        await bench.soft_reset()
        await bench.run_random_program()


@tb_test(100_000)
async def a_token_overflow_is_an_error(dut):
    """255 tokens from one unit for another are allowed, 256 are not."""
    bench = await bench_of(dut, 6)
    for unit in bench.units:
        unit.latency = unit.readiness = 1
    give = int.from_bytes(isa.encode("SYNC_VECTOR", signal=1), "little")
    take = int.from_bytes(isa.encode("SYNC_LOAD", wait=4), "little")
    await bench.start([give] * 255 + [take] * 255)
    assert (await bench.finish())["DONE"]
    await bench.start([give] * 255)     # unused tokens are no error,
    assert (await bench.finish())["DONE"]
    await bench.start([give] * 256)     # and START zeroes the counters
    assert (await bench.finish())["ERROR"]
    assert await bench.record() == (ErrorCode.TOKEN_OVERFLOW, 2, 255, 0)
    await bench.soft_reset()
    await bench.run_random_program()


@tb_test(100_000)
async def the_watchdog_names_the_stalled_unit(dut):
    """Each cause of a stall leads to its record, as does the cause with the higher priority."""
    bench = await bench_of(dut, 7)
    load, _, _, store = bench.units
    encode = lambda name, **v: int.from_bytes(isa.encode(name, **v), "little")  # noqa: E731
    fill = encode("FILL", bytes=1, count=1)
    store_one = encode("STORE", bytes=1, count=1)
    sync = encode("SYNC_VECTOR", signal=2)
    wait = encode("SYNC_MATMUL", wait=9)

    async def expect(words, unit, index, **waits):
        await bench.start(words, watchdog=200)
        started = bench.cycle
        status = await bench.finish()
        assert 200 <= bench.cycle - started < 1000
        assert status["ERROR"]
        assert await bench.record() == (ErrorCode.WATCHDOG, unit, index, 0)
        found = unpack("WAITS", await bench.read("WAITS"))
        for name, value in waits.items():
            assert found[name] == value, (name, found)
        await bench.soft_reset()
        for fake in bench.units:
            fake.hang, fake.memory = set(), False

    # a missing token
    await expect([sync, fill, wait], 1, 2, MATMUL_TOKENS=9, MATMUL_QUEUED=1, MATMUL_BUSY=0)
    # a missing token and a unit that hangs: the unit that hangs is named
    load.hang = {fill}
    await expect([sync, fill, wait], 0, 1, MATMUL_TOKENS=9, LOAD_BUSY=1, LOAD_MEMORY=0)
    # a unit that hangs and a higher one that waits for memory: the latter is named
    load.hang, store.hang, store.memory = {fill}, {store_one}, True
    await expect([fill, store_one], 3, 1, STORE_MEMORY=1, LOAD_BUSY=1)
    # an instruction fetch without a response
    bench.memory.r_channel.set_pause_generator(pauses(bench.draw, 2))
    started = bench.cycle
    await bench.start([sync], watchdog=100)
    await RisingEdge(bench.dut.o_irq)
    assert bench.cycle - started < 2000
    assert await bench.record() == (ErrorCode.WATCHDOG, SEQUENCER, 0, 0)
    # a soft reset waits for the bus without a time limit
    await bench.command("SOFT_RESET")
    for _ in range(20):
        assert (await bench.status())["RESETTING"]
    bench.memory.r_channel.set_pause_generator(None)
    bench.memory.r_channel.pause = False
    await ClockCycles(bench.dut.clk, 100)
    assert not (await bench.status())["RESETTING"]
    await bench.run_random_program()


@tb_test(100_000)
async def progress_restarts_the_watchdog(dut):
    """Progress of the datapath at intervals below the limit prevents an expiry."""
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
