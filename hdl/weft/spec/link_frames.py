"""The frames of the host link as numbers: gateware, driver and documentation take them from here.

A request is ``REQUEST_MARK``, a header, the CRC-32 of the header and, for a write, a payload and
the CRC-32 of header and payload. An answer is built the same way, with ``ANSWER_MARK``. All numbers
go lowest byte first.
"""

import dataclasses
import enum
import struct

__all__ = ["ANSWER_HEADER", "ANSWER_MARK", "CRC_BYTES", "Command", "Info", "PROTOCOL",
           "REQUEST_HEADER", "REQUEST_MARK", "SEQUENCES", "Status"]

PROTOCOL = 1
"""Version of what is described here."""

REQUEST_MARK = 0xA5
ANSWER_MARK = 0x5A
CRC_BYTES = 4
SEQUENCES = 256

REQUEST_HEADER = struct.Struct("<BBHI")
"""Command, sequence number, length in bytes, address."""

ANSWER_HEADER = struct.Struct("<BBBH")
"""Status, sequence number of the request, the one executed last, bytes of payload."""


class Command(enum.IntEnum):
    """What a request asks for. Bit 0: it writes. Bit 1: registers. Bit 4: it uses a bus."""

    INFO = 0x00
    READ_MEMORY = 0x10
    WRITE_MEMORY = 0x11
    READ_REGISTERS = 0x12
    WRITE_REGISTERS = 0x13


class Status(enum.IntEnum):
    """How a request ended."""

    OKAY = 0
    SLVERR = 2          # as on the bus
    DECERR = 3
    TIMEOUT = 4         # the bus has not answered, or still owes the answer before
    ORDER = 5           # not the next sequence number: not executed
    INVALID = 6         # no such command, length, address: not executed


@dataclasses.dataclass(frozen=True, kw_only=True)
class Info:
    """What ``Command.INFO`` answers.

    Attributes
    ----------
    payload : :class:`int`
        Bytes that a frame carries at most.
    queue : :class:`int`
        Fewer bytes than this may arrive while a request is executed and answered.
    bus_bytes, clock_hz, baud : :class:`int`
        As built.
    timeout_us : :class:`int`
        Silence after which the receiver begins anew, and time that a bus has to answer.
    memory_base, memory_bytes : :class:`int`
        Host memory; 0 bytes if the board does not tell.
    board : :class:`str`
        Its name, up to 16 characters of ASCII.
    protocol : :class:`int`
        :data:`PROTOCOL` of the gateware.
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

    FORMAT = struct.Struct("<HHHHIIIII16s")

    def pack(self):
        """As bytes."""
        return self.FORMAT.pack(
            self.protocol, self.payload, self.queue, self.bus_bytes, self.timeout_us,
            self.clock_hz, self.baud, self.memory_base, self.memory_bytes, self.board.encode())

    @classmethod
    def unpack(cls, raw):
        """From bytes. :class:`ValueError` if there are too few."""
        if len(raw) < cls.FORMAT.size:
            raise ValueError(f"{len(raw)} bytes are too few for the {cls.FORMAT.size} of Info")
        (protocol, payload, queue, bus_bytes, timeout_us, clock_hz, baud, base, size,
         board) = cls.FORMAT.unpack_from(raw)
        return cls(protocol=protocol, payload=payload, queue=queue, bus_bytes=bus_bytes,
                   timeout_us=timeout_us, clock_hz=clock_hz, baud=baud, memory_base=base,
                   memory_bytes=size, board=board.rstrip(b"\0").decode("ascii", "replace"))
