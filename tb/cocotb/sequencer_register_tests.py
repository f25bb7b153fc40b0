"""Cocotb tests of the control subsystem: access rules of the registers."""

from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiResp
from sequencer_environment import CONFIG, bench_of, tb_test

from weft.spec import isa, register_map
from weft_host.register_words import pack


@tb_test(100_000)
async def refused_accesses_change_nothing(dut):
    """Writes to read-only, unmapped and busy registers, misaligned values, single bytes."""
    bench = await bench_of(dut, 10)
    bench.stall()
    registers = register_map.registers(CONFIG.fixed_point)
    for register in registers:
        if register.access == "RO":
            before = await bench.read(register.name)
            await bench.write(register.name, 0xFFFFFFFF, AxiResp.SLVERR)
            assert await bench.read(register.name) == before
    mapped = {register.offset for register in registers}
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
    # writes to configuration registers are refused while BUSY
    await bench.write("WATCHDOG", 0)
    word = int.from_bytes(isa.encode("SYNC_LOAD"), "little")
    bench.units[0].hang = {word}
    await bench.start([word])
    for register in registers:
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
async def a_locked_window_is_constant_until_a_hardware_reset(dut):
    """A lock protects base, last and permissions of its window, also from a soft reset."""
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
