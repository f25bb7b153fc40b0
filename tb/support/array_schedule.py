"""Schedules of the systolic array: inputs of each cycle and the expected outputs."""

import dataclasses

import numpy as np

__all__ = ["Cycle", "Pass", "corner_tiles", "filter_pass", "mixed_tiles", "random_tiles",
           "schedule"]


@dataclasses.dataclass
class Cycle:
    """Inputs of the array in one cycle, and the sums of the vector that enters in this cycle.

    The sums, ``expected``, are ``None`` if no vector enters, or if they are undefined. ``wgt`` and
    ``load`` describe the line at the top of the array, ``lower`` the line of the lower half of the
    rows, if two lines enter per cycle.
    """

    act: list
    valid: int
    swap: int
    depthwise: int
    wgt: list
    load: int
    expected: list | None
    tile: int | None        # index of the tile that the vector is multiplied with
    lower: list


@dataclasses.dataclass
class Pass:
    """Tile and its vectors. With ``lead``, the pass is depthwise, and the sums of its first
    ``lead`` vectors are undefined."""

    weights: np.ndarray
    vectors: np.ndarray
    lead: int | None = None

    def expected(self, index):
        """Return the sums of vector ``index``, or ``None`` if they are undefined."""
        if self.lead is None:
            return (self.vectors[index] @ self.weights).tolist()
        if index < self.lead:
            return None
        rows, cols = self.weights.shape
        lanes = min(rows, cols)
        sums = np.zeros(cols, int)
        for age in range(self.lead + 1):
            sums[:lanes] += self.vectors[index - age, :lanes] * self.weights[age, :lanes]
        return sums.tolist()


def filter_pass(rng, *, rows, cols, lead, count):
    """Return a depthwise pass of ``lead`` + 1 random taps with ``count`` defined sums."""
    weights = rng.integers(-128, 128, (rows, cols))
    weights[lead + 1:] = 0
    return Pass(weights, rng.integers(-128, 128, (lead + count, rows)), lead)


def random_tiles(rng, *, rows, cols, counts):
    """Return, for each count, a random tile with that many random vectors, full range."""
    return [Pass(rng.integers(-128, 128, (rows, cols)), rng.integers(-128, 128, (count, rows)))
            for count in counts]


def mixed_tiles(rng, *, rows, cols, counts):
    """Return tiles like :func:`random_tiles`, about half of them depthwise with random leads."""
    return [filter_pass(rng, rows=rows, cols=cols, lead=int(rng.integers(rows)), count=count)
            if rng.integers(2) else random_tiles(rng, rows=rows, cols=cols, counts=[count])[0]
            for count in counts]


def corner_tiles(*, rows, cols):
    """Return tiles and vectors of extreme values: the largest sums of either sign, and zeros."""
    values = (-128, 127, 0, -1)
    # a filter needs as many equal vectors as it has taps
    return [Pass(np.full((rows, cols), wgt),
                 np.array([[act] * rows for act in values for _ in range((lead or 0) + 1)]), lead)
            for wgt in values for lead in (None, rows - 1)]


def schedule(tiles, rng, *, bubbles=0.0, gaps=0.0, tile_lines=1):
    """Return the earliest legal schedule for ``tiles``, a list of :class:`Pass`.

    ``bubbles`` and ``gaps`` are the probabilities that a cycle that could have a vector, or a
    line, has none. Inputs that are not valid are random, so that no result can depend on them.
    With two lines per cycle, the lines of the lower half of the rows follow those of the upper
    half after ``rows / 2`` cycles.
    """
    rows, cols = tiles[0].weights.shape
    count = rows // tile_lines
    cycles = []
    lower_lines = {}            # by the cycle in which they enter
    load_tile = load_line = feed_tile = feed_index = 0
    loaded = 0                  # tiles whose last line entered in an earlier cycle
    while feed_tile < len(tiles) or len(cycles) <= max(lower_lines, default=0):
        cycle = Cycle(act=rng.integers(-128, 128, rows).tolist(), valid=0,
                      swap=int(rng.integers(2)), depthwise=int(rng.integers(2)),
                      wgt=rng.integers(-128, 128, cols).tolist(), load=0, expected=None, tile=None,
                      lower=lower_lines.get(len(cycles), rng.integers(-128, 128, cols).tolist()))
        loaded_before = loaded
        swaps = feed_tile + (feed_index > 0)
        if loaded_before > feed_tile and rng.random() >= bubbles:
            current = tiles[feed_tile]
            cycle.act, cycle.valid = current.vectors[feed_index].tolist(), 1
            cycle.swap, cycle.depthwise = int(feed_index == 0), int(current.lead is not None)
            cycle.expected, cycle.tile = current.expected(feed_index), feed_tile
            swaps += feed_index == 0
            feed_index += 1
            if feed_index == len(current.vectors):
                feed_tile, feed_index = feed_tile + 1, 0
        # a tile may start to load in the cycle of the swap to the previous tile
        if load_tile < len(tiles) and load_tile <= swaps and rng.random() >= gaps:
            weights = tiles[load_tile].weights
            cycle.wgt = weights[count - 1 - load_line].tolist()
            cycle.load = 1
            if tile_lines > 1:
                lower_lines[len(cycles) + count] = weights[rows - 1 - load_line].tolist()
            load_line += 1
            if load_line == count:
                load_tile, load_line, loaded = load_tile + 1, 0, loaded + 1
        cycles.append(cycle)
    return cycles
