"""Initialisation of an SDRAM with the power-up times of real chips."""

import pytest

from support.bench import run_bench
from weft.host_memory.sdram_chip import M12L64322A, MT48LC16M16
from weft.host_memory.sdram_init import SdramInit
from weft.host_memory.sdram_pins import Command


@pytest.mark.parametrize("chip", [MT48LC16M16, M12L64322A], ids=["MT48LC16M16", "M12L64322A"])
def test_waits_for_the_power_up_time_before_the_first_command(chip):
    clock_hz = 100_000_000
    commands = {}

    async def bench(ctx, dut):
        cycle = 0
        while not ctx.get(dut.o_done):
            command = ctx.get(dut.o_command)
            if command != Command.NOP:
                commands[cycle] = command
            await ctx.tick()
            cycle += 1

    run_bench(SdramInit(chip, clock_hz), bench)
    first = min(commands)
    assert chip.power_up <= first * 1e9 / clock_hz <= chip.power_up + 20
    assert list(commands.values()) == [
        Command.PRECHARGE, *SdramInit.REFRESHES * [Command.REFRESH], Command.MODE]
