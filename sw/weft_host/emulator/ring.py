"""Weight buffer as a queue of tiles."""

import collections
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from weft.spec.config import Config
from weft.spec.four_bit import BLOCK_WEIGHTS, CODE_BEATS, HEADER_BEATS, PACKET_BEATS

from .four_bit import expand_stream
from .host_memory import HostMemory

__all__ = ["Ring"]

Bytes = npt.NDArray[np.uint8]


class Ring:
    """Queue of bytes between LOAD_RING, or LOAD_RING_4BIT, and MATMUL_RING.

    The hardware requests a burst of LOAD_RING if the weight buffer has space for the longest one,
    with ``weights_4bit`` for the longest one with 4-bit weights after their expansion. MATMUL_RING
    takes each tile as soon as it is complete. The emulator executes a MATMUL_RING as a whole; until
    then, the queue also contains the tiles that the hardware has taken for it.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`

    Attributes
    ----------
    size : :class:`int`
        Bytes in the queue, those of an incomplete tile among them.
    """

    size: int

    def __init__(self, config: Config) -> None:
        self._config = config
        self._burst = config.max_burst * config.bus_bytes
        # a beat with codes becomes two of weights
        self._space = config.wgt_bytes - self._burst * (2 if config.weights_4bit else 1)
        self._parts: collections.deque[Bytes] = collections.deque()
        self.size = 0

    def append(self, data: Bytes) -> None:
        """Append bytes."""
        self._append(data)
        self.size += len(data)

    def _append(self, data: Bytes) -> None:
        if len(data):
            self._parts.append(data)

    def take(self, size: int) -> Bytes:
        """Remove and return ``size`` bytes from the front; there must be as many."""
        found = []
        self.size -= size
        while size:
            part = self._parts.popleft()
            if len(part) > size:
                self._parts.appendleft(part[size:])
                part = part[:size]
            found.append(part)
            size -= len(part)
        return found[0] if len(found) == 1 else np.concatenate(found)

    def clear(self) -> None:
        """Remove all bytes."""
        self._parts.clear()
        self.size = 0

    def load(self, memory: HostMemory, start: int, fields: Mapping[str, int], done: int,
             demand: int) -> int:
        """Execute a part of a LOAD_RING, as far as there is space.

        Parameters
        ----------
        memory : :class:`weft_host.emulator.host_memory.HostMemory`
        start : :class:`int`
            Host address of its first row.
        fields : mapping of :class:`str` to :class:`int`
            Fields of the LOAD_RING.
        done : :class:`int`
            Bytes of it that are in the queue already: all of its first bursts.
        demand : :class:`int`
            Bytes that the MATMUL_RING in progress takes in all, or 0.

        Returns
        -------
        :class:`int`
            Bytes of the LOAD_RING that are in the queue now.

        Raises
        ------
        BusFault
            If host memory answered with an error.
        """
        loaded, size = self._loadable(start, fields, done, demand), fields["bytes"]
        while done < loaded:
            row, offset = divmod(done, size)
            addr = start + row * fields["host_pitch"] + offset
            part = min(size - offset, loaded - done)
            memory.check(addr, 0, 1, part, "read")
            self.append(memory.copy(addr, part))
            done += part
        return done

    def _loadable(self, start: int, fields: Mapping[str, int], done: int, demand: int) -> int:
        """Return the bytes of a LOAD_RING in its first bursts, as many as can be requested."""
        total = fields["count"] * fields["bytes"]
        # Tiles that MATMUL takes make space. The weight buffer has space for a burst and two tiles,
        # so that loading does not stop before it has all tiles of the MATMUL_RING in progress.
        last = done + self._space - (self.size - demand)    # latest byte at which a burst may begin
        if last < done:
            return done
        if last >= total:
            return total
        row, offset = divmod(last, fields["bytes"])
        address = start + row * fields["host_pitch"]
        end = (address + offset) // self._burst * self._burst + self._burst - address
        return row * fields["bytes"] + min(end, fields["bytes"])

    def load_4bit(self, memory: HostMemory, start: int, fields: Mapping[str, int], done: int,
                  demand: int) -> int:
        """Execute a part of a LOAD_RING_4BIT, as far as there is space.

        Parameters and exceptions are those of :meth:`load`. ``done`` and the result count bytes of
        the stream.
        """
        loaded, block = self._loadable_4bit(start, fields, done, demand), self._block
        while done < loaded:
            part = min(block - done % block, loaded - done)
            memory.check(start + done, 0, 1, part, "read")
            tile = self._config.tile_bytes
            before, after = self._expanded(done), self._expanded(done + part)
            self._append(self._weights(memory, start, before // tile, after // tile))
            self.size += after - before
            done += part
        return done

    @property
    def _block(self) -> int:
        """Bytes of a block of a stream of 4-bit weights."""
        return PACKET_BEATS * self._config.cols

    def _expanded(self, done: int) -> int:
        """Return the bytes of weights in the first ``done`` bytes of a stream, in whole beats."""
        packets, beats = divmod(max(0, done - self._block) // self._config.bus_bytes, PACKET_BEATS)
        codes = packets * CODE_BEATS + max(0, beats - HEADER_BEATS)
        return 2 * self._config.bus_bytes * codes

    def _weights(self, memory: HostMemory, start: int, first: int, last: int) -> Bytes:
        """Return the tiles ``first`` to ``last - 1`` of a stream."""
        tile, block = self._config.tile_bytes, self._block
        weights = BLOCK_WEIGHTS * self._config.cols
        low, high = first * tile // weights, -(-last * tile // weights)
        if first == last:
            return np.empty(0, np.uint8)
        # the headers of the first of these blocks are in the block before
        stream = memory.copy(start + low * block, (high - low + 1) * block)
        return expand_stream(self._config, stream)[first * tile - low * weights:
                                                   last * tile - low * weights]

    def _loadable_4bit(self, start: int, fields: Mapping[str, int], done: int, demand: int) -> int:
        """Return the bytes of a stream in its first bursts, as many as can be requested."""
        total, before = fields["count"] * self._block, self._expanded(done)
        last = before + self._space - (self.size - demand)     # as in _loadable
        if last < before:
            return done
        # latest beat at which a burst may begin
        bus = self._config.bus_bytes
        packets, beats = divmod(last // (2 * bus), CODE_BEATS)
        at = self._block + bus * (packets * PACKET_BEATS + HEADER_BEATS + beats)
        if at >= total:
            return total
        row = at // self._block * self._block
        end = (start + at) // self._burst * self._burst + self._burst - start
        return min(end, row + self._block)
