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
    """Methods of an instruction queue that its unit calls."""

    def accept_from(self, cycle: int) -> None:
        """Report that the unit accepts the next instruction from ``cycle`` on."""

    def done(self, number: int, cycle: int) -> None:
        """Report that iteration ``number`` is done in ``cycle``, which is not in the past."""


class Unit(typing.Protocol):
    """Method of an execution unit that its queue calls."""

    def issue(self, index: int, name: str, fields: Fields) -> None:
        """Accept iteration ``index`` of the program in the current cycle."""
