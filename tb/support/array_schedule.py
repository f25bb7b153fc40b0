"""What to drive into the systolic array in each cycle, and what must come out."""

import dataclasses

import numpy as np

__all__ = ["Cycle", "corner_tiles", "random_tiles", "schedule"]


@dataclasses.dataclass
class Cycle:
    """Inputs of one cycle; ``expected`` are the sums of the vector that enters in it."""

    act: list
    valid: int
    swap: int
    wgt: list
    load: int
    expected: list | None
    tile: int | None        # index of the tile that the vector is multiplied with


def random_tiles(rng, *, rows, cols, counts):
    """For each count a random tile and that many random vectors, full range."""
    return [(rng.integers(-128, 128, (rows, cols)), rng.integers(-128, 128, (count, rows)))
            for count in counts]


def corner_tiles(*, rows, cols):
    """Tiles and vectors of the extreme values: the largest sums of either sign, and zeros."""
    values = (-128, 127, 0, -1)
    return [(np.full((rows, cols), wgt), np.array([[act] * rows for act in values]))
            for wgt in values]


def schedule(tiles, rng, *, bubbles=0.0, gaps=0.0):
    """The earliest legal schedule for ``tiles``, pairs of weights and vectors.

    ``bubbles`` and ``gaps`` are the chances that a cycle brings no vector, or no line, although it
    could. What is not valid is random, so that nothing can depend on it.
    """
    rows, cols = tiles[0][0].shape
    cycles = []
    load_tile = load_line = feed_tile = feed_index = 0
    loaded = 0                  # tiles whose last line came in an earlier cycle
    while feed_tile < len(tiles):
        cycle = Cycle(act=rng.integers(-128, 128, rows).tolist(), valid=0,
                      swap=int(rng.integers(2)), wgt=rng.integers(-128, 128, cols).tolist(),
                      load=0, expected=None, tile=None)
        weights, vectors = tiles[feed_tile]
        loaded_before = loaded
        swaps = feed_tile + (feed_index > 0)
        if loaded_before > feed_tile and rng.random() >= bubbles:
            vector = vectors[feed_index]
            cycle.act, cycle.valid, cycle.swap = vector.tolist(), 1, int(feed_index == 0)
            cycle.expected, cycle.tile = (vector @ weights).tolist(), feed_tile
            swaps += feed_index == 0
            feed_index += 1
            if feed_index == len(vectors):
                feed_tile, feed_index = feed_tile + 1, 0
        # a tile may start to load in the very cycle in which the one before it is swapped in
        if load_tile < len(tiles) and load_tile <= swaps and rng.random() >= gaps:
            cycle.wgt = tiles[load_tile][0][rows - 1 - load_line].tolist()
            cycle.load = 1
            load_line += 1
            if load_line == rows:
                load_tile, load_line, loaded = load_tile + 1, 0, loaded + 1
        cycles.append(cycle)
    return cycles
