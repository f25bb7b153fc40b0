"""STORE compared with a byte model: alignment, latencies, errors, counters."""

import pytest

from support.dma_bench import (
    DmaBench,
    bus_config,
    expected,
    random_copies,
    run_and_check,
)
from weft.bus.axi4 import RESP_DECERR, RESP_SLVERR
from weft.dma.store import StoreUnit
from weft.spec import isa

BASE = 0x8000_0000


@pytest.mark.parametrize("read_latency", [1, 2, 4, 7])
def test_any_scratchpad_latency(read_latency):
    for stall in (0.0, 0.4):
        bench = DmaBench("store", bus_config(64), stall=stall, read_latency=read_latency, seed=1)
        run_and_check(bench, random_copies(bench, ["STORE", "STORE", "SYNC_STORE"], 10))


@pytest.mark.parametrize("local", range(0, 8, 3))
@pytest.mark.parametrize("host", range(8))
def test_short_rows_at_any_alignment(host, local):
    bench = DmaBench("store", bus_config(64), latency=1)
    run_and_check(bench, [
        isa.encode("STORE", count=2, bytes=size, host_addr=host + 0x40 + 128 * size,
                   host_pitch=50, local_addr=local + 64, local_pitch=20)
        for size in (1, 2, 7, 8, 9, 16, 17)])


def test_stores_the_first_and_the_last_bytes_of_the_memories():
    bench = DmaBench("store", bus_config(64), host_bytes=4096)
    size = bench.config.spad_bytes
    run_and_check(bench, [isa.encode("STORE", count=1, bytes=5, host_addr=3, local_addr=0),
                          isa.encode("STORE", count=1, bytes=3, host_addr=4090,
                                     local_addr=size - 3),
                          isa.encode("STORE", count=1, bytes=size, host_addr=9, local_addr=0)])


def test_a_later_row_overwrites_an_earlier_one():
    bench = DmaBench("store", bus_config(32))
    run_and_check(bench, [isa.encode("STORE", count=9, bytes=13, host_addr=5, host_pitch=1,
                                     local_pitch=50)])


def test_counts_the_bytes_with_a_strobe():
    bench = DmaBench("store", bus_config(128), stall=0.3)
    result = run_and_check(bench, [
        isa.encode("STORE", count=5, bytes=21, host_addr=15, host_pitch=100, local_pitch=21),
        isa.encode("SYNC_STORE"), isa.encode("STORE", count=1, bytes=1, host_addr=999)])
    assert result.bytes == 5 * 21 + 1


@pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")
def test_rejects_a_latency_of_zero():
    with pytest.raises(ValueError, match=r"^read_latency must be at least 1 cycle, not 0$"):
        StoreUnit(bus_config(32), read_latency=0)


# ---- errors

@pytest.mark.parametrize("resp, code", [(RESP_SLVERR, isa.ErrorCode.BUS_SLVERR),
                                        (RESP_DECERR, isa.ErrorCode.BUS_DECERR)])
@pytest.mark.parametrize("stall", [0.0, 0.5])
@pytest.mark.parametrize("beat", [0, 1, 31, 32, 50, 99])
def test_an_error_on_any_beat_reports_the_address_of_its_burst(beat, stall, resp, code):
    bench = DmaBench("store", bus_config(64), stall=stall, base=BASE, seed=beat)
    before = [isa.encode("STORE", count=1, bytes=40, host_addr=BASE + 0x1000, local_addr=1000)]
    bad = [isa.encode("STORE", count=1, bytes=100 * 8, host_addr=BASE + 0x2000, local_addr=0)]
    after = [isa.encode("STORE", count=1, bytes=1000, host_addr=BASE + 0x3000, local_addr=1)]
    start = bytes(bench.host.data)
    wanted, _, _ = expected(bench, before + bad + after)
    bench.host.errors = {BASE + 0x2000 + 8 * beat: resp}
    result = bench.run(before + bad + after)
    assert result.error == (code, BASE + 0x2000 + 8 * (beat // 32 * 32))
    assert result.done == 1
    # every byte has its old or its new value, and all data of earlier bursts was written
    assert all(byte in pair for byte, pair in zip(bench.host.data, zip(start, wanted)))
    burst = 0x2000 + 8 * (beat // 32 * 32)
    assert bench.host.data[:burst] == wanted[:burst]


def test_outstanding_data_after_an_error_has_no_strobes():
    # the response to the first burst arrives long before all data of the second one was sent
    bench = DmaBench("store", bus_config(32, max_burst=256, outstanding=4), latency=2, base=BASE)
    bench.host.errors = {BASE: RESP_SLVERR}
    start = bytes(bench.host.data)
    result = bench.run([isa.encode("STORE", count=1, bytes=4, host_addr=BASE),
                        isa.encode("STORE", count=1, bytes=800, host_addr=BASE + 0x400),
                        isa.encode("STORE", count=1, bytes=800, host_addr=BASE + 0x800)])
    assert result.error == (isa.ErrorCode.BUS_SLVERR, BASE) and result.done == 0
    assert bench.host.write_bursts[:2] == [(BASE, 1), (BASE + 0x400, 200)]
    assert bench.host.beats_written == sum(beats for _, beats in bench.host.write_bursts)
    assert bench.host.data[0x480:] == start[0x480:], "written after the error"
    assert result.bytes < 0x80


# ---- inputs of the performance counters

def test_counts_the_cycles_in_which_it_waits_for_host_memory_or_the_scratchpad():
    for latency in (20, 50):
        bench = DmaBench("store", bus_config(64), latency=latency)
        result = run_and_check(bench, [isa.encode("STORE", count=1, bytes=80)])
        assert latency - 4 <= result.waits <= latency + 2
        assert result.conflicts == 0
    bench = DmaBench("store", bus_config(64), stall=0.5, seed=3)
    result = run_and_check(bench, [isa.encode("STORE", count=1, bytes=800)])
    assert result.conflicts > 20 and result.waits > 20
