"""Number of tiles that a beat completes, by enumeration."""

import pytest

from weft.spec.config import Config
from weft.sram.ring_interface import RingSignature, most_ring_tiles


@pytest.mark.parametrize("bus_width", [32, 64, 128, 256])
@pytest.mark.parametrize("rows, cols", [(4, 2), (4, 4), (8, 4), (8, 8), (64, 64)])
def test_a_beat_completes_at_most_the_tiles_of_its_length(rows, cols, bus_width):
    config = Config(rows=rows, cols=cols, wgt_bytes=8192, bus_width=bus_width, max_burst=8,
                    vector_lanes=1, fixed_point=True)
    tile = config.tile_bytes
    # a beat of some bytes, which begins inside a tile
    most = max((first + size) // tile for first in range(tile)
               for size in range(1, config.bus_bytes + 1))
    assert most_ring_tiles(config) == most
    assert RingSignature(config).members["tiles"].shape == range(most + 1)
