"""Neighbours that become one instruction: every unit has the same rows, nobody waits for ever."""

import collections

import numpy as np
import pytest

from weft.spec import isa
from weft.spec.iterations import iterations
from weft.spec.presets import preset
from weft_host.compiler.schedule import merge as merging
from weft_host.compiler.schedule.merge import merge
from weft_host.compiler.schedule.scheduler import add_tokens
from weft_host.compiler.steps.instruction_stream import Draft

CONFIG = preset("tiny")
NAMES = ("LOAD_WGT", "MATMUL", "DRAIN", "STORE")


def draft(name, number, **changes):
    """One row of a long run of neighbours, number ``number`` of it."""
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
    return Draft(name, dict(fields, **changes), [], 0)


def pipeline(count, rng=None, layers=1):
    """Loads, products, drains and stores of ``count`` tiles, each waiting for the one before."""
    drafts, needs = [], []
    ends: list[list[int]] = [[], [], [], []]
    for number in range(count):
        for unit, name in enumerate(NAMES):
            wait = {}
            if unit:
                wait[unit - 1] = ends[unit - 1][number]
            if unit < 3 and number >= 4:        # what lay there before has been used
                wait[unit + 1] = ends[unit + 1][number - 4]
            if rng is not None and rng.random() < 0.1:
                wait.popitem() if wait and unit == 0 else None
            entry = draft(name, number)
            entry.layer = number * layers // count
            ends[unit].append(len(drafts))
            drafts.append(entry)
            needs.append(wait)
    return drafts, needs


def unrolled(found):
    """``(name, fields, wait, signal)`` of each row, unit by unit."""
    units = collections.defaultdict(list)
    for group in found:
        name = group.name
        whole = isa.decode(isa.encode(name, **group.fields))[1]
        for row in iterations(CONFIG, name, whole):
            kept = {key: value for key, value in row.items()
                    if key not in ("each", "apart", "wait", "signal")
                    and not key.endswith("pitch")}
            units[group.unit].append((name, kept, group.wait, group.signal))
    return units


def finishes(found, depth, rng):
    """Units taking turns at random come to the end; the most tokens that were open at once."""
    queues: list[collections.deque] = [collections.deque() for _ in range(4)]
    tokens, most, fetched, left = collections.Counter(), 0, 0, len(found)
    while left:
        moves = [unit for unit in range(4) if queues[unit] and all(
            tokens[source, unit] for source in range(4) if queues[unit][0][0].wait >> source & 1)]
        if fetched < len(found) and len(queues[found[fetched].unit]) <= depth:
            moves.append(4)
        if not moves:
            return None
        unit = moves[rng.integers(len(moves))]
        if unit == 4:
            queues[found[fetched].unit].append([found[fetched], len(found[fetched].drafts)])
            fetched += 1
            continue
        group = queues[unit][0][0]
        for other in range(4):
            tokens[other, unit] -= group.wait >> other & 1
            tokens[unit, other] += group.signal >> other & 1
        most = max(most, *tokens.values())
        queues[unit][0][1] -= 1
        if not queues[unit][0][1]:
            queues[unit].popleft()
            left -= 1
    return most


@pytest.mark.parametrize("seed", range(8))
def test_units_do_the_same_and_come_to_an_end(seed):
    rng = np.random.default_rng(seed)
    drafts, needs = pipeline(int(rng.integers(1, 80)), rng, layers=int(rng.integers(1, 4)))
    order = list(range(len(drafts)))
    tokens = add_tokens(order, drafts, needs, 2)
    found = merge(order, tokens, drafts, CONFIG)
    assert sorted(index for group in found for index in group.drafts) == order
    single = [merging.Merged([index], drafts[index].name, drafts[index].fields, wait, signal)
              for index, (wait, signal) in zip(order, tokens)]
    assert unrolled(found) == unrolled(single)
    assert len(found) < len(drafts) or len(drafts) < 8
    for turn in range(10):
        most = finishes(found, 2, np.random.default_rng([seed, turn]))
        assert most is not None and most <= 255, turn


def test_a_long_run_is_a_few_instructions():
    drafts, needs = pipeline(32)
    order = list(range(len(drafts)))
    found = merge(order, add_tokens(order, drafts, needs, 2), drafts, CONFIG)
    # addresses go around, and the first and last rows have fewer tokens
    assert len(found) < len(drafts) // 2


def test_rows_of_different_layers_or_tokens_stay_apart():
    drafts = [draft("DRAIN", number) for number in range(4)]
    assert len(merge(range(4), [(0, 0)] * 4, drafts, CONFIG)) == 1
    assert len(merge(range(4), [(2, 0)] * 2 + [(2, 8)] * 2, drafts, CONFIG)) == 2
    drafts[2].layer = drafts[3].layer = 1
    assert len(merge(range(4), [(0, 0)] * 4, drafts, CONFIG)) == 2


@pytest.mark.parametrize("name, change", [
    ("MATMUL", {"x_pitch": 8}), ("MATMUL", {"wgt_addr": 5}), ("MATMUL", {"acc_addr": 3}),
    ("MATMUL", {"accumulate": 1}), ("DRAIN", {"channel": 12}), ("DRAIN", {"clamp_max": 5}),
    ("DRAIN", {"y_count": 2}), ("LOAD_WGT", {"bytes": 60}), ("LOAD_WGT", {"count": 2}),
    ("STORE", {"host_addr": 0, "local_addr": 0}),
])
def test_what_no_law_of_rows_makes_stays_apart(name, change):
    pair = [draft(name, 1), draft(name, 2)]
    assert len(merge(range(2), [(0, 0)] * 2, pair, CONFIG)) == 1
    pair[1].fields.update(change)
    assert len(merge(range(2), [(0, 0)] * 2, pair, CONFIG)) == 2


def test_rows_that_add_up_are_one_instruction():
    """Slices of a kernel: the first overwrites, the others add to it."""
    drafts = [draft("MATMUL", 0, act_addr=16 * number, wgt_addr=4 * number,
                    accumulate=int(number > 0)) for number in range(3)]
    group, = merge(range(3), [(1, 1)] * 3, drafts, CONFIG)
    assert (group.fields["row_count"], group.fields["row_pitch"], group.fields["apart"]) == (
        3, 16, 0)
    assert len(merge(range(3), [(1, 1)] * 3, [drafts[0], drafts[0], drafts[1]], CONFIG)) > 1


def test_tokens_stay_below_what_counters_hold(monkeypatch):
    """MATMUL runs as far ahead of DRAIN as the queues allow: groups must be short."""
    drafts = [draft(name, number, **changes) for number in range(1000) for name, changes in (
        ("MATMUL", {"acc_addr": 2 * number, "wgt_addr": 4 * number}),
        ("DRAIN", {"acc_addr": 2 * number, "out_addr": 8 * number, "channel": 0}))]
    tokens = [(0, 4), (2, 0)] * 1000
    found = merge(range(2000), tokens, drafts, CONFIG)
    assert merging._open_tokens(found, 8) <= 255
    assert finishes(found, 8, np.random.default_rng(0)) <= 255
    assert max(len(group.drafts) for group in found) > 1
    monkeypatch.setattr(merging, "MOST_TOKENS", 1 << 30)
    found = merge(range(2000), tokens, drafts, CONFIG)
    assert max(len(group.drafts) for group in found) == merging.MAX_ITERATIONS
    assert merging._open_tokens(found, 8) > 255
