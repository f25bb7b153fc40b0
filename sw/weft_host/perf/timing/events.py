"""Event queue of the cycle model: time advances from one event to the next."""

from __future__ import annotations

import heapq
import typing
from collections.abc import Callable, Iterator

__all__ = ["Clock", "Condition"]


class Clock:
    """Simulated time with the processes that run in it.

    A process is a generator. It yields the cycle in which it continues, or a :class:`Condition`
    that it waits for.

    All events of a cycle are in one list, in the order in which they were scheduled, and run in
    this order. A process that is notified continues behind the events that are in the list at that
    time.

    Attributes
    ----------
    now : :class:`int`
        The current cycle.
    events : list
        Events of the current cycle: a process that continues, or an action with its arguments.
    """

    def __init__(self) -> None:
        self.now = 0
        self.events: list[typing.Any] = []
        self._later = {0: self.events}      # events of this cycle and of later ones, by cycle
        self._cycles = [0]                  # heap of the keys of _later

    def at(self, cycle: int, action: Callable[..., None], *arguments: typing.Any) -> None:
        """Schedule a call of ``action``. Calls in one cycle run in the order of scheduling."""
        if cycle <= self.now:
            self.events.append((action, arguments))
            return
        later = self._later.get(cycle)
        if later is None:
            self._later[cycle] = [(action, arguments)]
            heapq.heappush(self._cycles, cycle)
        else:
            later.append((action, arguments))

    def start(self, process: Iterator[int | Condition]) -> None:
        """Start a process in the current cycle."""
        self.events.append(process)

    def run(self) -> None:
        """Run until no event is left."""
        # this loop handles millions of events: it calls nothing but the events themselves
        all_events, cycles = self._later, self._cycles
        while cycles:
            now = self.now = heapq.heappop(cycles)
            events = self.events = all_events[now]
            for event in events:            # the list grows during the loop
                if event.__class__ is tuple:
                    event[0](*event[1])
                    continue
                wish = next(event, None)
                if wish.__class__ is int:
                    if wish <= now:
                        events.append(event)
                        continue
                    later = all_events.get(wish)
                    if later is None:
                        all_events[wish] = [event]
                        heapq.heappush(cycles, wish)
                    else:
                        later.append(event)
                elif wish is not None:
                    (events if wish.final else wish.waiting).append(event)
            del all_events[now]


class Condition:
    """Notification of waiting processes.

    A process that wakes up checks for itself whether it has to wait again. Whoever changes the
    state that a process waits for changes it first and notifies then, so that a process that begins
    to wait after the notification has seen the change.

    Attributes
    ----------
    waiting : list
        Processes that the next notification wakes.
    final : :class:`bool`
        A process that yields the condition continues in the same cycle. Set when the condition
        holds for good.
    """

    __slots__ = ("clock", "final", "waiting")

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.waiting: list[Iterator[int | Condition]] = []
        self.final = False

    def notify(self, cycle: int | None = None) -> None:
        """Wake in ``cycle`` all processes that wait then; without it, those that wait now."""
        if cycle is not None and cycle > self.clock.now:
            self.clock.at(cycle, self.notify)
        elif self.waiting:
            self.clock.events += self.waiting
            self.waiting.clear()
