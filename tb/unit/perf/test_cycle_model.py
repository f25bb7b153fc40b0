"""Cycle model: event queue, sharing of banks, and predicted times against those of the RTL."""

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest

from support.fixed_point_simulators import small_device
from support.programs import MEMORY_BYTES, random_program
from support.seeds import seed
from weft.spec import isa
from weft.spec.presets import preset
from weft_host import compile
from weft_host.device import RtlDevice
from weft_host.errors import ProgramError
from weft_host.perf.cycle_model import predict
from weft_host.perf.timing.banks import BankPort, Banks
from weft_host.perf.timing.bus import Channel, bursts
from weft_host.perf.timing.events import Clock, Condition
from weft_host.perf.trace import layer_cycles
from weft_host.program.file import Program
from weft_host.program.tensor import Window

DIGITS = Path(__file__).resolve().parents[3] / "examples" / "digits"
SEED = seed(1)
PROGRAMS = min(40, int(os.environ.get("WEFT_PROGRAMS", "12")))
EACH, MEAN = 0.06, 0.01       # allowed relative errors of a random program, and of their mean


def ends(streams):
    """Return the end of each stream ``(start, accesses, demand, serial)`` of one bank."""
    clock, found = Clock(), {}
    port = BankPort(clock)

    def run(number, start, count, demand, serial=False):
        yield start
        yield port.begin(count, demand, serial)
        found[number] = clock.now

    for number, stream in enumerate(streams):
        clock.start(run(number, *stream))
    clock.run()
    return [found[number] for number in range(len(streams))]


@pytest.mark.parametrize("streams, expected", [
    ([(0, 10, 1.0)], [10]),
    ([(5, 1, 1.0)], [6]),
    ([(3, 4, 0.25)], [16]),                             # 3, 7, 11, 15
    ([(0, 10, 1.0), (0, 20, 1.0)], [20, 30]),
    ([(0, 10, 1.0), (10, 10, 1.0)], [10, 20]),
    ([(0, 30, 1.0), (0, 30, 1.0), (0, 30, 1.0)], [90, 90, 90]),
    ([(0, 9, 0.25), (0, 60, 1.0)], [33, 69]),           # the slow stream is not slowed down
    ([(0, 10, 0.5, True)], [19]),
    ([(0, 10, 0.5, True), (0, 40, 1.0)], [29, 50]),     # three cycles per serial access
])
def test_a_bank_is_shared_fairly(streams, expected):
    assert ends(streams) == expected


def test_rejects_the_serial_engine():
    program = random_program(preset("icebreaker"), SEED)
    with pytest.raises(ProgramError, match="^cannot predict the cycles of icebreaker: the cycle "
                                           "model covers units that work in parallel, and this "
                                           "configuration is the serial engine. Use `weft run --on "
                                           "rtl` to count its cycles$"):
        predict(program)


def test_accesses_are_split_at_the_end_of_a_bank():
    config = dataclasses.replace(preset("tiny"), spad_bytes=2048, spad_banks=2)
    banks = Banks(Clock(), config)
    assert banks.pieces([(0, 4, 256)]) == [[0, 256]]
    assert banks.pieces([(1000, 4, 10)]) == [[0, 6], [1, 4]]
    assert banks.pieces([(0, 4, 2), (4, 4, 2), (1024, 0, 5)]) == [[0, 4], [1, 5]]


def test_bursts_end_at_their_boundary():
    config = preset("tiny")         # beats of 4 bytes, bursts of 32
    fields = {"host_addr": 126, "host_pitch": 200, "local_addr": 7, "local_pitch": 9, "bytes": 140,
              "count": 2}
    rows = list(bursts(config, fields))
    # bytes 126 to 265 and 326 to 465: a burst ends before 128, 256, 384
    assert rows == [[(1, 5), (32, 9), (3, 137)], [(15, 14), (21, 74)]]


def test_beats_follow_at_the_bandwidth_of_the_memory():
    channel = Channel(20, 0.3)
    assert channel.gap == 4 and Channel(1, 1.0).gap == 1
    assert channel.beats(10, 3) == (10, 18)
    assert channel.beats(12, 2) == (22, 26) and channel.beats(100, 1) == (100, 100)


def test_a_process_continues_when_its_condition_is_notified():
    clock, seen = Clock(), []
    condition = Condition(clock)

    def waits():
        yield condition
        seen.append(clock.now)
        yield clock.now + 3
        seen.append(clock.now)

    clock.start(waits())
    condition.notify(7)
    clock.run()
    assert seen == [7, 10]


