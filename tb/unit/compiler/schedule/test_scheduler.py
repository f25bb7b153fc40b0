"""Order and tokens: every execution that the tokens permit respects all dependencies."""

import numpy as np
import pytest

from support.seeds import seed
from weft.spec import isa
from weft.spec.presets import preset
from weft_host.compiler import compile_gemm
from weft_host.compiler.schedule.scheduler import _limit_open_edges, add_tokens, schedule
from weft_host.compiler.steps.instruction_stream import UnscheduledInstruction
from weft_host.program import disasm
from weft_host.program.expand import unroll

NAMES = ("LOAD", "MATMUL", "DRAIN", "STORE")


def instruction(name, cycles=1):
    return UnscheduledInstruction(name, {}, [], 0, cycles=cycles)


def random_program(rng, count):
    """Return instructions, and dependencies of each on earlier ones of other units."""
    instructions, dependencies = [], []
    for index in range(count):
        entry = instruction(NAMES[rng.integers(4)], cycles=int(rng.integers(1, 50)))
        earlier = {}
        for source in rng.integers(0, max(1, index), rng.integers(0, 4)):
            if index and instructions[source].unit != entry.unit:
                other = instructions[source].unit
                earlier[other] = max(int(source), earlier.get(other, -1))
        instructions.append(entry)
        dependencies.append(earlier)
    return instructions, dependencies


def execute(order, instructions, tokens, depth, rng):
    """Execute a program, with the sequencer and the units making progress in random order.

    Return the instructions in the order of their completion, and the largest token count.
    """
    queues = [[] for _ in range(4)]
    counters, fetched, done, largest = {}, 0, [], 0
    while len(done) < len(order):
        moves = [unit for unit in range(4) if queues[unit] and all(
            counters.get((source, unit), 0) for source in range(4)
            if tokens[queues[unit][0]][0] >> source & 1)]
        if fetched < len(order) and len(queues[instructions[order[fetched]].unit]) < depth:
            moves.append(4)
        assert moves, "the program deadlocks"
        move = int(rng.choice(moves))
        if move == 4:
            queues[instructions[order[fetched]].unit].append(fetched)
            fetched += 1
            continue
        position = queues[move].pop(0)
        for unit in range(4):
            if tokens[position][0] >> unit & 1:
                counters[unit, move] -= 1
            if tokens[position][1] >> unit & 1:
                counters[move, unit] = counters.get((move, unit), 0) + 1
        largest = max([largest, *counters.values()])
        done.append(order[position])
    return done, largest


@pytest.mark.parametrize("number", range(60))
def test_tokens_enforce_every_dependency_without_deadlock(number):
    rng = np.random.default_rng(seed(number))
    instructions, dependencies = random_program(rng, 60)
    order = schedule(instructions, dependencies)
    depth = int(rng.choice([2, 4, 8]))
    tokens = add_tokens(order, instructions, dependencies, depth)
    for _ in range(5):
        done, _ = execute(order, instructions, tokens, depth, rng)
        position = {index: time for time, index in enumerate(done)}
        for index, earlier in enumerate(dependencies):
            for source in earlier.values():
                assert position[source] < position[index], \
                    f"seed {seed(number)}: {source} before {index}"


def test_instructions_of_a_unit_keep_their_order():
    rng = np.random.default_rng(seed(5))
    instructions, dependencies = random_program(rng, 200)
    order = schedule(instructions, dependencies)
    assert sorted(order) == list(range(200))
    for unit in range(4):
        own = [index for index in order if instructions[index].unit == unit]
        assert own == sorted(own)


def test_an_instruction_that_can_start_early_is_scheduled_early():
    # the load for the second product does not follow the first product
    instructions = [instruction("LOAD", 10), instruction("MATMUL", 100), instruction("DRAIN", 10),
                    instruction("LOAD", 10)]
    dependencies = [{}, {0: 0}, {1: 1}, {}]
    assert schedule(instructions, dependencies) == [0, 1, 3, 2]


def test_token_counts_never_exceed_the_counters():
    # 600 loads run ahead of the 600 products that depend on them
    count = 600
    instructions = [instruction("LOAD") for _ in range(count)] \
        + [instruction("MATMUL", 9) for _ in range(count)]
    dependencies = [{} for _ in range(count)] + [{0: index} for index in range(count)]
    order = list(range(2 * count))
    tokens = add_tokens(order, instructions, dependencies, 8)
    done, largest = execute(order, instructions, tokens, 8, np.random.default_rng(seed(0)))
    assert 100 < largest <= 255
    position = {index: time for time, index in enumerate(done)}
    assert all(position[index] < position[count + index] for index in range(count))


def test_edges_are_merged_only_if_too_many_are_open():
    edges = [(2 * index, 2 * index + 1) for index in range(1000)]
    assert _limit_open_edges(edges, 3) == edges
    assert _limit_open_edges([(0, 10), (1, 11), (2, 12)], 2) == [(0, 10), (2, 11)]


def test_a_program_takes_every_token_that_it_sends():
    program = compile_gemm(40, 30, 50, preset("tiny"), b=np.ones((30, 50), np.int8))
    balance = {}
    for iteration in unroll(program):
        entry = disasm.as_dict(program.instruction(iteration.index))
        for other in entry["wait"]:
            balance[other, entry["unit"]] = balance.get((other, entry["unit"]), 0) - 1
        for other in entry["signal"]:
            balance[entry["unit"], other] = balance.get((entry["unit"], other), 0) + 1
    assert balance and not any(balance.values())
    assert {source for source, _ in balance} == set(isa.UNITS)
