"""LOAD compared with a byte model: alignment, errors, weights, FILL, counters, order of done."""

import pytest

from support.dma_bench import (
    DmaBench,
    bus_config,
    check_memories,
    expected,
    run_and_check,
    share_of_peak,
)
from weft.bus.axi4 import RESP_DECERR, RESP_SLVERR
from weft.spec import isa
from weft.spec.presets import preset

BASE = 0x2000_0000


@pytest.mark.parametrize("local", range(0, 8, 3))
@pytest.mark.parametrize("host", range(8))
def test_short_rows_at_any_alignment(host, local):
    bench = DmaBench("load", bus_config(64), latency=1)
    run_and_check(bench, [
        isa.encode(name, count=2, bytes=size, host_addr=host + 0x40, host_pitch=50,
                   local_addr=local + 64, local_pitch=20)
        for size in (1, 2, 7, 8, 9, 16, 17) for name in ("LOAD", "LOAD_WGT")])


def test_loads_the_first_and_the_last_bytes_of_the_memories():
    bench = DmaBench("load", bus_config(64), host_bytes=4096)
    size = bench.config.spad_bytes
    run_and_check(bench, [isa.encode("LOAD", count=1, bytes=5, host_addr=3, local_addr=0),
                          isa.encode("LOAD", count=1, bytes=3, host_addr=4090,
                                     local_addr=size - 3)])
    bench = DmaBench("load", bus_config(64), host_bytes=4096)
    run_and_check(bench, [isa.encode("LOAD", count=1, bytes=size, host_addr=1, local_addr=0)])


def test_later_rows_of_an_instruction_overwrite_earlier_ones():
    bench = DmaBench("load", bus_config(32))
    run_and_check(bench, [
        isa.encode("LOAD", count=9, bytes=13, host_addr=5, host_pitch=13, local_pitch=1),
        isa.encode("FILL", count=3, bytes=6, local_addr=4, local_pitch=3, value=0x80),
        isa.encode("LOAD", count=2, bytes=4, host_addr=77, host_pitch=0, local_addr=5)])


def test_bursts_are_as_long_as_max_burst_permits():
    config = bus_config(64)
    bench = DmaBench("load", config, base=BASE, host_bytes=8192)
    run_and_check(bench, [isa.encode("LOAD", count=1, bytes=2000, host_addr=BASE + 4096 - 36)])
    assert bench.host.read_bursts == [
        (BASE + 4096 - 40, 5), *((BASE + 4096 + 256 * i, 32) for i in range(7)),
        (BASE + 4096 + 1792, 22)]


# ---- errors

@pytest.mark.parametrize("resp, code", [(RESP_SLVERR, isa.ErrorCode.BUS_SLVERR),
                                        (RESP_DECERR, isa.ErrorCode.BUS_DECERR)])
@pytest.mark.parametrize("stall", [0.0, 0.5])
@pytest.mark.parametrize("beat", [0, 1, 31, 32, 50, 99])
def test_an_error_on_any_beat_stops_the_copy_at_that_beat(beat, stall, resp, code):
    bench = DmaBench("load", bus_config(64), stall=stall, base=BASE, seed=beat)
    before = [isa.encode("LOAD", count=1, bytes=40, host_addr=BASE + 0x1000, local_addr=1000)]
    bad = [isa.encode("LOAD", count=1, bytes=100 * 8, host_addr=BASE + 0x2000, local_addr=0)]
    after = [isa.encode("FILL", count=1, bytes=64, local_addr=1500, value=1),
             isa.encode("LOAD_WGT", count=1, bytes=64, host_addr=BASE + 0x1000)]
    part = [isa.encode("LOAD", count=1, bytes=8 * beat, host_addr=BASE + 0x2000)] if beat else []
    wanted = expected(bench, before + part)
    bench.host.errors = {BASE + 0x2000 + 8 * beat: resp, BASE + 0x2000 + 8 * beat + 8: 5 - resp}
    result = bench.run(before + bad + after)
    assert result.error == (code, BASE + 0x2000 + 8 * beat)
    assert result.done == 1
    check_memories(bench, wanted)


