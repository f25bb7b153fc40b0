"""Event queue of the cycle model: time advances from one event to the next."""

from __future__ import annotations

import heapq
import itertools
import typing
from collections.abc import Callable, Iterator

__all__ = ["Clock", "Condition"]


class Clock:
    """Simulated time with the processes that run in it.

    A process is a generator. It yields the cycle in which it continues, or a :class:`Condition`
    that it waits for.

    Attributes
    ----------
    now : :class:`int`
        The current cycle.
    """

    def __init__(self) -> None:
        self.now = 0
        self._order = itertools.count()
        self._heap: list[tuple[int, int, Callable[..., None], tuple[typing.Any, ...]]] = []

    def at(self, cycle: int, action: Callable[..., None], *arguments: typing.Any) -> None:
        """Schedule a call of ``action``. Calls in one cycle run in the order of scheduling."""
        heapq.heappush(self._heap, (max(cycle, self.now), next(self._order), action, arguments))

    def start(self, process: Iterator[int | Condition]) -> None:
        """Start a process in the current cycle."""
        self.at(self.now, self.step, process)

    def step(self, process: Iterator[int | Condition]) -> None:
        """Run a process up to its next ``yield``."""
        wish = next(process, None)
        if isinstance(wish, Condition) and not wish.final:
            wish.waiting.append(process)
        elif isinstance(wish, Condition):
            self.at(self.now, self.step, process)
        elif wish is not None:
            self.at(wish, self.step, process)

    def run(self) -> None:
        """Run until no event is left."""
        while self._heap:
            self.now, _, action, arguments = heapq.heappop(self._heap)
            action(*arguments)


class Condition:
    """Notification of waiting processes.

    A process that wakes up checks for itself whether it has to wait again.

    Attributes
    ----------
    waiting : list
        Processes that the next notification wakes.
    final : :class:`bool`
        A process that yields the condition continues in the same cycle. Set when the condition
        holds for good.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.waiting: list[Iterator[int | Condition]] = []
        self.final = False

    def notify(self, cycle: int) -> None:
        """Wake all waiting processes in ``cycle``."""
        self.clock.at(cycle, self._wake)

    def _wake(self) -> None:
        waiting, self.waiting = self.waiting, []
        for process in waiting:
            self.clock.step(process)
