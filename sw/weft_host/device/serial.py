"""Board at a serial port as a device."""

import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from weft.spec import register_map
from weft.spec.config import Config
from weft.spec.link_frames import Info, Status

from ..configuration import find_config, resolve_config
from ..emulator.host_memory import memory_offset
from ..errors import DeviceTimeout, LinkError, ProgramError, RegisterError
from ..link.client import Line, LinkClient
from ..register_words import check_word, find_register, pack, unpack
from .base import Device
from .serial_line import BAUD, SerialLine

__all__ = ["BAUD", "SerialDevice", "SerialLine"]

_POLL = 0.05            # longest time between two reads of STATUS, in seconds
_LOOK = 1.0             # seconds between two checks for progress of a program
_STUCK = 5.0            # seconds without progress after which a device counts as stuck
_PROGRESS = ("PC", "COUNTER_MAC_BUSY", "COUNTER_BYTES_READ", "COUNTER_BYTES_WRITTEN",
             "COUNTER_INSTRUCTIONS")

_P = ParamSpec("_P")
_T = TypeVar("_T")


class SerialDevice(Device):
    """Board that is accessed through the host link.

    Parameters
    ----------
    port : :class:`str` or line
        A serial port, or an object like :class:`SerialLine`.
    config : :class:`weft.spec.config.Config` or :class:`str`, optional
        Expected configuration of the board, or the name of its preset or of the board. Without
        it, the configuration that the board reports is looked up, see
        :func:`weft_host.configuration.find_config`.
    baud : :class:`int`
        Bits per second; must be the rate that the bitstream was built for.
    memory_bytes : :class:`int`, optional
        Size of the host memory to use; by default the size that the board reports.
    timeout : :class:`float`
        See :class:`weft_host.link.LinkClient`.

    Attributes
    ----------
    line : line
        Byte stream to the board, such as a :class:`SerialLine`.
    link : :class:`weft_host.link.LinkClient`
    info : :class:`weft.spec.link_frames.Info`
        The board's description of itself.

    Raises
    ------
    LinkError
        If the port cannot be opened, or if no Weft board answers.
    DeviceTimeout
        In methods, if the device is busy for 5 seconds without progress.
    ProgramError
        If the board has another configuration.
    """

    line: Line
    link: LinkClient
    info: Info

    def __init__(self, port: str | Line, config: Config | str | None = None, *, baud: int = BAUD,
                 memory_bytes: int | None = None, timeout: float = 0.25) -> None:
        expected = None if config is None else resolve_config(config)
        if not isinstance(port, str) and not (hasattr(port, "read") and hasattr(port, "write")):
            raise TypeError("port must be the name of a serial port, or a line with the methods "
                            f"read and write, not {port!r}")
        self.line = SerialLine(port, baud) if isinstance(port, str) else port
        try:
            self.link = LinkClient(self.line, timeout=timeout)
            self.info = self.link.connect()
            found = self._check_config(expected)
            memory_bytes = memory_bytes or self.info.memory_bytes
            if not memory_bytes:
                raise LinkError("the board does not report the size of its host memory; "
                                "pass memory_bytes")
            if self.info.memory_bytes and memory_bytes > self.info.memory_bytes:
                raise ProgramError(f"{memory_bytes} bytes of host memory were requested; the board "
                                   f"has {self.info.memory_bytes}")
            if self.info.memory_base + self.info.memory_bytes > 1 << found.addr_width:
                raise LinkError(f"the board reports {self.info.memory_bytes} bytes of host memory "
                                f"from address {self.info.memory_base:#x}, which exceed its "
                                f"{found.addr_width} address bits")
            super().__init__(found, memory_base=self.info.memory_base, memory_bytes=memory_bytes)
        except BaseException:
            self.close()
            raise

    def _location(self) -> str:
        if isinstance(self.line, SerialLine):
            return f"{self.line.port} at {self.line.baud:,} baud, "
        return f"{type(self.line).__name__}, "

    def _check_config(self, config: Config | None) -> Config:
        """Return the board's configuration, which must be ``config`` if that is given."""
        magic, found = (self.read_register(name) for name in ("ID", "CONFIG_HASH"))
        if magic != register_map.MAGIC:
            raise LinkError(f"register ID is {magic:#010x} instead of {register_map.MAGIC:#010x}: "
                            "there is no Weft accelerator at the host link")
        if config is None:
            known, unread = find_config(found, self.info.board)
            if known is None:
                raise ProgramError("; ".join([
                    f"the board {self.info.board!r} has a configuration ({found:08x}) that is "
                    "neither a preset nor that of a board file; specify it with --preset and "
                    "--set", *unread]))
            return known
        if config.fingerprint != found:
            known, _ = find_config(found, self.info.board)
            name = f"{known.name!r}" if known else "another configuration"
            raise ProgramError(f"the board is {name} ({found:08x}), not {config.name!r} "
                               f"({config.fingerprint:08x})")
        return config

    def close(self) -> None:
        """Close the port. Closing it again does nothing."""
        super().close()
        close: Callable[[], None] | None = getattr(self.line, "close", None)
        if close:
            close()

    def _request(self, method: Callable[_P, _T], *arguments: _P.args, **options: _P.kwargs) -> _T:
        """Call a method of the link. After a failure, no program counts as loaded."""
        self._check_open()
        try:
            return method(*arguments, **options)
        except LinkError:
            self._loaded = None
            raise

    def _check_range(self, addr: int, size: int) -> None:
        memory_offset(addr, size, base=self.memory_base, length=self.memory_bytes)

    def _read(self, addr: int, size: int) -> bytes:
        self._check_range(addr, size)
        return self._request(self.link.read_memory, addr, size)

    def _write(self, addr: int, data: bytes) -> None:
        self._check_range(addr, len(data))
        self._request(self.link.write_memory, addr, data)

    def read_register(self, name: str) -> int:
        """Return the word in register ``name``."""
        try:
            return self._request(self.link.read_registers, find_register(name).offset)[0]
        except LinkError as error:
            if error.status == Status.SLVERR:
                raise RegisterError(f"the device rejected the read of {name}") from None
            raise

    def write_register(self, name: str, value: int) -> None:
        """Write a word to register ``name``.

        Raises
        ------
        RegisterError
            If the device rejects the write.
        """
        register = find_register(name)
        check_word(name, value)
        try:
            self._request(self.link.write_register, register.offset, value)
        except LinkError as error:
            if error.status == Status.SLVERR:
                raise RegisterError(f"the device rejected the write of {value:#x} to "
                                    f"{name}") from None
            raise

    def _await_clear(self, state: str) -> None:
        deadline = time.monotonic() + _STUCK
        while unpack("STATUS", self.read_register("STATUS"))[state]:
            if time.monotonic() > deadline:
                raise self._stuck(state)

    def _stuck(self, state: str) -> DeviceTimeout:
        """Return the error for a device that does not leave ``state``, with its registers."""
        names = ("STATUS", "ERROR_CODE", *_PROGRESS)
        words = ", ".join(f"{name} {self.read_register(name):#x}" for name in names)
        return DeviceTimeout(f"the device is stuck, {state} for {_STUCK:g} seconds without "
                             f"progress: {words}", self.waits())

    def _snapshot(self) -> None:
        self.write_register("CONTROL", pack("CONTROL", SNAPSHOT=1))

    def wait(self, limit: int | None = None) -> None:
        """Poll until the device is idle.

        Raises
        ------
        DeviceTimeout
            After ``limit`` cycles, or after 5 seconds without progress: no instruction has been
            fetched or completed, no byte transferred and no vector multiplied.
        """
        pause = 0.001
        progress: tuple[int, ...] = ()
        moved = time.monotonic()
        look = moved + _LOOK
        while unpack("STATUS", self.read_register("STATUS"))["BUSY"]:
            if limit is not None:
                self._snapshot()
                passed = self.read_register("COUNTER_CYCLES")
                if passed >= limit:
                    raise DeviceTimeout(f"the program is not done after {passed} cycles",
                                        self.waits())
            if time.monotonic() >= look:
                self._snapshot()
                before, progress = progress, tuple(map(self.read_register, _PROGRESS))
                now = time.monotonic()
                look = now + _LOOK
                if progress != before:
                    moved = now
                elif now - moved > _STUCK:
                    raise self._stuck("BUSY")
            time.sleep(pause)
            pause = min(2 * pause, _POLL)
