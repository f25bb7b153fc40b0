"""Model of the host link in Python, for campaigns of many frames."""

import zlib

from weft.spec.link_frames import (
    ANSWER_HEADER,
    ANSWER_MARK,
    CRC_BYTES,
    REQUEST_HEADER,
    REQUEST_MARK,
    Command,
    Status,
)

__all__ = ["LinkModel"]

_HEAD = 1 + REQUEST_HEADER.size + CRC_BYTES


def _crc(data, start=0):
    return zlib.crc32(data, start).to_bytes(CRC_BYTES, "little")


class LinkModel:
    """Model of a board: host link, memory and registers.

    The first half of the registers stores written values; the second half adds them to its
    contents, so that a request that is executed twice leaves a trace.

    Parameters
    ----------
    info : :class:`weft.spec.link_frames.Info`
        Answer to ``Command.INFO``; also defines payload and bus width.
    base, size : :class:`int`
        Address and size of the host memory; the bus responds with DECERR elsewhere.
    registers : :class:`int`
        Number of registers; the bus responds with SLVERR elsewhere.

    Attributes
    ----------
    memory : :class:`bytearray`
        Contents of the host memory.
    executed : :class:`list`
        ``(command, sequence, addr, length, payload)`` of all executed requests, in order, without
        repetitions of reads.
    """

    def __init__(self, info, *, base=0, size=4096, registers=512):
        self.info = info
        self.base = base
        self.memory = bytearray(size)
        self.registers = [0] * registers
        self.last = 0
        self.last_status = Status.OKAY
        self.executed = []
        self.silence()

    def silence(self):
        """Simulate silence on the line for the duration of the time-out."""
        self._buffer = bytearray()
        self._dropping = False

    def feed(self, data):
        """Return the answers to received bytes, as bytes."""
        answers = b""
        if not self._dropping:
            self._buffer += data
        while self._buffer and not self._dropping:
            size, answer = self._frame(bytes(self._buffer))
            if not size:
                break
            answers += answer
            del self._buffer[:size]
        if self._dropping:
            self._buffer.clear()
        return answers

    def _drop(self, answer=b""):
        self._dropping = True
        return (1 if answer else 0), answer

    def _frame(self, raw):
        if raw[0] != REQUEST_MARK:
            return self._drop()
        if len(raw) < _HEAD:
            return 0, b""
        header = raw[1:_HEAD - CRC_BYTES]
        check = zlib.crc32(header)
        if raw[_HEAD - CRC_BYTES:_HEAD] != _crc(header):
            return self._drop()
        command, sequence, length, addr = REQUEST_HEADER.unpack(header)
        if not command & 1:
            return _HEAD, self._request(command, sequence, length, addr, b"")
        if not 1 <= length <= self.info.payload:
            return self._drop(self._request(command, sequence, length, addr, b""))
        size = _HEAD + length + CRC_BYTES
        if len(raw) < size:
            return 0, b""
        payload = raw[_HEAD:_HEAD + length]
        if raw[size - CRC_BYTES:size] != _crc(payload, check):
            return self._drop()
        return size, self._request(command, sequence, length, addr, payload)

    def _request(self, command, sequence, length, addr, payload):
        status, data = self._execute(command, sequence, length, addr, payload)
        if status != Status.OKAY:
            data = b""
        header = ANSWER_HEADER.pack(status, sequence, self.last, len(data))
        answer = bytes([ANSWER_MARK]) + header + _crc(header)
        return answer + (data + _crc(data, zlib.crc32(header)) if data else b"")

    def _execute(self, command, sequence, length, addr, payload):
        if command == Command.INFO:
            return Status.OKAY, self.info.pack()
        known = command in tuple(Command)
        aligned = not command & 2 or not (addr | length) & 3
        if not known or not aligned or not 1 <= length <= self.info.payload:
            return Status.INVALID, b""
        ahead = (sequence - self.last) % 256
        if ahead > 1:
            return Status.ORDER, b""
        if not ahead and command & 1:
            return self.last_status, b""
        if ahead or command & 1:
            self.executed.append((command, sequence, addr, length, payload))
        access = self._registers if command & 2 else self._memory
        status, data = access(addr, length, payload)
        self.last, self.last_status = sequence, status
        return status, data

    def _memory(self, addr, length, payload):
        beat, end = self.info.bus_bytes, addr + length
        data = bytearray()
        for start in range(addr & -beat, end, beat):
            at = (start & 0xFFFFFFFF) - self.base
            if not 0 <= at <= len(self.memory) - beat:
                return Status.DECERR, b""
            first, last = max(addr, start), min(end, start + beat)
            part = slice(at + first - start, at + last - start)
            if payload:
                self.memory[part] = payload[first - addr:last - addr]
            data += self.memory[part]
        return Status.OKAY, b"" if payload else bytes(data)

    def _registers(self, addr, length, payload):
        data = b""
        for at in range(0, length, 4):
            index = (addr + at & 0xFFF) // 4
            if index >= len(self.registers):
                return Status.SLVERR, b""
            if payload:
                word = int.from_bytes(payload[at:at + 4], "little")
                if index >= len(self.registers) // 2:
                    word = word + self.registers[index] & 0xFFFFFFFF
                self.registers[index] = word
            data += self.registers[index].to_bytes(4, "little")
        return Status.OKAY, b"" if payload else data
