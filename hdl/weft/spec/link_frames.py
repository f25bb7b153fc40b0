"""Frame format of the host link, shared by gateware, driver and documentation.

A request consists of ``REQUEST_MARK``, a header, the CRC-32 of the header and, for a write, a
payload and the CRC-32 of header and payload. An answer has the same form and starts with
``ANSWER_MARK``. All numbers are little-endian.
"""

import dataclasses
import enum
import struct
from typing import ClassVar, Self

__all__ = ["ANSWER_HEADER", "ANSWER_MARK", "CRC_BYTES", "Command", "Info", "PROTOCOL",
           "REQUEST_HEADER", "REQUEST_MARK", "SEQUENCES", "Status"]

PROTOCOL = 1
"""Version of the protocol."""

REQUEST_MARK = 0xA5
ANSWER_MARK = 0x5A
CRC_BYTES = 4
SEQUENCES = 256
"""Number of different sequence numbers; after the last one follows 0."""

REQUEST_HEADER = struct.Struct("<BBHI")
"""Command, sequence number, length in bytes, address."""

ANSWER_HEADER = struct.Struct("<BBBH")
"""Status, sequence number of the request, sequence number of the request executed last, payload
bytes."""


class Command(enum.IntEnum):
    """Command of a request.

    Bit 0 is set for a write, bit 1 for an access to registers instead of memory, and bit 4 for any
    access to a bus.
    """

    INFO = 0x00
    READ_MEMORY = 0x10
    WRITE_MEMORY = 0x11
    READ_REGISTERS = 0x12
    WRITE_REGISTERS = 0x13


class Status(enum.IntEnum):
    """Result of a request."""

    OKAY = 0
    SLVERR = 2          # bus response
    DECERR = 3          # bus response
    TIMEOUT = 4         # no bus response, or the response to an earlier access still outstanding
    ORDER = 5           # not executed, because the sequence number is not the next one
    INVALID = 6         # not executed, because command, length or address is invalid


@dataclasses.dataclass(frozen=True, kw_only=True)
class Info:
    """Payload of the answer to ``Command.INFO``.

    Attributes
    ----------
    payload : :class:`int`
        Maximum number of payload bytes in a frame.
    queue : :class:`int`
        Size of the receive queue in bytes. Fewer bytes than this may arrive while a request is
        executed and answered.
    bus_bytes : :class:`int`
        Bytes of one beat on the memory bus.
    timeout_us : :class:`int`
        Silence on the line, in microseconds, after which the receiver discards an incomplete
        frame; also the maximum time for the response of a bus.
    clock_hz, baud : :class:`int`
        Clock frequency and baud rate of the gateware.
    memory_base, memory_bytes : :class:`int`
        Address and size of host memory; a size of 0 means unknown.
    board : :class:`str`
        Name of the board, up to 16 ASCII characters.
    protocol : :class:`int`
        Value of :data:`PROTOCOL` in the gateware.
    """

    payload: int
    queue: int
    bus_bytes: int
    timeout_us: int
    clock_hz: int
    baud: int
    memory_base: int
    memory_bytes: int
    board: str
    protocol: int = PROTOCOL

    FORMAT: ClassVar[struct.Struct] = struct.Struct("<HHHHIIIII16s")

    def pack(self) -> bytes:
        """Return the payload as bytes."""
        return self.FORMAT.pack(
            self.protocol, self.payload, self.queue, self.bus_bytes, self.timeout_us,
            self.clock_hz, self.baud, self.memory_base, self.memory_bytes, self.board.encode())

    @classmethod
    def unpack(cls, raw: bytes) -> Self:
        """Return the information that the payload ``raw`` contains.

        Raises
        ------
        ValueError
            If ``raw`` is shorter than the payload.
        """
        if len(raw) < cls.FORMAT.size:
            raise ValueError(f"the payload of INFO must have at least {cls.FORMAT.size} bytes, "
                             f"not {len(raw)}")
        (protocol, payload, queue, bus_bytes, timeout_us, clock_hz, baud, base, size,
         board) = cls.FORMAT.unpack_from(raw)
        return cls(protocol=protocol, payload=payload, queue=queue, bus_bytes=bus_bytes,
                   timeout_us=timeout_us, clock_hz=clock_hz, baud=baud, memory_base=base,
                   memory_bytes=size, board=board.rstrip(b"\0").decode("ascii", "replace"))
