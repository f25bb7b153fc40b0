"""Frames of the host link: encoder of requests, parser and checks of answers."""

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

_ALIGN = 4096           # alignment of the host memory's first byte
_SLOWEST = 300          # baud
_LONGEST = 20_000_000   # microseconds: the longest time-out of the gateware


def encode_request(command: int, sequence: int, addr: int = 0, length: int = 0,
                   payload: bytes = b"") -> bytes:
    """Return the bytes of a request.

    Parameters
    ----------
    command : :class:`weft.spec.link_frames.Command`
    sequence, addr : :class:`int`
        Sequence number and address.
    length : :class:`int`
        Bytes to read. For a write, the length of ``payload`` is sent instead.
    payload : :class:`bytes`
        Bytes to write.
    """
    writes = command in (Command.WRITE_MEMORY, Command.WRITE_REGISTERS)
    header = REQUEST_HEADER.pack(command, sequence, len(payload) if writes else length, addr)
    check = zlib.crc32(header)
    frame = bytes([REQUEST_MARK]) + header + check.to_bytes(CRC_BYTES, "little")
    if writes:
        frame += payload + zlib.crc32(payload, check).to_bytes(CRC_BYTES, "little")
    return frame


def parse_info(raw: bytes) -> Info:
    """Decode the information that a board sent about itself.

    Raises
    ------
    LinkError
        If its version is another one, or if a value is impossible.
    """
    protocol = int.from_bytes(raw[:2], "little")
    if protocol != PROTOCOL:
        raise LinkError(f"the board uses version {protocol} of the host link, this driver "
                        f"version {PROTOCOL}; build both from the same source")
    if len(raw) != Info.FORMAT.size:
        raise LinkError(f"the board's information has {len(raw)} bytes instead of "
                        f"{Info.FORMAT.size}: this driver does not support its host link")
    info = Info.unpack(raw)
    for what, value, possible in (
            ("a payload of {} bytes", info.payload, 64 <= info.payload <= 4096),
            ("a line of {} baud", info.baud, info.baud >= _SLOWEST),
            ("a clock of {} Hz", info.clock_hz, info.clock_hz),
            ("a bus of {} bytes", info.bus_bytes, info.bus_bytes in (4, 8, 16, 32)),
            ("a time-out of {} us", info.timeout_us, 0 < info.timeout_us <= _LONGEST),
            ("host memory from address {:#x}", info.memory_base, info.memory_base % _ALIGN == 0),
            ("{} bytes of host memory", info.memory_bytes,
             info.memory_base + info.memory_bytes <= 1 << 32)):
        if not possible:
            raise LinkError(f"the board reports {what.format(value)}, which is impossible: build "
                            "bitstream and driver from the same source")
    return info


@dataclasses.dataclass(frozen=True)
class Answer:
    """Answer of the board to a request.

    Attributes
    ----------
    status : :class:`int`
        A :class:`weft.spec.link_frames.Status`, or another number.
    sequence : :class:`int`
        Sequence number of the request.
    last : :class:`int`
        Sequence number of the request that was executed last.
    payload : :class:`bytes`
        Bytes that were read.
    """

    status: int
    sequence: int
    last: int
    payload: bytes


class AnswerParser:
    """Parser that finds answers in a stream of bytes.

    After a damaged or foreign frame, all bytes are dropped until :meth:`reset`, so that no part of
    a damaged frame is taken for an answer. Call :meth:`reset` when the line has been silent.

    Attributes
    ----------
    lost : :class:`bool`
        Bytes were dropped since the last :meth:`reset`.
    """

    lost: bool

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Take the next byte as the first byte of a frame."""
        self._buffer = bytearray()
        self.lost = False

    def feed(self, data: bytes) -> list[Answer]:
        """Return the answers that ``data`` completes."""
        answers: list[Answer] = []
        if not self.lost:
            self._buffer += data
        while self._buffer and not self.lost:
            size, answer = self._frame()
            if answer is None:
                break
            answers.append(answer)
            del self._buffer[:size]
        return answers

    def _frame(self) -> tuple[int, Answer | None]:
        """Return size and content of the first frame; ``None`` if it is incomplete or damaged."""
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

    def _give_up(self) -> tuple[int, None]:
        self.lost = True
        self._buffer.clear()
        return 0, None
