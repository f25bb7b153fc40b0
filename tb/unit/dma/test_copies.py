"""Copies of LOAD and STORE alike: data, errors, halt and reset, bandwidth."""

import dataclasses

import pytest

from support.dma_bench import (
    DmaBench,
    bus_config,
    check_memories,
    expected,
    random_copies,
    run_and_check,
    share_of_peak,
    split_copy,
)
from weft.bus.axi4 import RESP_SLVERR
from weft.control.instruction_register import InstructionRegister
from weft.spec import isa
from weft.spec.presets import preset

BASE = 0x8000_0000


@dataclasses.dataclass(frozen=True)
class Unit:
    """Properties of LOAD or STORE that the tests depend on."""

    name: str               # of the unit, for DmaBench
    instruction: str        # that copies to or from the scratchpad
    names: tuple            # of all its instructions, frequent ones repeated
    bursts: str             # attribute of the host memory with the bursts of the unit
    sequence: tuple         # three instructions of different kinds
    round_trip: int         # cycles that a burst takes in addition to the memory's latency
    overhead: int           # cycles of an instruction in addition to its round trips


LOAD = Unit(
    "load", "LOAD", ("LOAD", "LOAD", "LOAD_WGT", "FILL", "SYNC_LOAD"), "read_bursts",
    (isa.encode("LOAD", count=3, bytes=150, host_addr=BASE + 33, host_pitch=500),
     isa.encode("FILL", count=1, bytes=90, local_addr=600, value=7),
     isa.encode("LOAD_WGT", count=1, bytes=250, host_addr=BASE + 4000, local_addr=100)),
    4, 13 + InstructionRegister.LATENCY)
STORE = Unit(
    "store", "STORE", ("STORE", "STORE", "STORE", "SYNC_STORE"), "write_bursts",
    (isa.encode("STORE", count=3, bytes=150, host_addr=BASE + 33, host_pitch=500),
     isa.encode("SYNC_STORE"),
     isa.encode("STORE", count=1, bytes=250, host_addr=BASE + 4000, local_addr=100)),
    8, 12)
both_units = pytest.mark.parametrize("unit", [LOAD, STORE], ids=lambda unit: unit.name)


@both_units
@pytest.mark.parametrize("stall", [0.0, 0.3, 0.8])
@pytest.mark.parametrize("width", [32, 64, 128, 256])
@pytest.mark.parametrize("seed", range(2))
def test_copies_are_exact_and_change_no_other_byte(unit, width, stall, seed):
    bench = DmaBench(
        unit.name, bus_config(width), stall=stall, base=BASE, host_bytes=12288, seed=seed)
    run_and_check(bench, random_copies(bench, unit.names, 25))


@both_units
@pytest.mark.parametrize("overrides", [
    dict(max_burst=1, outstanding=1), dict(max_burst=1, outstanding=4),
    dict(max_burst=2, outstanding=64), dict(max_burst=256, outstanding=1),
    dict(addr_width=16, spad_bytes=256, wgt_bytes=1024),
], ids=str)
def test_any_burst_length_and_number_of_outstanding_bursts(unit, overrides):
    bench = DmaBench(
        unit.name, bus_config(64, **overrides), stall=0.3, latency=3, host_bytes=8192, seed=4)
    run_and_check(bench, random_copies(bench, unit.names, 20))


@both_units
def test_nothing_is_requested_or_accepted_after_an_error(unit):
    bench = DmaBench(unit.name, bus_config(64, max_burst=4, outstanding=4), base=BASE)
    bench.host.errors = {BASE: RESP_SLVERR}
    result = bench.run([isa.encode(unit.instruction, count=1, bytes=1000, host_addr=BASE)] * 9)
    assert result.error == (isa.ErrorCode.BUS_SLVERR, BASE) and result.done == 0
    # bursts in flight when the response arrived, and one more in the register slice
    assert len(getattr(bench.host, unit.bursts)) <= 5
    assert result.accepted < 9


@both_units
@pytest.mark.parametrize("stall", [0.0, 0.4])
@pytest.mark.parametrize("errors", [False, True])
def test_halt_in_any_cycle_then_reset_then_a_correct_copy(unit, stall, errors):
    for halt_after in range(0, 100, 5 if stall or errors else 1):
        bench = DmaBench(unit.name, bus_config(64), stall=stall, base=BASE, host_bytes=8192,
                         latency=8, seed=halt_after)
        if errors:
            # cleared with the reset: only the second run must be free of errors
            bench.host.errors = {BASE + 0x220: RESP_SLVERR}
        wanted = expected(bench, unit.sequence)
        result = bench.run(unit.sequence, halt_after=halt_after,
                           before_second=bench.host.errors.clear)
        assert result.done == 3 and result.error is None, (halt_after, result)
        check_memories(bench, wanted)


# ---- bandwidth with 20 cycles of latency

@both_units
@pytest.mark.parametrize("name, size", [("tiny", 16384), ("small", 65536), ("ulx3s", 65536),
                                        ("large", 65536)])
@pytest.mark.parametrize("host, local, least", [(0, 0, 0.95), (3, 0, 0.90), (1, 2, 0.90)])
def test_bandwidth_of_long_copies(unit, name, size, host, local, least):
    bench = DmaBench(unit.name, preset(name), base=BASE, host_bytes=66 * 1024)
    instructions = split_copy(bench, unit.instruction, size, host=BASE + host, local=local)
    assert share_of_peak(bench, instructions, size) >= least


@both_units
def test_bandwidth_of_short_rows_is_one_burst_a_cycle(unit):
    # rows of one beat: bandwidth is the number of bursts in flight over the latency
    bench = DmaBench(unit.name, preset("ulx3s", outstanding=32), base=BASE, host_bytes=65536)
    assert share_of_peak(bench, [isa.encode(
        unit.instruction, count=1000, bytes=16, host_addr=BASE, host_pitch=48, local_pitch=24)],
        16000) >= 0.90


@both_units
@pytest.mark.parametrize("outstanding", [1, 4, 8])
def test_short_bursts_are_limited_by_the_round_trip(unit, outstanding):
    latency = 20
    bench = DmaBench(unit.name, preset("ulx3s", outstanding=outstanding), latency=latency)
    result = run_and_check(bench, [isa.encode(unit.instruction, count=80, bytes=16, host_pitch=48,
                                              local_pitch=24)])
    # ``outstanding`` bursts complete in every round trip
    assert result.cycles <= 80 / outstanding * (latency + unit.round_trip) + unit.overhead
