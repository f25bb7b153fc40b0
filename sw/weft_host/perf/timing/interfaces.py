"""Interface between an instruction queue and its unit in the cycle model."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping

from .events import Condition

__all__ = ["Fields", "IssueQueue", "Process", "Unit"]

Process: typing.TypeAlias = "Iterator[int | Condition]"
"""Generator that yields the cycle in which it continues, or the condition that it waits for."""

Fields: typing.TypeAlias = Mapping[str, int]
"""Fields of an instruction."""


class IssueQueue(typing.Protocol):
    """Queue of a unit, as the unit sees it."""

    def accept_from(self, cycle: int) -> None:
        """Report that the unit accepts the next instruction from ``cycle`` on."""

    def done(self, number: int, cycle: int) -> None:
        """Report that iteration ``number`` is done in ``cycle``, which is not in the past."""


class Unit(typing.Protocol):
    """Execution unit, as its queue sees it."""

    def issue(self, index: int, name: str, fields: Fields) -> None:
        """Accept iteration ``index`` of the program in the current cycle."""
