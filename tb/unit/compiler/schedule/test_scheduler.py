"""Orders and tokens: any progress of the units that tokens allow respects every conflict."""

import numpy as np
import pytest

from weft.spec import isa
from weft.spec.presets import preset
from weft_host.compiler import compile_gemm
from weft_host.compiler.schedule.scheduler import _few_open, add_tokens, schedule
from weft_host.compiler.steps.instruction_stream import Draft
from weft_host.program import disasm
from weft_host.program.expand import unroll

NAMES = ("LOAD", "MATMUL", "DRAIN", "STORE")


def random_program(rng, count):
    """Drafts, and conflicts of each with earlier ones of other units."""
    drafts, needs = [], []
    for index in range(count):
        unit = int(rng.integers(4))
        draft = Draft(NAMES[unit], {}, [], 0, cycles=int(rng.integers(1, 50)))
        earlier = {}
        for source in rng.integers(0, max(1, index), rng.integers(0, 4)):
            if index and drafts[source].unit != unit:
                other = drafts[source].unit
                earlier[other] = max(int(source), earlier.get(other, -1))
        drafts.append(draft)
        needs.append(earlier)
    return drafts, needs


def execute(order, drafts, tokens, depth, rng):
    """Draft indices in the order of being done, units taking turns at random; all of them."""
    queues = [[] for _ in range(4)]
    counters, fetched, done, most = {}, 0, [], 0
    while len(done) < len(order):
        moves = [unit for unit in range(4) if queues[unit] and all(
            counters.get((source, unit), 0) for source in range(4)
            if tokens[queues[unit][0]][0] >> source & 1)]
        if fetched < len(order) and len(queues[drafts[order[fetched]].unit]) < depth:
            moves.append(4)
        assert moves, "the program hangs"
        move = int(rng.choice(moves))
        if move == 4:
            queues[drafts[order[fetched]].unit].append(fetched)
            fetched += 1
            continue
        place = queues[move].pop(0)
        for unit in range(4):
            if tokens[place][0] >> unit & 1:
                counters[unit, move] -= 1
            if tokens[place][1] >> unit & 1:
                counters[move, unit] = counters.get((move, unit), 0) + 1
        most = max([most, *counters.values()])
        done.append(order[place])
    return done, most


@pytest.mark.parametrize("seed", range(60))
def test_tokens_keep_every_conflict_in_order_and_never_hang(seed):
    rng = np.random.default_rng(seed)
    drafts, needs = random_program(rng, 60)
    order = schedule(drafts, needs)
    depth = int(rng.choice([2, 4, 8]))
    tokens = add_tokens(order, drafts, needs, depth)
    for _ in range(5):
        done, _ = execute(order, drafts, tokens, depth, rng)
        place = {index: position for position, index in enumerate(done)}
        for index, earlier in enumerate(needs):
            for source in earlier.values():
                assert place[source] < place[index], f"seed {seed}: {source} before {index}"


def test_instructions_of_a_unit_keep_their_order():
    rng = np.random.default_rng(5)
    drafts, needs = random_program(rng, 200)
    order = schedule(drafts, needs)
    assert sorted(order) == list(range(200))
    for unit in range(4):
        mine = [index for index in order if drafts[index].unit == unit]
        assert mine == sorted(mine)


def test_what_can_start_early_comes_early():
    # a load for the second product does not stand behind the first product
    drafts = [Draft("LOAD", {}, [], 0, cycles=10), Draft("MATMUL", {}, [], 0, cycles=100),
              Draft("DRAIN", {}, [], 0, cycles=10), Draft("LOAD", {}, [], 0, cycles=10)]
    needs = [{}, {0: 0}, {1: 1}, {}]
    assert schedule(drafts, needs) == [0, 1, 3, 2]


def test_never_more_tokens_than_the_counters_hold():
    # 600 loads run ahead of the 600 products that use them
    count = 600
    drafts = [Draft("LOAD", {}, [], 0) for _ in range(count)] \
        + [Draft("MATMUL", {}, [], 0, cycles=9) for _ in range(count)]
    needs = [{} for _ in range(count)] + [{0: index} for index in range(count)]
    order = list(range(2 * count))
    tokens = add_tokens(order, drafts, needs, 8)
    rng = np.random.default_rng(0)
    done, most = execute(order, drafts, tokens, 8, rng)
    assert 100 < most <= 255
    place = {index: position for position, index in enumerate(done)}
    assert all(place[index] < place[count + index] for index in range(count))


def test_few_open_keeps_edges_that_are_not_open_together():
    edges = [(2 * index, 2 * index + 1) for index in range(1000)]
    assert _few_open(edges, 3) == edges
    assert _few_open([(0, 10), (1, 11), (2, 12)], 2) == [(0, 10), (2, 11)]


def test_tokens_of_a_program_balance():
    program = compile_gemm(40, 30, 50, preset("tiny"), b=np.ones((30, 50), np.int8))
    balance = {}
    for row in unroll(program):
        entry = disasm.as_dict(program.instruction(row.index))
        for other in entry["wait"]:
            balance[other, entry["unit"]] = balance.get((other, entry["unit"]), 0) - 1
        for other in entry["signal"]:
            balance[entry["unit"], other] = balance.get((entry["unit"], other), 0) + 1
    assert balance and not any(balance.values())
    assert {a for a, _ in balance} == set(isa.UNITS)
