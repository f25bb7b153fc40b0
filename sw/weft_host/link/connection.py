"""Connection to a board at the host link: synchronisation, single requests and answers."""

import collections
import time
from typing import Protocol

from weft.spec.link_frames import SEQUENCES, Command, Info, Status

from ..errors import LinkError
from .codec import Answer, AnswerParser, encode_request, parse_info

__all__ = ["ANSWER_BYTES", "Line", "LinkConnection", "MAX_DOUBLINGS"]

ANSWER_BYTES = 14
"""Bytes of an answer in addition to its payload."""

MAX_DOUBLINGS = 4
"""Largest number of doublings of a waiting time."""

_CALLS = 4              # attempts to reach an unknown board
_SILENCE = 0.03         # seconds: longer than most time-outs inside a frame
_TALK = 5.0             # seconds without silence after which the other end is not a Weft board

_FOREIGN = ("the data on this line is not from a Weft host link: is it the right port, is a "
            "bitstream with Weft loaded, is the baud rate that of the bitstream, does another "
            "program use the port?")


class Line(Protocol):
    """A bidirectional stream of bytes."""

    def write(self, data: bytes, /) -> object:
        """Send bytes."""

    def read(self, seconds: float, /) -> bytes:
        """Return the bytes that have arrived.

        Wait at most ``seconds`` for the first one; return no bytes if none has arrived by then.
        """
        ...


class LinkConnection:
    """Connection to a board: its information, its sequence number, and single frames.

    Parameters
    ----------
    line : :class:`Line`
    timeout : :class:`float`
        Seconds that an answer may take in addition to the transmission of its bytes. The time
        grows after each failure.
    attempts : :class:`int`
        Failures in a row after which an operation fails.
    window : :class:`int`
        Largest number of requests in flight during transfers of memory.

    Attributes
    ----------
    line, timeout, attempts, window
        The parameters.
    sent : :class:`int`
        Number of requests sent.
    """

    line: Line
    timeout: float
    attempts: int
    window: int
    sent: int

    def __init__(self, line: Line, *, timeout: float = 0.25, attempts: int = 6,
                 window: int = 8) -> None:
        self.line = line
        self.timeout = timeout
        self.attempts = attempts
        self.window = window
        self._info: Info | None = None
        self.sent = 0
        self._parser = AnswerParser()
        self._answers: collections.deque[Answer] = collections.deque()
        self._last = 0
        self._counted = False       # whether _last is certain: no request is in flight or lost
        self._nonce = 0

    @property
    def info(self) -> Info:
        """The board's information about itself; the first use calls :meth:`connect`."""
        return self._info or self.connect()

    def connect(self) -> Info:
        """Request the board's information about itself.

        Raises
        ------
        LinkError
            If there is no answer, or no answer of a host link of this version.
        """
        for attempt in range(_CALLS):
            try:
                self._info = self._request_info(attempt)
                return self._info
            except TimeoutError:
                continue
        if self._parser.lost:
            raise LinkError(_FOREIGN)
        raise LinkError("the board does not answer: is the cable the right one, is a bitstream "
                        "with Weft loaded, is the baud rate that of the bitstream?")

    def _request_info(self, attempt: int) -> Info:
        """Return the board's information; wait for silence on the line first.

        Raises
        ------
        TimeoutError
            If there is no answer.
        """
        patience = 2 ** min(attempt, MAX_DOUBLINGS)
        self._await_silence(_SILENCE * patience)
        self._parser.reset()
        self._answers.clear()
        # a sequence number that no request in flight has
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

    def _await_silence(self, silence: float) -> None:
        """Drop all bytes until none arrive for ``silence`` seconds; this resets the board, too."""
        talk = _TALK
        if self._info:
            silence = max(silence, 1.25 * self._info.timeout_us / 1e6)
            # time for all answers that may be in flight
            talk += 20 * self.window * (self._info.payload + ANSWER_BYTES) / self._info.baud
        deadline = time.monotonic() + talk + silence
        while self.line.read(silence):
            if time.monotonic() > deadline:
                raise LinkError(_FOREIGN)

    def _count(self) -> None:
        """Request the sequence number of the board's last executed request."""
        for attempt in range(self.attempts):
            try:
                self._request_info(attempt)
                return
            except TimeoutError:
                continue
        if self._parser.lost:
            raise LinkError(f"all answers are damaged; {self.attempts} attempts failed: "
                            "is the line disturbed, does another program use the port?")
        raise LinkError(f"the board has stopped answering; {self.attempts} attempts failed")

    def _send(self, command: int, sequence: int, addr: int = 0, length: int = 0,
              payload: bytes = b"") -> None:
        self.sent += 1
        self.line.write(encode_request(command, sequence, addr, length, payload))

    def _receive(self, deadline: float) -> Answer:
        """Return the next answer.

        Raises
        ------
        TimeoutError
            If no undamaged answer arrives in time.
        """
        expired = False
        while not self._answers:
            if expired or self._parser.lost:
                raise TimeoutError
            left = deadline - time.monotonic()
            expired = left <= 0     # bytes that have arrived by then still count
            data = self.line.read(max(0.0, left))
            if not data:
                raise TimeoutError
            self._answers.extend(self._parser.feed(data))
        return self._answers.popleft()
