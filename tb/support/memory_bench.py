"""Random accesses to a host memory behind an AXI4 port, and their expected results."""

from support.axi_manager import Burst, apply, expected, random_write
from weft.bus.axi4 import RESP_DECERR, RESP_OKAY, RESP_SLVERR

__all__ = ["HalfAccesses", "RefusedAccesses", "random_location", "read_burst"]


def random_location(draw, first, last, width):
    """Return address and number of beats of a burst between two addresses, in one 4 KiB page."""
    beat_bytes = width // 8
    beats = draw.choice((1, 2, draw.randint(1, 40)))
    page = draw.randrange(first // 4096, last // 4096) * 4096
    return page + draw.randint(0, 4096 // beat_bytes - beats) * beat_bytes, beats


def read_burst(width, address, beats):
    """Return a read of full beats."""
    return Burst(address, beats, size=(width // 8).bit_length() - 1)


class HalfAccesses:
    """Random writes and reads of the two halves of a memory, in three phases.

    The lower half is written; it is read while the upper half is written; all is read.

    Parameters
    ----------
    draw : :class:`random.Random`
    width, size, base : :class:`int`
        Beat width in bits; size of the memory in bytes; address of its first byte.
    bursts : :class:`int`
        Number of writes in each half.

    Attributes
    ----------
    phases : list of :class:`dict`
        Parameters ``reads`` and ``writes`` of :class:`~support.axi_manager.AxiManager`.
    """

    def __init__(self, draw, *, width, size, base=0, bursts):
        middle, end = base + size // 2, base + size
        self._width, self._base = width, base
        self._low, self._high = (
            [random_write(draw, *random_location(draw, first, last, width), width)
             for _ in range(bursts)] for first, last in ((base, middle), (middle, end)))
        self.phases = [
            {"writes": self._low},
            {"writes": self._high, "reads": self._reads(self._low)},
            {"reads": self._reads(self._low + self._high)}]

    def _reads(self, writes):
        return [read_burst(self._width, burst.address, burst.beats) for burst in writes]

    def check(self, contents, seed):
        """Check all responses, given the initial contents of the memory."""
        for burst in self._low + self._high:
            assert burst.responses == [(RESP_OKAY,)], f"seed {seed}"
            apply(burst, contents, self._base)
        for phase in self.phases:
            for burst in phase.get("reads", ()):
                assert burst.responses == expected(burst, contents, self._base), f"seed {seed}"


class RefusedAccesses:
    """One valid burst, followed by bursts that a memory refuses.

    Parameters
    ----------
    draw : :class:`random.Random`
    width : :class:`int`
        Beat width in bits.
    address : :class:`int`
        Address of the valid burst, of a burst of type FIXED and of a burst of narrow beats.
    outside : sequence of :class:`int`
        Addresses outside the memory.

    Attributes
    ----------
    writes, reads : list of :class:`~support.axi_manager.Burst`
    """

    def __init__(self, draw, *, width, address, outside):
        self._valid = random_write(draw, address, 8, width)
        fixed, narrow = (random_write(draw, address, 3, width) for _ in range(2))
        fixed.burst, narrow.size = 0, 1
        self.writes = [self._valid, *(random_write(draw, other, 3, width) for other in outside),
                       fixed, narrow]
        self.reads = [Burst(burst.address, burst.beats, size=burst.size, burst=burst.burst)
                      for burst in self.writes]
        self._responses = [RESP_OKAY, *[RESP_DECERR] * len(outside), RESP_SLVERR, RESP_SLVERR]

    def check(self, contents, base=0):
        """Check all responses, given the initial contents of the memory and its address."""
        assert [burst.responses[0][0] for burst in self.writes] == self._responses
        for burst, resp in zip(self.reads, self._responses):
            assert [response[1:] for response in burst.responses] == [
                (resp, int(index == burst.beats - 1)) for index in range(burst.beats)]
        apply(self._valid, contents, base)
        assert self.reads[0].responses == expected(self.reads[0], contents, base)
