"""Cocotb tests of the DMA: simultaneous copies in both directions, errors, halts."""

from cocotb.triggers import RisingEdge
from cocotbext.axi import AxiResp
from dma_environment import BUS, CONFIG, COUNT, MEMORY, Bench

import cocotb
from support.copy_model import host_addresses
from weft.spec import isa

HALF = MEMORY // 2
LOW, HIGH = range(CONFIG.spad_bytes // 2), range(CONFIG.spad_bytes // 2, CONFIG.spad_bytes)
READ_FROM, WRITE_TO = range(HALF), range(HALF, MEMORY)


async def copy_both_ways(dut, stall_share):
    """Copy in both directions at once, and compare all memories with the model."""
    bench = Bench(dut, stall_share)
    await bench.start()
    await bench.fill_spad()
    for index in range(max(1, COUNT // 4)):
        # LOAD and STORE work at the same time, each in its half of both memories
        load_half, store_half = (LOW, HIGH) if index % 2 else (HIGH, LOW)
        weights = range(CONFIG.wgt_bytes)
        loads = [bench.draw.choice([
            bench.copy("LOAD", load_half, READ_FROM), bench.copy("LOAD_WGT", weights, READ_FROM),
            bench.copy("FILL", load_half, READ_FROM), isa.encode("SYNC_LOAD")]) for _ in range(6)]
        stores = [bench.draw.choice([
            bench.copy("STORE", store_half, WRITE_TO), bench.copy("STORE", store_half, WRITE_TO),
            isa.encode("SYNC_STORE")]) for _ in range(6)]
        wanted_wgt = bench.model(loads)
        bench.model(stores)
        written_before = bench.bytes_written
        tasks = [cocotb.start_soon(task) for task in (
            bench.execute("load", loads), bench.execute("store", stores), bench.fetch(5))]
        assert [await task for task in tasks][:2] == [(len(loads), None), (len(stores), None)]
        assert bench.wgt == wanted_wgt, f"the weight buffer differs, {bench.note}"
        await RisingEdge(dut.clk)
        await RisingEdge(dut.clk)
        stored = sum(len(host_addresses(raw)) for raw in stores
                     if isa.decode(raw)[0].name == "STORE")
        assert bench.bytes_written - written_before == stored, f"o_bytes is wrong, {bench.note}"
        await bench.check_spad()
    assert bench.fetched > 0 and bench.beats > bench.fetched


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def copies_both_ways_at_once(dut):
    await copy_both_ways(dut, 0.0)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def copies_both_ways_at_once_under_light_stalls(dut):
    await copy_both_ways(dut, 0.25)


@cocotb.test(timeout_time=40, timeout_unit="ms")
async def copies_both_ways_at_once_under_heavy_stalls(dut):
    await copy_both_ways(dut, 0.7)


@cocotb.test(timeout_time=40, timeout_unit="ms")
async def halts_at_any_time_and_works_after_reset(dut):
    bench = Bench(dut, 0.3)
    await bench.start()
    for _ in range(COUNT):
        loads = [bench.copy("LOAD", LOW, READ_FROM) for _ in range(4)]
        stores = [bench.copy("STORE", HIGH, WRITE_TO) for _ in range(4)]
        bench.stopping = False
        tasks = [cocotb.start_soon(bench.execute(unit, copies, lambda: bench.stopping))
                 for unit, copies in (("load", loads), ("store", stores))]
        for _ in range(bench.draw.randint(1, 150)):
            await RisingEdge(dut.clk)
        bench.stopping = True
        await bench.recover()
        for task in tasks:
            await task


@cocotb.test(timeout_time=40, timeout_unit="ms")
async def reports_an_error_on_any_beat(dut):
    bench = Bench(dut, 0.3)
    await bench.start()
    await bench.fill_spad()
    for _ in range(COUNT):
        unit = bench.draw.choice(["load", "store"])
        name, space, local = ("LOAD", READ_FROM, LOW) if unit == "load" \
            else ("STORE", WRITE_TO, HIGH)
        good, bad = bench.copy(name, local, space), bench.copy(name, local, space)
        good_beats, bad_beats = (
            sorted({byte // BUS * BUS for byte in host_addresses(raw)}) for raw in (good, bad))
        candidates = [address for address in bad_beats if address not in good_beats]
        if not candidates:
            continue
        fault = bench.draw.choice(candidates)
        response = bench.draw.choice([AxiResp.SLVERR, AxiResp.DECERR])
        bench.faults.responses = {fault: response}
        done, error = await bench.execute(unit, [good, bad, good])
        code = {AxiResp.SLVERR: isa.ErrorCode.BUS_SLVERR,
                AxiResp.DECERR: isa.ErrorCode.BUS_DECERR}[response]
        assert done == 1 and error is not None and error[0] == code, (done, error, bench.note)
        if unit == "load":
            assert error[1] == fault, (error, fault, bench.note)
            bench.model([good])
            copy_until(bench, bad, fault)
            await bench.check_spad()
        else:
            block = CONFIG.max_burst * BUS
            assert error[1] <= fault < error[1] + block, (error, fault, bench.note)
            assert error[1] // block == fault // block, (error, fault, bench.note)
        await bench.recover()


def copy_until(bench, raw, fault):
    """Apply to the model the bytes of a LOAD before the beat at ``fault``."""
    _, f = isa.decode(raw)
    for index, byte in enumerate(host_addresses(raw)):
        if byte // BUS * BUS == fault:
            break
        row, column = divmod(index, f["bytes"])
        bench.spad[f["local_addr"] + row * f["local_pitch"] + column] = bench.host[byte]
