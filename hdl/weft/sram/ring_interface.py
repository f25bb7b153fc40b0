"""Connection between LOAD and MATMUL that counts the tiles of the ring."""

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["RingSignature", "most_ring_tiles"]


def most_ring_tiles(config):
    """Return the largest number of tiles that one beat can complete.

    A beat that is longer than a tile completes at most as many tiles as it has the length of, even
    if it begins inside a tile: both lengths are powers of two, and the part of a tile before the
    beat is shorter than a tile.
    """
    return max(1, config.bus_bytes // config.tile_bytes)


class RingSignature(wiring.Signature):
    """Changes of the number of tiles in the ring, from the side of LOAD.

    Parameters
    ----------
    config : :class:`Config`

    Members
    -------
    tiles : :py:`Out(range(most_ring_tiles + 1))`
        Number of tiles that became complete in this cycle and can be read.
    release : :py:`In(1)`
        A tile has been read; its bytes may be overwritten.
    """

    def __init__(self, config):
        super().__init__({
            "tiles": Out(range(most_ring_tiles(config) + 1)),
            "release": In(1),
        })
