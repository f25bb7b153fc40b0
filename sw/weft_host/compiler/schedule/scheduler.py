"""Puts the instructions of all units into one order and gives them tokens."""

import bisect

from weft.spec.isa import UNITS

from .hazards import Hazards

__all__ = ["add_tokens", "schedule", "wait_edges"]

MOST_TOKENS = 255


def wait_edges(drafts, sizes):
    """For each draft, {unit: index of the latest draft of that unit to wait for}."""
    hazards = Hazards(sizes)
    return [hazards.add(index, draft.unit, draft.accesses) for index, draft in enumerate(drafts)]


def schedule(drafts, needs):
    """The order of the program, as indices: by estimated start.

    Instructions of a unit keep their order, and each follows all it waits for. So a queue never
    holds back, for long, what another unit could begin: the sequencer meets instructions about
    when they can start.
    """
    free = [0] * len(UNITS)
    start: list[int] = []
    end: list[int] = []
    for draft, waits in zip(drafts, needs):
        at = max([free[draft.unit]] + [end[index] for index in waits.values()])
        start.append(at)
        end.append(at + draft.cycles)
        free[draft.unit] = at + draft.cycles
    return sorted(range(len(drafts)), key=lambda index: (start[index], index))


def add_tokens(order, drafts, needs, queue_depth):
    """``(wait, signal)`` masks of each instruction, in the order of the program.

    For an ordered pair of units, instructions finish and start in order, so waiting for one means
    waiting for all before it: only edges whose source is later than that of every earlier edge
    count. What is left is one to one, one token each.
    """
    place = {index: position for position, index in enumerate(order)}
    wait, signal = [0] * len(order), [0] * len(order)
    pairs: dict[tuple[int, int], list[tuple[int, int]]] = {}
    latest: dict[tuple[int, int], int] = {}
    for position, index in enumerate(order):
        unit = drafts[index].unit
        for other, source in needs[index].items():
            at = place[source]
            if at > latest.get((other, unit), -1):
                latest[other, unit] = at
                pairs.setdefault((other, unit), []).append((at, position))
    for (source_unit, target_unit), edges in pairs.items():
        for source, target in _few_open(edges, MOST_TOKENS - queue_depth - 1):
            signal[source] |= 1 << target_unit
            wait[target] |= 1 << source_unit
    return list(zip(wait, signal))


def _few_open(edges, most):
    """Edges such that no more than ``most`` are open at any point of the program.

    Two neighbours (i, j), (i', j') with i' before j can be one, (i', j): j waits longer, nothing
    else changes.
    """
    kept: list[tuple[int, int]] = []
    for source, target in edges:
        still_open = len(kept) - bisect.bisect_right(kept, source, key=lambda edge: edge[1])
        if still_open >= most:
            kept[-1] = source, kept[-1][1]
        else:
            kept.append((source, target))
    return kept
