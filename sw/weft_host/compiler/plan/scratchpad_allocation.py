"""Places buffers with lifetimes in the scratchpad."""

import dataclasses

__all__ = ["Item", "place"]

UNPLACED = -1


@dataclasses.dataclass(eq=False)
class Item:
    """Bytes that are needed during steps ``first`` to ``last``.

    ``apart`` holds items that are better off in other banks: they are used at the same time.
    ``near`` holds those whose banks are just as good for this one. ``address`` is set by
    :func:`place`.
    """

    size: int
    first: int
    last: int
    name: str = ""
    apart: list = dataclasses.field(default_factory=list)
    near: list = dataclasses.field(default_factory=list)
    address: int = UNPLACED

    def meets(self, other):
        """Both are needed at some step."""
        return self.first <= other.last and other.first <= self.last


def place(items, config):
    """Give every item an address; the first that finds no room is returned, else ``None``.

    The largest items choose first. Of the places that are free each takes one that shares the
    fewest bytes of a bank with its ``apart`` items, and of these the one nearest to an end, so
    that the room in the middle stays in one piece.
    """
    size, unit = config.spad_bytes, config.spad_row_bytes
    bank = size // config.spad_banks
    placed: list[Item] = []
    for item in sorted(items, key=lambda item: (-item.size, item.first)):
        if item.size == 0:
            item.address = 0
            continue
        need = -(-item.size // unit) * unit
        busy = sorted((other.address, other.address + other.size) for other in placed
                      if item.meets(other))
        spots = []
        at = 0
        for start, end in [*busy, (size, size)]:
            if start - at >= need:
                spots += [at, (start - need) // unit * unit]
            at = max(at, -(-end // unit) * unit)
        if not spots:
            return item

        costs = [(_sharing(item, spot, need, bank), min(spot, size - spot - need), spot)
                 for spot in spots]
        item.address = min(costs)[-1]
        placed.append(item)
    return None


def _sharing(item, spot, need, bank):
    """Bytes of ``item`` at ``spot`` that lie in banks where they had better not."""
    return sum(_shared(spot, need, other, bank) for other in item.apart
               if other.address != UNPLACED and other.size) \
        + sum(need - _shared(spot, need, other, bank) for other in item.near
              if other.address != UNPLACED and other.size)


def _shared(spot, need, other, bank):
    """Bytes of ``need`` from ``spot`` on that lie in banks which ``other`` uses."""
    used = range(other.address // bank, (other.address + other.size - 1) // bank + 1)
    return sum(max(0, min(spot + need, (number + 1) * bank) - max(spot, number * bank))
               for number in used)
