"""Client of the host link: transfers with several requests in flight, repeated after failures."""

import collections
import dataclasses
import time

from weft.spec.link_frames import SEQUENCES, Command, Info, Status

from ..errors import LinkError
from .codec import Answer
from .connection import ANSWER_BYTES, MAX_DOUBLINGS, Line, LinkConnection

__all__ = ["Line", "LinkClient"]

_REGISTERS = 32         # largest number of registers that one request reads
_UNSENT = -1


@dataclasses.dataclass
class _Operation:
    """A request that may be sent more than once.

    With ``once`` set, it must not be executed twice.
    """

    command: int
    addr: int
    length: int
    payload: bytes = b""
    once: bool = False
    sequence: int = _UNSENT
    result: bytes = b""


class LinkClient(LinkConnection):
    """Host side of the host link.

    Every method returns after the board has answered. Frames that were lost or damaged are sent
    again; writes of registers are executed once nevertheless. A board that was reset during a
    transfer is detected by its sequence number, unless the number after the reset, 0, is one that
    the board could have reached.

    Parameters
    ----------
    line, timeout, attempts, window
        See :class:`weft_host.link.connection.LinkConnection`.

    Attributes
    ----------
    again : :class:`int`
        Number of requests sent again.
    """

    again: int

    def __init__(self, line: Line, *, timeout: float = 0.25, attempts: int = 6,
                 window: int = 8) -> None:
        super().__init__(line, timeout=timeout, attempts=attempts, window=window)
        self.again = 0

    def read_memory(self, addr: int, size: int) -> bytes:
        """Read ``size`` bytes of host memory."""
        step = self.info.payload
        operations = [_Operation(Command.READ_MEMORY, addr + at, min(step, size - at))
                      for at in range(0, size, step)]
        self._transfer(operations)
        return b"".join(operation.result for operation in operations)

    def write_memory(self, addr: int, data: bytes) -> None:
        """Write bytes to host memory."""
        step = self.info.payload
        self._transfer([
            _Operation(Command.WRITE_MEMORY, addr + at, 0, bytes(data[at:at + step]))
            for at in range(0, len(data), step)])

    def read_registers(self, offset: int, count: int = 1) -> list[int]:
        """Read the words of ``count`` consecutive registers."""
        step = min(_REGISTERS, self.info.payload // 4)
        operations = [_Operation(Command.READ_REGISTERS, offset + 4 * at, 4 * min(step, count - at))
                      for at in range(0, count, step)]
        self._transfer(operations)
        raw = b"".join(operation.result for operation in operations)
        return [int.from_bytes(raw[at:at + 4], "little") for at in range(0, len(raw), 4)]

    def write_register(self, offset: int, value: int) -> None:
        """Write a word to a register, exactly once."""
        self._transfer([_Operation(Command.WRITE_REGISTERS, offset, 0,
                                   value.to_bytes(4, "little"), once=True)])

    def _seconds(self, operation: _Operation, info: Info) -> float:
        """Return the time limit for the next answer: twice the expected time, plus ``timeout``."""
        size = 2 * ANSWER_BYTES + max(operation.length, len(operation.payload))
        return self.timeout + 2 * (10 * size / info.baud + info.timeout_us / 1e6)

    def _transfer(self, operations: list[_Operation]) -> None:
        """Carry out operations in order."""
        waiting = collections.deque(operations)
        in_flight: collections.deque[_Operation] = collections.deque()
        window, failures = self.window, 0
        info = self.info        # must be known before any request is in flight
        if not self._counted:
            self._count()
        while waiting or in_flight:
            self._counted = False   # until all requests are answered
            while waiting and len(in_flight) < window and not (in_flight and in_flight[-1].once):
                operation = waiting.popleft()
                if operation.sequence == _UNSENT:
                    previous = in_flight[-1].sequence if in_flight else self._last
                    operation.sequence = (previous + 1) % SEQUENCES
                self._send(operation.command, operation.sequence, operation.addr,
                           operation.length, operation.payload)
                in_flight.append(operation)
            try:
                answer = self._receive(time.monotonic()
                                       + self._seconds(in_flight[0], info)
                                       * 2 ** min(failures, MAX_DOUBLINGS))
                operation = in_flight[0]
                if answer.sequence != operation.sequence or answer.status == Status.ORDER:
                    raise TimeoutError
            except TimeoutError:
                failures += 1
                # a line that loses frames loses fewer with a single request in flight
                window = 1
                self._recover(in_flight, waiting, failures)
                continue
            failures = 0
            self._last = answer.last
            in_flight.popleft()
            self._counted = not in_flight
            self._complete(operation, answer)

    @staticmethod
    def _complete(operation: _Operation, answer: Answer) -> None:
        """Store the result of an operation, or raise its error."""
        if answer.status == Status.OKAY and len(answer.payload) == operation.length:
            operation.result = answer.payload
            return
        size = max(operation.length, len(operation.payload))
        names = {known.value: known.name for known in Status}
        kind = "registers" if operation.command & 2 else "host memory"
        access = "write" if operation.command & 1 else "read"
        name = names.get(answer.status, f"status {answer.status}")
        raise LinkError(
            f"a {access} of {size} bytes of {kind} at {operation.addr:#x} ended with {name}",
            status=answer.status)

    def _recover(self, in_flight: collections.deque[_Operation],
                 waiting: collections.deque[_Operation], failures: int) -> None:
        """Return all operations in flight to the front of ``waiting``.

        An operation that must be executed once keeps its sequence number, so that the board
        executes it only if it has not yet done so.
        """
        if failures >= self.attempts:
            raise LinkError(f"no undamaged answer after {failures} attempts")
        before = in_flight[0].sequence - 1
        self._count()
        self.again += len(in_flight)
        if (self._last - before) % SEQUENCES > len(in_flight):
            raise LinkError("the board's sequence number is wrong: the board was reset, or another "
                            "program uses the line")
        while in_flight:
            operation = in_flight.pop()
            if not operation.once:
                operation.sequence = _UNSENT
            waiting.appendleft(operation)
