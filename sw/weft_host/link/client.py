"""Requests that arrive: retries, time-outs, pieces of big transfers, several on their way."""

import collections
import dataclasses
import time

from weft.spec.link_frames import SEQUENCES, Command, Info, Status

from ..errors import LinkError
from .codec import Answer, AnswerParser, encode_request, parse_info

__all__ = ["LinkClient"]

_ANSWER_BYTES = 14      # of an answer beside its payload
_REGISTERS = 32         # registers that one request reads at most
_CALLS = 4              # for a board of which nothing is known
_PATIENCE = 4           # doublings of a wait, at most
_UNSENT = -1
_SILENCE = 0.03         # seconds: longer than most time-outs inside a frame
_TALK = 5.0             # seconds without silence after which something else talks

_FOREIGN = ("something else than a host link talks on this line: is it the right port, is a "
            "bitstream with Weft loaded, is the baud rate that of the bitstream, does another "
            "program use the port?")


@dataclasses.dataclass
class _Operation:
    """A request that may be sent more than once. ``once``: must not be executed twice."""

    command: int
    addr: int
    length: int
    payload: bytes = b""
    once: bool = False
    sequence: int = _UNSENT
    result: bytes = b""


class LinkClient:
    """The host's end of the host link.

    Every method returns after the board has answered. Frames that were lost or damaged are sent
    again; what must not happen twice, happens once. A board that was reset in between is told by
    its count of requests; one that begins at 0 anew goes unnoticed if 0 is one of the numbers that
    it could be at.

    Parameters
    ----------
    line : object
        ``write(data)`` sends bytes; ``read(seconds)`` gives what has arrived, and waits up to so
        long for a first byte: nothing means that the time is over.
    timeout : :class:`float`
        Seconds for an answer, beside the time that the bytes take; more after each failure.
    attempts : :class:`int`
        How often in a row a request is sent in vain.
    window : :class:`int`
        Requests that may be on their way in transfers of memory.

    Attributes
    ----------
    sent, again : :class:`int`
        Requests in all, and those that were sent again.
    """

    def __init__(self, line, *, timeout=0.25, attempts=6, window=8):
        self.line = line
        self.timeout = timeout
        self.attempts = attempts
        self.window = window
        self._info: Info | None = None
        self.sent = 0
        self.again = 0
        self._parser = AnswerParser()
        self._answers: collections.deque[Answer] = collections.deque()
        self._last = 0
        self._counted = False       # _last is what the board has
        self._nonce = 0

    @property
    def info(self):
        """What the board says it is; asks it on first use."""
        return self._info or self.connect()

    def connect(self):
        """Ask the board what it is.

        Raises
        ------
        LinkError
            If nothing answers, or something that is no host link of this version.
        """
        for attempt in range(_CALLS):
            try:
                self._info = self._ask_info(attempt)
                return self._info
            except TimeoutError:
                continue
        if self._parser.lost:
            raise LinkError(_FOREIGN)
        raise LinkError("the board does not answer: is the cable the right one, is a bitstream "
                        "with Weft loaded, is the baud rate that of the bitstream?")

    def read_memory(self, addr, size):
        """``size`` bytes of host memory."""
        step = self.info.payload
        operations = [_Operation(Command.READ_MEMORY, addr + at, min(step, size - at))
                      for at in range(0, size, step)]
        self._transfer(operations)
        return b"".join(operation.result for operation in operations)

    def write_memory(self, addr, data):
        """Put bytes into host memory."""
        step = self.info.payload
        self._transfer([
            _Operation(Command.WRITE_MEMORY, addr + at, 0, bytes(data[at:at + step]))
            for at in range(0, len(data), step)])

    def read_registers(self, offset, count=1):
        """The words of ``count`` registers in a row."""
        step = min(_REGISTERS, self.info.payload // 4)
        operations = [_Operation(Command.READ_REGISTERS, offset + 4 * at, 4 * min(step, count - at))
                      for at in range(0, count, step)]
        self._transfer(operations)
        raw = b"".join(operation.result for operation in operations)
        return [int.from_bytes(raw[at:at + 4], "little") for at in range(0, len(raw), 4)]

    def write_register(self, offset, value):
        """Write a word to a register, once."""
        self._transfer([_Operation(Command.WRITE_REGISTERS, offset, 0,
                                   value.to_bytes(4, "little"), once=True)])

    def _ask_info(self, attempt):
        """The board's :class:`Info` once the line is silent; ``TimeoutError`` without answer."""
        patience = 2 ** min(attempt, _PATIENCE)
        self._await_silence(_SILENCE * patience)
        self._parser.reset()
        self._answers.clear()
        # unlike any number that is on its way
        self._nonce = self._nonce + 1 & 63
        sequence = (self._last + 128 + self._nonce) % SEQUENCES
        self._send(Command.INFO, sequence)
        deadline = time.monotonic() + self.timeout * patience
        while True:
            answer = self._receive(deadline)
            if answer.sequence == sequence and answer.status == Status.OKAY:
                info = parse_info(answer.payload)
                self._last = answer.last
                self._counted = True
                return info
            if time.monotonic() > deadline:
                raise TimeoutError

    def _await_silence(self, silence):
        """Drop what arrives until nothing does; the board begins anew, too."""
        talk = _TALK
        if self._info:
            silence = max(silence, 1.25 * self._info.timeout_us / 1e6)
            # all answers that may be on their way
            talk += 20 * self.window * (self._info.payload + _ANSWER_BYTES) / self._info.baud
        deadline = time.monotonic() + talk + silence
        while self.line.read(silence):
            if time.monotonic() > deadline:
                raise LinkError(_FOREIGN)

    def _count(self):
        """Learn how far the board has come."""
        for attempt in range(self.attempts):
            try:
                return self._ask_info(attempt)
            except TimeoutError:
                continue
        if self._parser.lost:
            raise LinkError(f"no answer arrives whole any more; {self.attempts} attempts failed: "
                            "is the line disturbed, does another program use the port?")
        raise LinkError(f"the board has stopped answering; {self.attempts} attempts failed")

    def _send(self, command, sequence, addr=0, length=0, payload=b""):
        self.sent += 1
        self.line.write(encode_request(command, sequence, addr, length, payload))

    def _receive(self, deadline):
        """The next answer; ``TimeoutError`` if there is none in time, or a damaged one."""
        late = False
        while not self._answers:
            if late or self._parser.lost:
                raise TimeoutError
            left = deadline - time.monotonic()
            late = left <= 0        # what has arrived by then is still looked at
            data = self.line.read(max(0.0, left))
            if not data:
                raise TimeoutError
            self._answers.extend(self._parser.feed(data))
        return self._answers.popleft()

    def _seconds(self, operation, info):
        """How long the answer may take once the one before is here: twice what it should."""
        size = 2 * _ANSWER_BYTES + max(operation.length, len(operation.payload))
        return self.timeout + 2 * (10 * size / info.baud + info.timeout_us / 1e6)

    def _transfer(self, operations):
        """Carry out operations in order."""
        waiting = collections.deque(operations)
        flying: collections.deque[_Operation] = collections.deque()
        window, failures = self.window, 0
        info = self.info        # asked for before anything is on its way
        if not self._counted:
            self._count()
        while waiting or flying:
            self._counted = False   # until all is answered
            while waiting and len(flying) < window and not (flying and flying[-1].once):
                operation = waiting.popleft()
                if operation.sequence == _UNSENT:
                    ahead = flying[-1].sequence if flying else self._last
                    operation.sequence = (ahead + 1) % SEQUENCES
                self._send(operation.command, operation.sequence, operation.addr,
                           operation.length, operation.payload)
                flying.append(operation)
            try:
                answer = self._receive(time.monotonic()
                                       + self._seconds(flying[0], info)
                                       * 2 ** min(failures, _PATIENCE))
                operation = flying[0]
                if answer.sequence != operation.sequence or answer.status == Status.ORDER:
                    raise TimeoutError
            except TimeoutError:
                failures += 1
                # a line that loses frames does so less with fewer on their way
                window = 1
                self._recover(flying, waiting, failures)
                continue
            failures = 0
            self._last = answer.last
            flying.popleft()
            self._counted = not flying
            self._judge(operation, answer)

    def _judge(self, operation, answer):
        if answer.status == Status.OKAY and len(answer.payload) == operation.length:
            operation.result = answer.payload
            return
        size = max(operation.length, len(operation.payload))
        names = {known.value: known.name for known in Status}
        kind = "registers" if operation.command & 2 else "host memory"
        way = "write" if operation.command & 1 else "read"
        name = names.get(answer.status, f"status {answer.status}")
        raise LinkError(
            f"a {way} of {size} bytes of {kind} at {operation.addr:#x} ended with {name}",
            status=answer.status)

    def _recover(self, flying, waiting, failures):
        """Find out what was executed, and put the rest back in front of ``waiting``."""
        if failures >= self.attempts:
            raise LinkError(f"no whole answer after {failures} attempts")
        before = flying[0].sequence - 1
        self._count()
        self.again += len(flying)
        if (self._last - before) % SEQUENCES > len(flying):
            raise LinkError("the board has lost count of the requests: it was reset, or something "
                            "else uses the line")
        while flying:
            operation = flying.pop()
            if not operation.once:
                operation.sequence = _UNSENT
            waiting.appendleft(operation)
