"""Simulated host memory of RtlDevice, with a small AXI manager."""

import re

import pytest

from support import copy_engine
from support.copy_engine import BUGS
from support.copy_simulation import BASE, TARGET, copy, make_simulation, pattern
from weft_host.device.rtl_sim import STALLS
from weft_host.errors import ClosedError


@pytest.mark.parametrize("width", [32, 64, 128, 256])
def test_copies_whole_bursts_and_no_other_bytes(width):
    simulation = make_simulation(width)
    size = 16 * width // 8
    simulation.write_memory(BASE, pattern(1 << 16))
    before = simulation.read_memory(BASE, 1 << 16)
    copy(simulation, BASE + 0x400, TARGET, 16)
    expected = bytearray(before)
    expected[TARGET - BASE:TARGET - BASE + size] = before[0x400:0x400 + size]
    assert simulation.read_memory(BASE, 1 << 16) == bytes(expected)
    assert simulation.broken_rules() == (0, "") and simulation.bus_idle


@pytest.mark.parametrize("latency, beats", [(1, 1), (1, 4), (2, 4), (20, 16), (100, 3)])
def test_latency_is_exact(latency, beats):
    """The cycles are counted by hand.

    2 cycles to the read address, the latency to the first beat, the beats, the write address right
    after the last beat, the beats, the latency to the response, 1 cycle to irq.
    """
    assert copy(make_simulation(latency=latency), BASE, TARGET, beats) == \
        2 + latency + beats + 1 + (beats - 1) + latency + 1


def test_bandwidth_limits_the_beats():
    full = copy(make_simulation(latency=5), BASE, TARGET, 16)
    half = copy(make_simulation(latency=5, bandwidth=0.5), BASE, TARGET, 16)
    fifth = copy(make_simulation(latency=5, bandwidth=0.2), BASE, TARGET, 16)
    # 15 gaps on each side; each side's first beat may wait for the rest of its first gap
    assert abs(half - full - 30) <= 2
    assert abs(fifth - full - 30 * 4) <= 8


@pytest.mark.parametrize("stalls", STALLS)
def test_pauses_change_the_time_but_not_the_data(stalls):
    times = set()
    for seed in range(8):
        simulation = make_simulation(latency=2, stalls=stalls, seed=seed)
        data = pattern(128, seed)
        simulation.write_memory(BASE + 128, data)
        times.add(copy(simulation, BASE + 128, TARGET, 16))
        assert simulation.read_memory(TARGET, 128) == data, f"seed {seed}"
        assert simulation.broken_rules() == (0, ""), f"seed {seed}"
    assert (len(times) == 1) == (stalls is None)
    again = make_simulation(latency=2, stalls=stalls, seed=7)
    again.write_memory(BASE + 128, data)
    assert copy(again, BASE + 128, TARGET, 16) in times


@pytest.mark.parametrize("response, number", [("SLVERR", 2), ("DECERR", 3)])
def test_faults_affect_the_beats_in_their_range(response, number):
    simulation = make_simulation()
    simulation.write_memory(BASE, pattern(1 << 16))
    before = simulation.read_memory(TARGET, 128)
    simulation.fault(BASE + 0x20, 1, response, "read")
    copy(simulation, BASE, TARGET, 4)
    assert simulation.read_register(copy_engine.RESPONSE) == (0, 0)
    copy(simulation, BASE, TARGET, 5)
    assert simulation.read_register(copy_engine.RESPONSE) == (0, number)
    simulation.clear_faults()
    simulation.write_memory(TARGET, before)
    simulation.fault(TARGET + 8, 8, response, "write")
    copy(simulation, BASE, TARGET, 3)
    assert simulation.read_register(copy_engine.RESPONSE) == (0, number << 4)
    source = simulation.read_memory(BASE, 24)
    assert simulation.read_memory(TARGET, 24) == source[:8] + before[8:16] + source[16:]


def test_addresses_outside_the_memory_answer_decerr():
    simulation = make_simulation()
    copy(simulation, 0, BASE + (1 << 16), 2)
    assert simulation.read_register(copy_engine.RESPONSE) == (0, 0x33)


@pytest.mark.parametrize("channel", ["AR", "R", "AW", "W", "B"])
def test_a_silenced_channel_never_responds(channel):
    simulation = make_simulation()
    simulation.silence(channel)
    simulation.write_register(copy_engine.SOURCE, BASE)
    simulation.write_register(copy_engine.TARGET, TARGET)
    simulation.write_register(copy_engine.BEATS, 2)
    assert not simulation.run(2000)
    simulation.silence()
    assert simulation.run(2000)


@pytest.mark.parametrize("bug, message", [
    ("drop", "AW valid fell before ready"), ("change", "AW changed while valid and not ready"),
    ("wlast", "W last does not end its burst"),
    ("cross", "AR of 8 beats from 0x10ff8 crosses a 4 KiB boundary"),
    ("size", "AR does not use whole beats"), ("fixed", "AR is not an incrementing burst"),
    ("unaligned", "AR is not aligned to a beat"),
])
def test_every_violated_rule_is_reported(bug, message):
    assert bug in BUGS
    for seed in range(20):      # until a channel is not ready at the decisive time
        simulation = make_simulation(bug=bug, stalls="back-pressure", seed=seed)
        copy(simulation, BASE, TARGET, 8)
        count, text = simulation.broken_rules()
        if count:
            break
    assert count and re.fullmatch(rf"cycle \d+: {message}", text), text


@pytest.mark.parametrize("options, message", [
    (dict(latency=-1), "latency must not be negative, not -1"),
    (dict(bandwidth=0), "bandwidth must be above 0 and at most 1 beat a cycle, not 0"),
    (dict(bandwidth=1.5), "bandwidth must be above 0 and at most 1 beat a cycle, not 1.5"),
    (dict(stalls="some"), "stalls must be one of None, 'gaps', 'back-pressure' or 'both', not "
     "'some'"),
])
def test_options_out_of_range_are_rejected(options, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        make_simulation(**options)


def test_a_closed_simulation_rejects_every_call():
    simulation = make_simulation()
    simulation.close()
    simulation.close()
    for call in (
            lambda: simulation.read_memory(BASE, 4), lambda: simulation.write_memory(BASE, b"data"),
            lambda: simulation.read_register(0), lambda: simulation.write_register(0, 0),
            lambda: simulation.run(1), lambda: simulation.fault(BASE, 1, "SLVERR", "read"),
            simulation.clear_faults, simulation.silence, lambda: simulation.record(True),
            simulation.events, lambda: simulation.cycle, lambda: simulation.last_write_cycle,
            lambda: simulation.irq_cycle, lambda: simulation.bus_idle, simulation.broken_rules):
        with pytest.raises(ClosedError, match="^this simulation is closed; create another one$"):
            call()
