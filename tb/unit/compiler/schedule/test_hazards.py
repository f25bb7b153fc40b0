"""Hazards between instructions, against a model that keeps a set of elements for each region."""

import numpy as np
import pytest

from support.seeds import seed
from weft.spec.region import Region
from weft_host.compiler.schedule.hazards import HazardDetector, view

SIZES = {"spad": 64, "acc": 24}


def elements(region):
    starts = [region.start]
    for count, pitch in region.loops:
        starts = [start + index * pitch for start in starts for index in range(count)]
    return {start + index for start in starts for index in range(region.size)}


def random_region(rng):
    space = rng.choice(list(SIZES))
    while True:
        loops = tuple((int(rng.integers(1, 4)), int(rng.integers(0, 12)))
                      for _ in range(rng.integers(0, 3)))
        start = int(rng.integers(0, 40))
        region = Region(str(space), bool(rng.integers(2)), start, int(rng.integers(1, 8)), loops,
                        addr=start)
        if region.end <= SIZES[space]:
            return region


def expected_dependencies(history, unit, regions):
    dependencies = {}
    for index, (other, others) in enumerate(history):
        if other != unit and any(
                a.space == b.space and (a.write or b.write) and elements(a) & elements(b)
                for a in regions for b in others):
            dependencies[other] = index
    return dependencies


@pytest.mark.parametrize("number", range(40))
def test_finds_the_latest_conflict_with_each_unit(number):
    rng = np.random.default_rng(seed(number))
    hazards, history = HazardDetector(SIZES), []
    for index in range(30):
        unit = int(rng.integers(4))
        regions = [random_region(rng) for _ in range(rng.integers(0, 3))]
        expected = expected_dependencies(history, unit, regions)
        assert hazards.add(index, unit, regions) == expected, \
            f"seed {seed(number)}, instruction {index}"
        history.append((unit, regions))


def test_a_view_covers_exactly_the_elements_of_its_region():
    rng = np.random.default_rng(seed(7))
    for _ in range(200):
        region = random_region(rng)
        array = np.zeros(SIZES[region.space], np.int32)
        view(region, array)[...] = 1
        assert set(np.flatnonzero(array).tolist()) == elements(region)
        assert max(elements(region)) == region.end - 1


def test_neither_two_reads_nor_two_instructions_of_a_unit_conflict():
    hazards = HazardDetector(SIZES)
    read = Region("spad", False, 0, 4, (), addr=0)
    write = Region("spad", True, 2, 4, (), addr=2)
    assert hazards.add(0, 0, [read]) == {}
    assert hazards.add(1, 1, [read]) == {}
    assert hazards.add(2, 0, [write]) == {1: 1}
    assert hazards.add(3, 0, [read]) == {}
    assert hazards.add(4, 1, [read]) == {0: 2}
