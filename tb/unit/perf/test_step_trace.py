"""Prediction and trace of a step of a language model, whose step registers decide what it does."""

import numpy as np
import pytest

from support.fixed_point_simulators import ONE_LINE
from support.language_models import random_file
from weft.spec import isa
from weft_host.compiler.frontend.llm import read_language_model
from weft_host.compiler.language_model.compile import compile_language_model
from weft_host.perf.cycle_model import predict
from weft_host.perf.step_work import Work, step_work
from weft_host.perf.tokens import find_tokens
from weft_host.perf.trace import chrome_trace, layer_cycles, spans
from weft_host.program.expand import unroll

CONTEXT = 20


@pytest.fixture(scope="module")
def step(tmp_path_factory):
    """Return the program of a model, and the contents of the step registers by position."""
    path = random_file(tmp_path_factory.mktemp("model"))
    program, registers = compile_language_model(read_language_model(path), ONE_LINE, CONTEXT)
    return program, lambda position: registers.values(1, position)


def test_a_later_position_takes_longer(step):
    program, values = step
    cycles = [predict(program, steps=values(position)).cycles for position in (0, 8, CONTEXT - 1)]
    assert cycles == sorted(set(cycles))
    # with all registers 0, what depends on the context is skipped
    assert predict(program).cycles < cycles[0]


def test_skipped_instructions_only_pass_tokens(step):
    program, _ = step
    found = predict(program)
    queued, issued, done = found.times
    skipped = np.array([one.instruction.name.startswith("SYNC_") for one in unroll(program)])
    assert skipped.sum() > 5 and not skipped.all()
    assert (done - issued)[skipped].max() < (done - issued)[~skipped].max()
    assert (queued < issued).all() and (issued < done).all()


def test_spans_and_tokens_are_those_of_the_step(step):
    program, values = step
    steps = values(7)
    times = predict(program, steps=steps).times
    timeline = spans(program, times, steps)
    assert [span.index for span in timeline] == list(range(program.instruction_count))
    iterations = unroll(program, steps)
    sent = sum(one.fields["signal"].bit_count() for one in iterations)
    tokens = find_tokens(program, timeline, steps)
    assert len(tokens) == sent > 20 and all(token.receiver for token in tokens)
    edges = [edge for pair in layer_cycles(program, times, steps).values() for edge in pair]
    assert edges[0] == 0 and edges[-1] == times.max()


def test_counters_of_the_trace_count_the_bytes_of_the_step(step):
    program, values = step
    for position in (0, CONTEXT - 1):
        steps = values(position)
        events = chrome_trace(program, predict(program, steps=steps).times, steps)["traceEvents"]
        tracks = {name: [(event["ts"], next(iter(event["args"].values()))) for event in events
                         if event["ph"] == "C" and event["name"] == name]
                  for name in ("bytes read", "bytes written")}
        areas = {name: sum(value * (after - cycle) for (cycle, value), (after, _) in
                           zip(track, track[1:])) for name, track in tracks.items()}
        work = Work.total(step_work(program, steps))
        # whole beats, and the instructions, are not among the bytes of the track
        code = isa.INSTRUCTION_BYTES * program.instruction_count
        assert areas["bytes read"] == pytest.approx(work.read_bytes - code, rel=0.01)
        assert areas["bytes written"] == pytest.approx(work.written_bytes, rel=0.01)
