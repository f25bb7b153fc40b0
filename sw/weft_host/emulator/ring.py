"""Weight buffer as a queue of tiles."""

import collections

import numpy as np
import numpy.typing as npt

__all__ = ["Ring"]

Bytes = npt.NDArray[np.uint8]


class Ring:
    """Queue of bytes between LOAD_RING and MATMUL_RING.

    The hardware's queue has the size of the weight buffer, and LOAD waits while it is full. The
    emulator executes whole instructions, so this queue has no limit.
    """

    def __init__(self) -> None:
        self._parts: collections.deque[Bytes] = collections.deque()
        self.size = 0

    def append(self, data: Bytes) -> None:
        """Append bytes."""
        self._parts.append(data)
        self.size += len(data)

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
