"""Allocation of accumulator rows to the output tiles of a layer."""

from weft.spec.config import Config

__all__ = ["AccumulatorAllocator"]


class AccumulatorAllocator:
    """Allocator that alternates between the two halves of the accumulator memory.

    VECTOR drains one half while MATMUL writes the other.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        Configuration with the accumulator memory.

    Attributes
    ----------
    half_start : :class:`int`
        First row of the current half.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._half = 1
        self._next_row = 0
        self.half_start = 0

    def switch_half(self) -> None:
        """Select the other half."""
        self._half ^= 1
        self.half_start = self._half * (self._config.acc_rows // 2)

    def allocate(self, positions: int) -> int:
        """Return the first row for the sums of one output tile.

        With fewer positions than a tile takes cycles to enter the array, tiles follow one another
        in the whole memory: many tiles can then be in flight, and VECTOR and MATMUL seldom access
        the same half.
        """
        if positions >= self._config.tile_cycles:
            self.switch_half()
            return self.half_start
        first = self._next_row if self._next_row + positions <= self._config.acc_rows else 0
        self._next_row = first + positions
        return first
