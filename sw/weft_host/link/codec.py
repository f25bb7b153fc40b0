"""Frames of the host link as bytes: requests are made, answers are found and checked."""

import dataclasses
import zlib

from weft.spec.link_frames import (
    ANSWER_HEADER,
    ANSWER_MARK,
    CRC_BYTES,
    PROTOCOL,
    REQUEST_HEADER,
    REQUEST_MARK,
    Command,
    Info,
)

from ..errors import LinkError

__all__ = ["Answer", "AnswerParser", "encode_request", "parse_info"]

_ALIGN = 4096           # of host memory's first byte
_SLOWEST = 300          # baud
_LONGEST = 20_000_000   # microseconds: what the gateware makes of its longest time-out


def encode_request(command, sequence, addr=0, length=0, payload=b""):
    """A request as :class:`bytes`. ``payload`` is there for writes, and ``length`` then its own."""
    writes = command in (Command.WRITE_MEMORY, Command.WRITE_REGISTERS)
    header = REQUEST_HEADER.pack(command, sequence, len(payload) if writes else length, addr)
    check = zlib.crc32(header)
    frame = bytes([REQUEST_MARK]) + header + check.to_bytes(CRC_BYTES, "little")
    if writes:
        frame += payload + zlib.crc32(payload, check).to_bytes(CRC_BYTES, "little")
    return frame


def parse_info(raw):
    """The :class:`weft.spec.link_frames.Info` that a board sent.

    Raises
    ------
    LinkError
        If it is of another version, or holds what no board can be.
    """
    protocol = int.from_bytes(raw[:2], "little")
    if protocol != PROTOCOL:
        raise LinkError(f"the board speaks version {protocol} of the host link, this driver "
                        f"version {PROTOCOL}; build both from the same source")
    if len(raw) != Info.FORMAT.size:
        raise LinkError(f"the board tells {len(raw)} bytes about itself, not {Info.FORMAT.size}: "
                        "it is no host link of this driver")
    info = Info.unpack(raw)
    for what, value, possible in (
            ("a payload of {} bytes", info.payload, 64 <= info.payload <= 4096),
            ("a line of {} baud", info.baud, info.baud >= _SLOWEST),
            ("a clock of {} Hz", info.clock_hz, info.clock_hz),
            ("a bus of {} bytes", info.bus_bytes, info.bus_bytes in (4, 8, 16, 32)),
            ("a time-out of {} us", info.timeout_us, 0 < info.timeout_us <= _LONGEST),
            ("host memory from {:#x} on", info.memory_base, info.memory_base % _ALIGN == 0),
            ("{} bytes of host memory", info.memory_bytes,
             info.memory_base + info.memory_bytes <= 1 << 32)):
        if not possible:
            raise LinkError(f"the board tells of {what.format(value)}, which cannot be: build "
                            "bitstream and driver from the same source")
    return info


@dataclasses.dataclass(frozen=True)
class Answer:
    """What came back: ``last`` is the sequence number of the request executed last."""

    status: int
    sequence: int
    last: int
    payload: bytes


class AnswerParser:
    """Finds answers in a stream of bytes.

    After anything that is not a whole, right answer everything is dropped until ``reset``, which
    is to be called when the line was silent: nothing inside a damaged frame is ever taken for
    another.

    Attributes
    ----------
    lost : :class:`bool`
        Something was dropped since ``reset``.
    """

    def __init__(self):
        self.reset()

    def reset(self):
        """Begin anew: the next byte is the first of a frame."""
        self._buffer = bytearray()
        self.lost = False

    def feed(self, data):
        """The answers that ``data`` completes."""
        answers = []
        if not self.lost:
            self._buffer += data
        while self._buffer and not self.lost:
            size, answer = self._frame()
            if not size:
                break
            answers.append(answer)
            del self._buffer[:size]
        return answers

    def _frame(self):
        """Size and content of the frame in front; size 0 if it is not whole."""
        raw = self._buffer
        body = 1 + ANSWER_HEADER.size + CRC_BYTES
        if raw[0] != ANSWER_MARK:
            return self._give_up()
        if len(raw) < body:
            return 0, None
        header = bytes(raw[1:1 + ANSWER_HEADER.size])
        check = zlib.crc32(header)
        if raw[body - CRC_BYTES:body] != check.to_bytes(CRC_BYTES, "little"):
            return self._give_up()
        status, sequence, last, length = ANSWER_HEADER.unpack(header)
        if not length:
            return body, Answer(status, sequence, last, b"")
        size = body + length + CRC_BYTES
        if len(raw) < size:
            return 0, None
        payload = bytes(raw[body:body + length])
        if raw[size - CRC_BYTES:size] != zlib.crc32(payload, check).to_bytes(CRC_BYTES, "little"):
            return self._give_up()
        return size, Answer(status, sequence, last, payload)

    def _give_up(self):
        self.lost = True
        self._buffer.clear()
        return 0, None
