"""A clock that jumps from one event to the next."""

import heapq
import itertools

__all__ = ["Clock", "Condition"]


class Clock:
    """Runs processes: generators that yield the cycle to go on in, or a :class:`Condition`.

    Attributes
    ----------
    now : :class:`int`
        The cycle that is being worked on.
    """

    def __init__(self):
        self.now = 0
        self._order = itertools.count()
        self._heap = []

    def at(self, cycle, action, *arguments):
        """Call ``action`` in a cycle; of several in one cycle, in the order of these calls."""
        heapq.heappush(self._heap, (max(cycle, self.now), next(self._order), action, arguments))

    def start(self, process):
        """Start a process in this cycle."""
        self.at(self.now, self._step, process)

    def _step(self, process):
        wish = next(process, None)
        if isinstance(wish, Condition) and not wish.over:
            wish.waiting.append(process)
        elif isinstance(wish, Condition):
            self.at(self.now, self._step, process)
        elif wish is not None:
            self.at(wish, self._step, process)

    def run(self):
        """Until nothing is left to do."""
        while self._heap:
            self.now, _, action, arguments = heapq.heappop(self._heap)
            action(*arguments)


class Condition:
    """What processes wait for; they look again themselves when it has changed.

    With ``over`` set nobody waits any more.
    """

    def __init__(self, clock):
        self.clock = clock
        self.waiting = []
        self.over = False

    def changed(self, cycle):
        """Wake all who wait, in ``cycle``."""
        self.clock.at(cycle, self._wake)

    def _wake(self):
        waiting, self.waiting = self.waiting, []
        for process in waiting:
            self.clock._step(process)
