"""Cocotb tests of the control subsystem: programs, soft reset, counters, clearing."""

from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.axi import AxiResp
from sequencer_environment import CONFIG, COUNT, UNITS, bench_of, tb_test

import cocotb
from support.fake_units import Program
from weft.spec import register_map


@tb_test(2_000_000)
async def random_programs_complete_in_token_order(dut):
    """Programs of random length, with random stalls on all channels and in all units."""
    bench = await bench_of(dut)
    for _ in range(COUNT):
        bench.stall()
        for unit in bench.units:
            unit.latency = bench.draw.choice((1, 4, 60))
            unit.readiness = bench.draw.choice((1, 0.5, 0.1))
            unit.depth = bench.draw.choice((1, 4, 40))
        await bench.run_random_program(bench.draw.randint(1, 80))


@tb_test(20_000)
async def an_empty_program_completes_at_once(dut):
    """A program without instructions is not fetched."""
    bench = await bench_of(dut)
    await bench.start([])
    status = await bench.finish(cycles=20)
    assert status["DONE"]
    assert not bench.memory.reads
    await bench.run_random_program()


@tb_test(1_000_000)
async def a_soft_reset_is_legal_in_any_cycle(dut):
    """Soft resets at random times wait for outstanding transfers; programs run afterwards."""
    bench = await bench_of(dut, 9)
    for _ in range(25):
        bench.stall()
        program = Program(bench.draw, 40)
        await bench.start(program.words)
        await ClockCycles(dut.clk, bench.draw.randint(1, 400))
        outstanding = bench.draw.random() < 0.5
        bench.dut.i_bus_idle.value = bench.draw.randrange(3) if outstanding else 3
        await bench.command("SOFT_RESET")
        if outstanding:
            await ClockCycles(dut.clk, 50)
            assert (await bench.status())["RESETTING"] and int(dut.load_halt.value)
            await bench.command("START", expect=AxiResp.SLVERR)
            await bench.command("SOFT_RESET")
            bench.dut.i_bus_idle.value = 3
        while (await bench.status())["RESETTING"]:
            pass
        assert await bench.read("STATUS") == 0
        assert bench.memory.ar_channel.empty() and bench.memory.r_channel.empty()
        await bench.run_random_program()


@tb_test(100_000)
async def a_snapshot_copies_all_counters(dut):
    """The counters of a program match its events; a snapshot is stable."""
    bench = await bench_of(dut, 12)
    length = 160                # long enough that some instructions wait for a token
    await bench.command("CLEAR_COUNTERS")
    busy = {"cycles": 0}

    async def drive_datapath_counters():
        while True:
            await RisingEdge(dut.clk)
            dut.i_counters.value = 0b1 | 0b100 | CONFIG.bus_bytes << 3 if int(
                dut.load_cmd_valid.value) else 0
            busy["cycles"] += int(dut.load_cmd_valid.value)

    driver = cocotb.start_soon(drive_datapath_counters())
    await bench.run_random_program(length)
    driver.cancel()
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
    # the snapshot does not change, and the cleared counters start from zero
    assert await bench.read("COUNTER_INSTRUCTIONS") == length
    await bench.run_random_program(7)
    assert await bench.read("COUNTER_INSTRUCTIONS") == length
    await bench.command("SNAPSHOT")
    assert await bench.read("COUNTER_INSTRUCTIONS") == 7


@tb_test(20_000)
async def clear_zeroes_the_memories_once(dut):
    """CLEAR sends one strobe to the memories and is busy until they are zero."""
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
    steps = register_map.STEP_REGISTERS if CONFIG.fixed_point else ()
    for register in steps:
        await bench.write(register.name, 0xFFFFFFFF)
    await bench.command("CLEAR")
    started = bench.cycle
    await bench.command("START", expect=AxiResp.SLVERR)
    while (await bench.status())["CLEARING"]:
        pass
    assert bench.cycle - started > 80 and len(cleared) == 1
    for register in steps:
        assert await bench.read(register.name) == 0
    await bench.run_random_program()