def test_rejects_a_program_that_never_ends():
    code = isa.encode("SYNC_LOAD", wait=2) + isa.encode("SYNC_STORE")
    program = Program(config=preset("tiny"), instructions=code, memory_bytes=4096,
                      windows=(Window(0, 4096),))
    with pytest.raises(ValueError,
                       match="^the program never ends: instruction 0 is never done$"):
        predict(program)


@pytest.mark.parametrize("latency, bandwidth", [(20, 1.0), (100, 0.25)])
def test_predicts_the_layers_of_digits(latency, bandwidth):
    config = preset("tiny")
    program = compile(DIGITS / "digits.tflite", config)
    predicted = predict(program, latency=latency, bandwidth=bandwidth)
    with RtlDevice(config, memory_bytes=1 << 20, latency=latency, bandwidth=bandwidth) as device:
        result, times = device.record(program, [np.zeros((1, 8, 8, 1), np.int8)])
    assert abs(predicted.cycles / result.cycles - 1) < 0.01
    expected = layer_cycles(program, predicted.times)
    for layer, (first, end) in layer_cycles(program, times).items():
        found = expected[layer][1] - expected[layer][0]
        assert abs(found - (end - first)) <= max(4, 0.04 * (end - first)), (layer, found)
    # until two units access one bank, the prediction is exact
    assert np.array_equal(predicted.times[:, :12], times[:, :12])


@pytest.mark.parametrize("latency, bandwidth", [(20, 1.0), (100, 0.25), (3, 0.5)])
@pytest.mark.parametrize("make", [
    pytest.param(lambda **memory: RtlDevice(preset("tiny"), memory_bytes=MEMORY_BYTES, **memory),
                 id="tiny"),
    pytest.param(small_device, id="fixed_point")])
def test_predicts_random_programs(make, latency, bandwidth):
    errors = []
    with make(latency=latency, bandwidth=bandwidth) as device:
        for number in range(SEED, SEED + PROGRAMS):
            program = random_program(device.config, number)
            inputs = [np.zeros(tensor.shape, tensor.dtype) for tensor in program.inputs]
            result, _ = device.record(program, inputs)
            predicted = predict(program, latency=latency, bandwidth=bandwidth)
            errors.append(predicted.cycles / result.cycles - 1)
            assert abs(errors[-1]) <= EACH, f"seed {number}: {100 * errors[-1]:+.2f} %"
    assert abs(np.mean(errors)) <= MEAN, f"seeds from {SEED} on: {100 * np.mean(errors):+.2f} %"


def test_instructions_are_queued_issued_and_done_in_order():
    program = compile(DIGITS / "digits.tflite", preset("small"))
    found = predict(program)
    queued, issued, done = found.times
    assert (queued < found.heads).all() and (found.heads < issued).all() and (issued < done).all()
    waits = found.senders >= 0
    assert (issued[waits] >= found.tokens[waits] + 2).all() and waits.sum() > 10


def test_better_hardware_is_faster():
    config = preset("small")
    program = compile(DIGITS / "digits.tflite", config)
    plain = predict(program).cycles
    assert predict(program, latency=100, bandwidth=0.25).cycles > 1.3 * plain
    assert predict(program, latency=1).cycles < plain
    for change in ({"bus_width": 128}, {"vector_lanes": 8}):
        assert predict(program, config=dataclasses.replace(config, **change)).cycles < plain


@pytest.mark.parametrize("latency, bandwidth", [(20, 1.0), (20, 0.3)])
def test_a_beat_at_an_odd_address_of_the_weight_buffer_takes_two_cycles(latency, bandwidth):
    config = preset("tiny")
    code = b"".join(
        isa.encode("LOAD_WGT", host_addr=0, local_addr=local, bytes=size, count=1)
        for local, size in ((8, 40), (33, 40), (3, 1), (20, 9), (7, 64)))
    program = Program(config=config, instructions=code + isa.encode("SYNC_LOAD"),
                      memory_bytes=4096, windows=(Window(0, 4096),))
    with RtlDevice(config, memory_bytes=MEMORY_BYTES, latency=latency,
                   bandwidth=bandwidth) as device:
        _, times = device.record(program, [])
    predicted = predict(program, latency=latency, bandwidth=bandwidth)
    assert np.array_equal(predicted.times[:, :-1], times[:, :-1])
