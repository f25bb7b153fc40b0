"""Tokens of a run: which instruction sends each of them, and which one takes it."""

from __future__ import annotations

import collections
import typing
from collections.abc import Sequence

from weft.spec import isa

from ..program.expand import NO_STEPS, unroll
from ..program.file import Program

if typing.TYPE_CHECKING:
    from .trace import Span

__all__ = ["Token", "find_tokens"]


class Token(typing.NamedTuple):
    """Token between two units.

    Attributes
    ----------
    sender, receiver : :class:`weft_host.perf.trace.Span`
        Iterations of instructions. The sender sends the token when it is done, and the receiver
        takes it when it is issued. ``receiver`` is None for a token that is never taken.
    """

    sender: Span
    receiver: Span | None


def find_tokens(program: Program, timeline: Sequence[Span],
                steps: Sequence[int] = NO_STEPS) -> list[Token]:
    """Return all tokens of a program, in the order in which they are sent.

    The tokens from one unit to another are taken in the order in which they are sent, so that the
    hardware has only a counter for each pair of units.

    Parameters
    ----------
    program : :class:`weft_host.program.file.Program`
    timeline : sequence of :class:`weft_host.perf.trace.Span`
        All iterations of the program, from :func:`weft_host.perf.trace.spans`.
    steps : sequence of :class:`int`
        Contents of the step registers during the run.
    """
    sent: dict[tuple[int, int], list[Span]] = collections.defaultdict(list)
    taken: dict[tuple[int, int], list[Span]] = collections.defaultdict(list)
    for iteration, span in zip(unroll(program, steps), timeline):
        for unit in range(len(isa.UNITS)):
            if iteration.fields["signal"] >> unit & 1:
                sent[span.unit, unit].append(span)
            if iteration.fields["wait"] >> unit & 1:
                taken[unit, span.unit].append(span)
    found = []
    for pair, senders in sent.items():
        receivers: list[Span | None] = [*taken[pair]]
        receivers += [None] * (len(senders) - len(receivers))
        found += [(pair, Token(*ends)) for ends in zip(senders, receivers)]
    found.sort(key=lambda item: (item[1].sender.done, item[0]))
    return [token for _, token in found]
