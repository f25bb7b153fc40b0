"""Recorded runs on the RTL: the times of every instruction, and the trace file."""

import json
from pathlib import Path

import numpy as np
import pytest
from amaranth.hdl import Fragment

from support.copy_engine import CopyEngine
from weft.accelerator import Accelerator
from weft.spec.presets import preset
from weft.verilog import port_list, to_rtlil
from weft_host import compile
from weft_host.cli import main
from weft_host.device import RtlDevice
from weft_host.device.instruction_times import instruction_times, units_of
from weft_host.device.rtl_build import build
from weft_host.device.rtl_sim import EVENTS, Simulation
from weft_host.errors import WeftError
from weft_host.perf.trace import chrome_trace, layer_cycles, layer_names, spans
from weft_host.program.expand import unroll

DIGITS = Path(__file__).resolve().parents[3] / "examples" / "digits"


@pytest.fixture(scope="module")
def run():
    """Return ``(program, result, times)`` of digits on tiny; recording changes no result."""
    config = preset("tiny")
    program = compile(DIGITS / "digits.tflite", config)
    with np.load(DIGITS / "digits.npz") as data, RtlDevice(config, memory_bytes=1 << 20) as device:
        plain = device.run(program, [data["in0"]])
        result, times = device.record(program, [data["in0"]])
        again, same = device.record(program, [data["in0"]])
        after = device.run(program, [data["in0"]])
    assert plain.cycles == result.cycles == again.cycles == after.cycles
    assert np.array_equal(times, same), "a second record contains events of the first"
    output, = result.outputs.values()
    assert np.array_equal(output, *plain.outputs.values())
    return program, result, times


def test_only_an_observed_accelerator_has_event_ports():
    tops = [Accelerator(preset("tiny"), **options) for options in ({}, {"observe": True})]
    plain, observed = (set(port_list(top)) for top in tops)
    for top in tops:
        Fragment.get(top, None)
    assert observed - plain == {"o_queued", "o_issued", "o_done"} and plain < observed


def test_rejects_recording_of_a_design_without_event_ports():
    simulation = Simulation(build(to_rtlil(CopyEngine(), "weft"), progress=lambda _: None))
    with pytest.raises(ValueError, match="^this design has no ports for the events of "
                                         "instructions$"):
        simulation.record(True)
    assert not len(simulation.events())


def test_every_instruction_is_recorded_in_order(run):
    program, result, times = run
    iterations = unroll(program)
    assert len(iterations) > program.instruction_count, "no instruction has several rows"
    assert times.shape == (3, len(iterations)) and times.min() > 0
    assert (times[0] < times[1]).all() and (times[1] < times[2]).all()
    first = np.array([iteration.number == 0 for iteration in iterations])
    assert (np.diff(times[0])[first[1:]] > 0).all(), "not queued in program order"
    assert (np.diff(times[0])[~first[1:]] == 0).all(), "rows not queued together"
    units = units_of(program)
    for unit in range(4):
        assert (np.diff(times[1:, units == unit]) > 0).all(), "out of order in a unit"
    assert result.cycles - 16 < times.max() < result.cycles


def test_a_token_is_taken_two_cycles_after_it_is_sent(run):
    program, _, times = run
    sent = {}
    checked = 0
    iterations = unroll(program)
    for position, iteration in enumerate(iterations):
        for unit in range(4):
            if iteration.fields["signal"] >> unit & 1:
                sent.setdefault((iteration.instruction.unit, unit), []).append(times[2, position])
    for position, iteration in enumerate(iterations):
        for unit in range(4):
            if iteration.fields["wait"] >> unit & 1:
                assert times[1, position] >= sent[unit, iteration.instruction.unit].pop(0) + 2
                checked += 1
    assert checked > 10


def test_rejects_events_of_another_program(run):
    program, *_ = run
    events = np.zeros(3, EVENTS)
    with pytest.raises(WeftError, match="0 instructions of LOAD were queued in a program with"):
        instruction_times(program, events, 0)


def test_spans_of_a_unit_do_not_overlap(run):
    program, _, times = run
    found = spans(program, times)
    assert [(span.index, span.iteration) for span in found] == [
        (iteration.index, iteration.number) for iteration in unroll(program)]
    assert [span.position for span in found] == list(range(len(found)))
    names = layer_names(program)
    assert {span.layer for span in found} == set(names)
    for unit in range(4):
        of_unit = [span for span in found if span.unit == unit]
        assert all(a.done <= b.start for a, b in zip(of_unit, of_unit[1:]))
        assert all(span.queued < span.issued <= span.start <= span.done for span in of_unit)


def test_cycles_of_layers_add_up_to_the_run(run):
    program, _, times = run
    layers = layer_cycles(program, times)
    assert set(layers) == set(layer_names(program))
    edges = [edge for pair in layers.values() for edge in pair]
    assert edges[0] == 0 and edges[-1] == times.max()
    assert edges[1:-1:2] == edges[2::2]