def test_an_error_of_a_partly_used_beat_reports_its_bus_address():
    bench = DmaBench("load", bus_config(128), base=BASE)
    bench.host.errors = {BASE + 0x110: RESP_SLVERR}
    result = bench.run([isa.encode("LOAD", count=3, bytes=3, host_addr=BASE + 0x103,
                                   host_pitch=16)])
    assert result.error == (isa.ErrorCode.BUS_SLVERR, BASE + 0x110)


def test_beats_outside_the_copy_are_not_requested():
    bench = DmaBench("load", bus_config(64), base=BASE)
    bench.host.errors = {BASE + 0x100: RESP_SLVERR, BASE + 0x120: RESP_SLVERR}
    run_and_check(bench, [isa.encode("LOAD", count=1, bytes=24, host_addr=BASE + 0x108)])


# ---- bandwidth with 20 cycles of latency


@pytest.mark.parametrize("name", ["small", "ulx3s", "large"])
def test_bandwidth_of_back_to_back_weight_loads(name):
    bench = DmaBench("load", preset(name), base=BASE, host_bytes=65536)
    instructions = [isa.encode("LOAD_WGT", count=1, bytes=2048, local_addr=index % 2 * 2048,
                               host_addr=BASE + 2048 * index) for index in range(16)]
    assert share_of_peak(bench, instructions, 32768) >= 0.95


def test_fill_writes_one_beat_a_cycle():
    bench = DmaBench("load", preset("small"))
    assert share_of_peak(bench, [isa.encode("FILL", count=1, bytes=16384, local_addr=5, value=3)],
                 16384) >= 0.98


# ---- inputs of the performance counters

def test_counts_the_cycles_in_which_it_waits_for_host_memory_or_is_stalled_by_a_buffer():
    for latency in (20, 50):
        bench = DmaBench("load", bus_config(64), latency=latency)
        result = run_and_check(bench, [isa.encode("LOAD", count=1, bytes=80)])
        # request and data take two cycles each; the unit waits for the rest
        assert latency - 2 <= result.waits <= latency + 4
        assert result.conflicts == 0 and result.beats == 10
    bench = DmaBench("load", bus_config(64), stall=0.5, seed=3)
    result = run_and_check(bench, [isa.encode("FILL", count=1, bytes=800)])
    # one stall for each of the 100 writes on average
    assert 50 <= result.conflicts <= 200 and result.waits == 0


# ---- the order of done

@pytest.mark.parametrize("slow", ["spad", "wgt"])
def test_done_is_in_order_if_one_memory_is_slow(slow):
    bench = DmaBench("load", preset("small"), seed=3)
    getattr(bench, slow).stall = 0.9
    beats = [("LOAD", 3), ("LOAD_WGT", 1), ("LOAD", 1), ("LOAD_WGT", 1), ("LOAD_WGT", 4),
             ("FILL", 1), ("SYNC_LOAD", 0), ("LOAD_WGT", 1), ("SYNC_LOAD", 0), ("LOAD", 1)]
    program = [isa.encode(name, **({"count": 1, "bytes": 8 * size} if size else {}))
               for name, size in beats]
    sums = {"spad": 0, "wgt": 0}
    wanted = []
    for name, size in beats:
        sums["wgt" if name == "LOAD_WGT" else "spad"] += size
        wanted.append(dict(sums))
    premature = []

    async def watch(ctx):
        number = 0
        async for _, _, done in ctx.tick().sample(bench.dut.unit.done):
            if done:
                premature.extend(
                    (number, name) for name, count in wanted[number].items()
                    if getattr(bench, name).writes < count)
                number += 1

    bench.processes.append(watch)
    run_and_check(bench, program)
    assert not premature
