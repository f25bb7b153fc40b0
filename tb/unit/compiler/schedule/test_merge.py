"""Merging of instructions: every unit executes the same iterations, and nothing deadlocks."""

import collections

import numpy as np
import pytest

from support.seeds import seed
from weft.spec import isa
from weft.spec.iterations import iterations
from weft.spec.presets import preset
from weft_host.compiler.schedule import merge as merging
from weft_host.compiler.schedule.merge import ScheduledInstruction, merge
from weft_host.compiler.schedule.scheduler import add_tokens
from weft_host.compiler.steps.instruction_stream import UnscheduledInstruction

CONFIG = preset("tiny")
NAMES = ("LOAD_WGT", "MATMUL", "DRAIN", "STORE")


def iteration(name, number, **changes):
    """Return iteration ``number`` of a long sequence of instructions that can be merged."""
    fields = {
        "LOAD_WGT": dict(count=1, host_addr=64 * number, host_pitch=0, local_addr=64 * number % 256,
                         local_pitch=0, bytes=64),
        "STORE": dict(count=1, host_addr=64 * number, host_pitch=0, local_addr=32 * number % 512,
                      local_pitch=0, bytes=32),
        "MATMUL": dict(maximum=0, accumulate=0, hold=0, act_addr=0, acc_addr=2 * number % 32,
                       wgt_addr=4 * number % 16, row_count=1, row_pitch=0, chunk_count=4,
                       chunk_pitch=4, y_count=1, y_pitch=0, x_count=2, x_pitch=16),
        "DRAIN": dict(mode=0, out_addr=8 * number % 512, acc_addr=2 * number % 32, acc_pitch=0,
                      y_count=1, y_pitch=0, x_count=2, x_pitch=4, channels=4, zero_point=0,
                      clamp_min=-128, clamp_max=127, channel=4 * number % 32),
    }[name]
    return UnscheduledInstruction(name, dict(fields, **changes), [], 0)


def pipeline(count, rng=None, layers=1):
    """Return loads, products, drains and stores of ``count`` tiles, with their dependencies.

    Each depends on the previous one of its tile, and on the last use of the memory it writes. With
    ``rng``, some loads do not wait.
    """
    instructions, dependencies = [], []
    indices: list[list[int]] = [[], [], [], []]
    for number in range(count):
        for unit, name in enumerate(NAMES):
            wait = {}
            if unit:
                wait[unit - 1] = indices[unit - 1][number]
            if unit < 3 and number >= 4:
                wait[unit + 1] = indices[unit + 1][number - 4]
            if rng is not None and unit == 0 and rng.random() < 0.1:
                wait = {}
            entry = iteration(name, number)
            entry.layer = number * layers // count
            indices[unit].append(len(instructions))
            instructions.append(entry)
            dependencies.append(wait)
    return instructions, dependencies


def expanded(program):
    """Return ``(name, fields, wait, signal)`` of each iteration, by unit."""
    units = collections.defaultdict(list)
    for instruction in program:
        name = instruction.name
        fields = isa.decode(isa.encode(name, **instruction.fields))[1]
        for values in iterations(CONFIG, name, fields):
            kept = {key: value for key, value in values.items()
                    if key not in ("each", "apart", "wait", "signal")
                    and not key.endswith("pitch")}
            units[instruction.unit].append((name, kept, instruction.wait, instruction.signal))
    return units


def largest_token_count(program, depth, rng):
    """Execute a program, with the sequencer and the units making progress in random order.

    Return the largest token count, or ``None`` if the program deadlocks.
    """
    queues: list[collections.deque] = [collections.deque() for _ in range(4)]
    tokens, largest, fetched, left = collections.Counter(), 0, 0, len(program)
    while left:
        moves = [unit for unit in range(4) if queues[unit] and all(
            tokens[source, unit] for source in range(4) if queues[unit][0][0].wait >> source & 1)]
        if fetched < len(program) and len(queues[program[fetched].unit]) <= depth:
            moves.append(4)
        if not moves:
            return None
        unit = moves[rng.integers(len(moves))]
        if unit == 4:
            instruction = program[fetched]
            queues[instruction.unit].append([instruction, len(instruction.members)])
            fetched += 1
            continue
        instruction = queues[unit][0][0]
        for other in range(4):
            tokens[other, unit] -= instruction.wait >> other & 1
            tokens[unit, other] += instruction.signal >> other & 1
        largest = max(largest, *tokens.values())
        queues[unit][0][1] -= 1
        if not queues[unit][0][1]:
            queues[unit].popleft()
            left -= 1
    return largest


