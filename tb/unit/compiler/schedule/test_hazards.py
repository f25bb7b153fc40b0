"""Conflicts between instructions, against a set of bytes for each access."""

import numpy as np
import pytest

from weft_host.compiler.schedule.hazards import Access, Hazards

SIZES = {"spad": 64, "acc": 24}


def elements(access):
    places = [access.start]
    for count, pitch in access.loops:
        places = [place + index * pitch for place in places for index in range(count)]
    return {place + index for place in places for index in range(access.size)}


def random_access(rng):
    space = rng.choice(list(SIZES))
    while True:
        loops = tuple((int(rng.integers(1, 4)), int(rng.integers(0, 12)))
                      for _ in range(rng.integers(0, 3)))
        access = Access(str(space), bool(rng.integers(2)), int(rng.integers(0, 40)),
                        int(rng.integers(1, 8)), loops)
        if access.end <= SIZES[space]:
            return access


def expected_needs(history, unit, accesses):
    needs = {}
    for index, (other, others) in enumerate(history):
        if other != unit and any(
                a.space == b.space and (a.write or b.write) and elements(a) & elements(b)
                for a in accesses for b in others):
            needs[other] = index
    return needs


@pytest.mark.parametrize("seed", range(40))
def test_finds_the_latest_conflict_with_each_unit(seed):
    rng = np.random.default_rng(seed)
    hazards, history = Hazards(SIZES), []
    for index in range(30):
        unit = int(rng.integers(4))
        accesses = [random_access(rng) for _ in range(rng.integers(0, 3))]
        assert hazards.add(index, unit, accesses) == expected_needs(history, unit, accesses), \
            f"seed {seed}, instruction {index}"
        history.append((unit, accesses))


def test_views_touch_exactly_their_elements():
    rng = np.random.default_rng(7)
    for _ in range(200):
        access = random_access(rng)
        array = np.zeros(SIZES[access.space], np.int32)
        access.view(array)[...] = 1
        assert set(np.flatnonzero(array).tolist()) == elements(access)
        assert max(elements(access)) == access.end - 1


def test_reads_do_not_wait_for_reads_and_a_unit_not_for_itself():
    hazards = Hazards(SIZES)
    read, write = Access("spad", False, 0, 4), Access("spad", True, 2, 4)
    assert hazards.add(0, 0, [read]) == {}
    assert hazards.add(1, 1, [read]) == {}
    assert hazards.add(2, 0, [write]) == {1: 1}
    assert hazards.add(3, 0, [read]) == {}
    assert hazards.add(4, 1, [read]) == {0: 2}