def test_arrows_of_tokens_begin_and_end_inside_of_their_slices(run):
    program, _, times = run
    events = chrome_trace(program, times)["traceEvents"]
    slices = {(event["args"]["index"], event["args"]["iteration"]): event for event in events
              if event["ph"] == "X"}
    begins, ends = ({event["id"]: event for event in events if event["ph"] == kind}
                    for kind in "sf")
    iterations = unroll(program)
    waits = sum(iteration.fields["wait"].bit_count() for iteration in iterations)
    assert set(begins) == set(ends) and len(begins) == waits > 50
    assert sum(event["ph"] in "sf" for event in events) == 2 * waits, "ids are not unique"
    found = {number: [next(
        key for key, outer in slices.items() if outer["tid"] == event["tid"]
        and outer["ts"] < event["ts"] < outer["ts"] + outer["dur"])
        for event in (begins[number], ends[number])] for number in begins}
    for number, (sender, receiver) in found.items():
        begin, end = begins[number], ends[number]
        assert begin["ts"] < end["ts"] and end["bp"] == "e" and begin["cat"] == end["cat"]
        assert begin["name"] == end["name"] and begin["tid"] != end["tid"]
        assert slices[sender]["args"]["done"] + 2 <= slices[receiver]["args"]["issued"]
        source, target = begin["name"].split(" to ")
        assert target in slices[sender]["args"]["signal"]
        assert source in slices[receiver]["args"]["wait"]
    assert len({(begins[number]["name"], *ends) for number, ends in found.items()}) == waits


def test_counters_add_up_to_the_run(run):
    program, result, times = run
    events = chrome_trace(program, times)["traceEvents"]
    tracks = {}
    for event in events:
        if event["ph"] == "C":
            (unit, value), = event["args"].items()
            tracks.setdefault(f"{event['name']} {unit}", []).append((event["ts"], value))
    for name, track in tracks.items():
        cycles = [cycle for cycle, _ in track]
        assert cycles == sorted(set(cycles)) and track[-1][1] == 0, name
        assert all(value >= 0 for _, value in track), name

    def area(name):
        track = tracks[name]
        return sum(value * (after - cycle)
                   for (cycle, value), (after, _) in zip(track, track[1:]))

    code = 32 * program.instruction_count
    assert area("bytes read per cycle") == pytest.approx(
        result.counters["BYTES_READ"] - code, rel=0.01)
    assert area("bytes written per cycle") == pytest.approx(
        result.counters["BYTES_WRITTEN"], rel=0.05)
    assert area("multiplications per cycle, of 16") == pytest.approx(
        program.meta["macs"], rel=0.001)
    assert max(value for _, value in tracks["multiplications per cycle, of 16"]) <= 16
    queues = [max(value for _, value in tracks[f"instructions for {unit} queued"])
              for unit in ("LOAD", "MATMUL", "VECTOR", "STORE")]
    assert 1 <= max(queues) <= program.config.queue_depth + 1
    assert "tokens LOAD to MATMUL outstanding" in tracks


def test_trace_has_the_events_of_perfetto(run):
    program, _, times = run
    trace = json.loads(json.dumps(chrome_trace(program, times)))
    events = trace["traceEvents"]
    threads = {event["tid"]: event["args"]["name"] for event in events
               if event["name"] == "thread_name"}
    assert threads == {1: "LOAD", 2: "MATMUL", 3: "VECTOR", 4: "STORE"}
    assert [event["args"]["name"] for event in events if event["name"] == "process_name"] \
        == ["weft tiny"]
    complete = [event for event in events if event["ph"] == "X"]
    assert len(complete) == len(unroll(program))
    assert {event["args"]["index"] for event in complete} == set(range(program.instruction_count))
    for event in complete:
        assert {"pid", "tid", "ts", "dur", "name", "cat", "args"} <= set(event)
        assert event["dur"] >= 0 and event["args"]["layer"] in layer_names(program).values()
    matmul = next(event for event in complete if event["name"] == "MATMUL")
    assert matmul["tid"] == 2 and matmul["args"]["x_count"] > 0
    assert matmul["args"]["wait"] == ["LOAD"]


def test_command_writes_the_trace(tmp_path, capsys):
    path = tmp_path / "trace.json"
    with pytest.raises(SystemExit) as stop:
        main(["trace", str(DIGITS / "digits.tflite"), "-o", str(path), "--preset", "tiny",
              "--json"])
    assert stop.value.code == 0
    facts = json.loads(capsys.readouterr().out)
    trace = json.loads(path.read_text())
    complete = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    assert facts["instructions"] == len({event["args"]["index"] for event in complete})
    assert facts["rows"] == len(complete)
    assert facts["layers"][0]["layer"] == "0 CONV_2D"
    assert 0 <= facts["cycles"] - sum(layer["cycles"] for layer in facts["layers"]) < 16
