"""Recordings of the small array, compared with products in numpy."""

import numpy as np
import pytest

import array_flow
from support.seeds import seed
from weft.spec.presets import preset

ROWS = COLS = 4


def recording(tiles, passes):
    return array_flow.record(preset("tiny"), tiles.tolist(), [part.tolist() for part in passes])


@pytest.fixture(scope="module", params=[(4, 4), (5, 7, 4)], ids=str)
def case(request):
    """Return tiles, passes of the lengths in the parameter, and their recording."""
    rng = np.random.default_rng([seed(), *request.param])
    tiles = rng.integers(-128, 128, (len(request.param), ROWS, COLS))
    passes = [rng.integers(-128, 128, (length, ROWS)) for length in request.param]
    tiles[0, 0, 0], passes[0][0, 0] = -128, -128
    return tiles, passes, recording(tiles, passes)


def vectors_with_tiles(tiles, passes):
    return [(vector, tile) for tile, vectors in zip(tiles, passes) for vector in vectors]


def test_outputs_are_the_products(case):
    tiles, passes, frames = case
    outputs = [[item.value for item in frame.outputs] for frame in frames if frame.outputs]
    expected = np.vstack([vectors @ tile for tile, vectors in zip(tiles, passes)])
    assert outputs == expected.tolist()
    owners = [{item.owner for item in frame.outputs} for frame in frames if frame.outputs]
    assert owners == [{number} for number in range(len(expected))]


def test_every_partial_sum_is_that_of_the_rows_above(case):
    tiles, passes, frames = case
    vectors = vectors_with_tiles(tiles, passes)
    seen = set()
    for frame in frames:
        for row, line in enumerate(frame.sums):
            for col, item in enumerate(line):
                if item:
                    vector, tile = vectors[item.owner]
                    assert item.value == vector[:row + 1] @ tile[:row + 1, col]
                    seen.add((item.owner, row, col))
    assert len(seen) == len(vectors) * ROWS * COLS


def test_operands_are_the_vectors_and_move_right(case):
    tiles, passes, frames = case
    vectors = vectors_with_tiles(tiles, passes)
    seen = set()
    for before, frame in zip(frames, frames[1:]):
        for row, line in enumerate(frame.operands):
            assert line[1:] == before.operands[row][:-1]
            assert line[0] == before.entering[row]
            seen.update((item.owner, row) for item in line if item)
            assert all(item.value == vectors[item.owner][0][row] for item in line if item)
    assert len(seen) == len(vectors) * ROWS


def test_weights_in_use_are_those_of_their_tile(case):
    tiles, passes, frames = case
    for frame in frames:
        for row in range(ROWS):
            for col in range(COLS):
                item = frame.weights[row][col]
                assert item is None or item.value == tiles[item.owner][row][col]
    assert all(item.owner == len(tiles) - 1 for line in frames[-1].weights for item in line)


def test_the_next_tile_shifts_in_while_the_tile_before_is_in_use(case):
    tiles, passes, frames = case
    both = 0
    for before, frame in zip(frames, frames[1:]):
        for row in range(ROWS):
            for col in range(COLS):
                weight, shadow = frame.weights[row][col], frame.shadows[row][col]
                both += bool(weight and shadow and shadow.owner == weight.owner + 1)
                if row and shadow != before.shadows[row][col]:
                    # from the register above, in the cycle before
                    assert shadow.value == before.shadows[row - 1][col].value
                    assert shadow.value in tiles[shadow.owner][:, col]
    assert both > 2 * ROWS * COLS * (len(tiles) - 1)
    assert [[item.value for item in line] for line in frames[-1].shadows] == tiles[-1].tolist()
