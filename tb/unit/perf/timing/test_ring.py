"""Timing of the ring: tiles of bursts, and space for bursts."""

import pytest

from weft.spec.presets import preset
from weft_host.perf.timing.events import Clock
from weft_host.perf.timing.ring import (
    EXPANSION,
    FIRST_LINE,
    ISSUE_DISTANCE,
    READ_LATENCY,
    REQUEST,
    Ring,
)

# beats of 8 bytes, bursts of 256 bytes, tiles of 64 bytes, a buffer of 4 KiB
CONFIG = preset("small", fixed_point=True)


@pytest.mark.parametrize("spacing, bursts, beats", [
    (1, [(0, 256)], [7, 15, 23, 31]),
    (2, [(0, 128)], [14, 30]),
    (1, [(0, 40), (0, 24)], [2]),               # a tile in two bursts, which begin in cycle 0
    (1, [(4, 64)], [8]),                        # the first beat has four bytes
    (1, [(7, 1), (0, 63), (0, 64)], [7, 7]),
])
def test_tiles_are_complete_with_their_last_byte(spacing, bursts, beats):
    ring = Ring(Clock(), CONFIG)
    for head, size in bursts:
        ring.fill(0, spacing, head, size)
    assert list(ring.tiles) == [beat + FIRST_LINE for beat in beats]


@pytest.mark.parametrize("tile_lines, read", [(1, 8), (2, 8)])
def test_bursts_are_requested_when_their_bytes_have_space(tile_lines, read):
    clock, requested = Clock(), []
    ring = Ring(clock, preset("small", fixed_point=True, tile_lines=tile_lines))

    def request():
        for _ in range(18):
            yield from ring.wait_for_space()
            ring.reserve(256)
            requested.append(clock.now)

    def release():
        yield 100
        for tile in range(8):
            ring.release(100 + 10 * tile)
        yield 300

    clock.start(request())
    clock.start(release())
    clock.run()
    free = [ISSUE_DISTANCE * number for number in range(16)]
    # a burst needs the bytes of four tiles
    last = [100 + 10 * tile + read - 1 + READ_LATENCY + REQUEST for tile in (3, 7)]
    assert requested == free + last


def test_4_bit_weights_fill_the_ring_and_give_space_back():
    """Beats with headers, and those of the first block, return the space of two beats each."""
    clock, requested = Clock(), []
    # packets and blocks of 19 beats, bursts of 16; a block fills four tiles of four beats each
    config = preset("small", fixed_point=True, weights_4bit=True, tile_lines=2, max_burst=16,
                    wgt_bytes=1024)
    ring = Ring(clock, config)
    cycles, end = ring.expansion(0, 38, 100, 1)
    assert (cycles, end) == (list(range(100, 138)), 138)

    def request():
        for _ in range(6):
            yield from ring.wait_for_space()
            ring.reserve(256)
            requested.append(clock.now)

    def fill():
        yield 100
        ring.fill_4bit(cycles, 0)

    clock.start(request())
    clock.start(fill())
    clock.run()
    # the last of 19 + 3 beats without weights is in cycle 121: their space is enough for a burst
    assert requested == [0, 2, 4, 6, 122 + REQUEST]
    assert list(ring.tiles) == [125 + index + EXPANSION + FIRST_LINE for index in (0, 4, 8, 12)]


def test_with_one_tile_line_a_beat_with_codes_takes_two_cycles():
    ring = Ring(Clock(), preset("small", fixed_point=True, weights_4bit=True))
    # the last beat of the block without weights, the headers, and three of the codes
    assert ring.expansion(18, 7, 50, 1) == ([50, 51, 52, 53, 54, 56, 58], 60)
    assert ring.expansion(18, 7, 50, 3) == ([50, 53, 56, 59, 62, 65, 68], 70)
