"""Order of the steps where their data dependencies leave a choice."""

from collections.abc import Sequence
from typing import Any

from ..steps.step import Step

__all__ = ["longest_producer_last"]


def longest_producer_last(steps: Sequence[Step[Any]]) -> list[Step[Any]]:
    """Return the steps, with the longer of two producers directly before their elementwise reader.

    The reader processes blocks of its operands while the last producer runs (see
    :mod:`weft_host.compiler.schedule.interleave`): the longer this producer takes, the more of the
    reader's time it hides. Two producers are exchanged only if they are independent.
    """
    ordered = list(steps)
    for number in range(2, len(ordered)):
        first, second, reader = ordered[number - 2:number + 1]
        if not reader.consumes_blocks or not {first.target, second.target} <= set(reader.sources):
            continue
        independent = first.target not in second.sources
        if independent and first.produces_blocks and first.macs > second.macs:
            ordered[number - 2:number] = [second, first]
    return ordered
