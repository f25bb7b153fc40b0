"""Assignment of scratchpad addresses to buffers with live ranges."""

import dataclasses
from collections.abc import Iterable

from weft.spec.config import Config
from weft.spec.integers import round_up

__all__ = ["BufferRequest", "allocate"]

UNALLOCATED = -1


@dataclasses.dataclass(eq=False)
class BufferRequest:
    """Request for bytes of the scratchpad during a range of steps.

    Attributes
    ----------
    size : :class:`int`
        Number of bytes.
    first, last : :class:`int`
        Live range: the first and the last step that use the buffer.
    name : :class:`str`
        Name for error messages.
    other_banks : list of :class:`BufferRequest`
        Buffers that are accessed at the same time, and should lie in other banks.
    same_banks : list of :class:`BufferRequest`
        Buffers in whose banks this buffer should lie, too.
    address : :class:`int`
        Address that :func:`allocate` assigned.
    """

    size: int
    first: int
    last: int
    name: str = ""
    other_banks: list["BufferRequest"] = dataclasses.field(default_factory=list)
    same_banks: list["BufferRequest"] = dataclasses.field(default_factory=list)
    address: int = UNALLOCATED

    def interferes(self, other: "BufferRequest") -> bool:
        """Return whether the live ranges of two buffers overlap."""
        return self.first <= other.last and other.first <= self.last


def allocate(requests: Iterable[BufferRequest], config: Config) -> BufferRequest | None:
    """Assign an address to every request.

    The largest buffers are allocated first. Of the free gaps, a buffer takes the start or end that
    shares the fewest bytes of a bank with its ``other_banks``. Of these, it takes the one nearest
    to an end of the scratchpad, so that the free memory in the middle stays contiguous.

    Returns
    -------
    :class:`BufferRequest` or :class:`None`
        The first request that does not fit, if there is one.
    """
    size, unit = config.spad_bytes, config.spad_row_bytes
    bank = size // config.spad_banks
    allocated: list[BufferRequest] = []
    for request in sorted(requests, key=lambda request: (-request.size, request.first)):
        if request.size == 0:
            request.address = 0
            continue
        need = round_up(request.size, unit)
        occupied = sorted((other.address, other.address + other.size) for other in allocated
                          if request.interferes(other))
        candidates = []
        gap = 0
        for start, end in [*occupied, (size, size)]:
            if start - gap >= need:
                candidates += [gap, (start - need) // unit * unit]
            gap = max(gap, round_up(end, unit))
        if not candidates:
            return request
        costs = [(_bank_cost(request, address, need, bank), min(address, size - address - need),
                  address) for address in candidates]
        request.address = min(costs)[-1]
        allocated.append(request)
    return None


def _bank_cost(request: BufferRequest, address: int, need: int, bank: int) -> int:
    """Return the number of bytes of a buffer at ``address`` that lie in unfavourable banks."""
    return sum(_shared(address, need, other, bank) for other in request.other_banks
               if other.address != UNALLOCATED and other.size) \
        + sum(need - _shared(address, need, other, bank) for other in request.same_banks
              if other.address != UNALLOCATED and other.size)


def _shared(address: int, need: int, other: BufferRequest, bank: int) -> int:
    """Return how many of the ``need`` bytes from ``address`` lie in banks that ``other`` uses."""
    used = range(other.address // bank, (other.address + other.size - 1) // bank + 1)
    return sum(max(0, min(address + need, (number + 1) * bank) - max(address, number * bank))
               for number in used)