@pytest.mark.parametrize("number", range(8))
def test_units_execute_the_same_iterations_without_deadlock(number):
    rng = np.random.default_rng(seed(number))
    instructions, dependencies = pipeline(int(rng.integers(8, 80)), rng,
                                          layers=int(rng.integers(1, 4)))
    order = list(range(len(instructions)))
    tokens = add_tokens(order, instructions, dependencies, 2)
    merged = merge(order, tokens, instructions, CONFIG)
    assert sorted(index for entry in merged for index in entry.members) == order
    single = [ScheduledInstruction([index], instructions[index].name, instructions[index].fields,
                                   wait, signal)
              for index, (wait, signal) in zip(order, tokens)]
    assert expanded(merged) == expanded(single)
    assert len(merged) < len(instructions)
    for run in range(10):
        largest = largest_token_count(merged, 2, np.random.default_rng([seed(number), run]))
        assert largest is not None and largest <= 255, (seed(number), run)


def test_a_pipeline_without_instructions_to_merge_stays_as_it_is():
    instructions, dependencies = pipeline(1)
    order = list(range(4))
    merged = merge(order, add_tokens(order, instructions, dependencies, 2), instructions, CONFIG)
    assert [entry.members for entry in merged] == [[0], [1], [2], [3]]


def test_a_long_sequence_becomes_few_instructions():
    instructions, dependencies = pipeline(32)
    order = list(range(len(instructions)))
    merged = merge(order, add_tokens(order, instructions, dependencies, 2), instructions, CONFIG)
    # addresses wrap, and the first and last iterations have fewer tokens
    assert len(merged) < len(instructions) // 2


def test_instructions_of_different_layers_or_tokens_are_not_merged():
    drains = [iteration("DRAIN", number) for number in range(4)]
    assert len(merge(range(4), [(0, 0)] * 4, drains, CONFIG)) == 1
    assert len(merge(range(4), [(2, 0)] * 2 + [(2, 8)] * 2, drains, CONFIG)) == 2
    drains[2].layer = drains[3].layer = 1
    assert len(merge(range(4), [(0, 0)] * 4, drains, CONFIG)) == 2


@pytest.mark.parametrize("name, change", [
    ("MATMUL", {"x_pitch": 8}), ("MATMUL", {"wgt_addr": 5}), ("MATMUL", {"acc_addr": 3}),
    ("MATMUL", {"accumulate": 1}), ("DRAIN", {"channel": 12}), ("DRAIN", {"clamp_max": 5}),
    ("DRAIN", {"y_count": 2}), ("LOAD_WGT", {"bytes": 60}), ("LOAD_WGT", {"count": 2}),
    ("STORE", {"host_addr": 0, "local_addr": 0}),
])
def test_fields_that_no_loop_can_produce_prevent_merging(name, change):
    pair = [iteration(name, 1), iteration(name, 2)]
    assert len(merge(range(2), [(0, 0)] * 2, pair, CONFIG)) == 1
    pair[1].fields.update(change)
    assert len(merge(range(2), [(0, 0)] * 2, pair, CONFIG)) == 2


def test_products_that_are_added_up_are_merged():
    """The MATMULs of channel slices: the first overwrites the sums, the others add to them."""
    products = [iteration("MATMUL", 0, act_addr=16 * number, wgt_addr=4 * number,
                          accumulate=int(number > 0)) for number in range(3)]
    merged, = merge(range(3), [(1, 1)] * 3, products, CONFIG)
    assert (merged.fields["row_count"], merged.fields["row_pitch"], merged.fields["apart"]) == (
        3, 16, 0)
    repeated = [products[0], products[0], products[1]]
    assert len(merge(range(3), [(1, 1)] * 3, repeated, CONFIG)) > 1


def test_token_counts_never_exceed_the_counters(monkeypatch):
    """MATMUL runs as far ahead of DRAIN as the queues permit, so that loops must be short."""
    instructions = [iteration(name, number, **changes) for number in range(1000)
                    for name, changes in (
                        ("MATMUL", {"acc_addr": 2 * number, "wgt_addr": 4 * number}),
                        ("DRAIN", {"acc_addr": 2 * number, "out_addr": 8 * number,
                                   "channel": 0}))]
    tokens = [(0, 4), (2, 0)] * 1000
    merged = merge(range(2000), tokens, instructions, CONFIG)
    assert merging._open_tokens(merged, 8) <= 255
    assert largest_token_count(merged, 8, np.random.default_rng(seed(0))) <= 255
    assert max(len(entry.members) for entry in merged) > 1
    monkeypatch.setattr(merging, "MAX_TOKENS", 1 << 30)
    merged = merge(range(2000), tokens, instructions, CONFIG)
    assert max(len(entry.members) for entry in merged) == merging.MAX_ITERATIONS
    assert merging._open_tokens(merged, 8) > 255
