"""A board at a serial port as a device."""

import errno
import os
import time

from weft.spec import register_map
from weft.spec.link_frames import Status

from ..configuration import find_config
from ..emulator.registers import pack, unpack
from ..errors import DeviceTimeout, LinkError, ProgramError, RegisterError
from ..link.client import LinkClient
from .base import Device

__all__ = ["SerialDevice", "SerialLine"]

BAUD = 1_000_000
_POLL = 0.05            # seconds between two looks at STATUS, at most
_SLICE = 0.1            # seconds that one read of the port waits at most
_LOOK = 1.0             # seconds between two looks at the progress of a program
_STUCK = 5.0            # seconds without progress after which a device is stuck
_WRITE = 5.0            # seconds for bytes to go, beside their time on the line
_BUFFERED = 1 << 14     # bytes that wait to be sent, at most
_PROGRESS = ("PC", "COUNTER_MAC_BUSY", "COUNTER_BYTES_READ", "COUNTER_BYTES_WRITTEN",
             "COUNTER_INSTRUCTIONS")


class SerialLine:
    """A serial port as a line for :class:`weft_host.link.LinkClient`.

    Parameters
    ----------
    port : :class:`str`
        Such as ``/dev/ttyUSB0`` or ``COM3``.
    baud : :class:`int`
        Bits a second.

    Raises
    ------
    LinkError
        If pyserial is not installed, or the port cannot be opened.
    """

    def __init__(self, port, baud=BAUD):
        try:
            import serial
        except ImportError:
            raise LinkError("serial ports need pyserial, which is not installed: "
                            "pip install 'weft[serial]'") from None
        self.port = port
        self._errors = (serial.SerialException, OSError)
        try:
            self._serial = serial.Serial(port, baud, timeout=_SLICE, exclusive=True,
                                         write_timeout=_WRITE + 10 * _BUFFERED / max(baud, 1))
        except (*self._errors, ValueError, OverflowError) as error:
            number = getattr(error, "errno", None)
            if number in (errno.EBUSY, errno.EAGAIN):       # locked by the system, or by pyserial
                raise LinkError(f"cannot open {port}: another program uses it; close that "
                                "first") from None
            reason = os.strerror(number) if number else str(error)
            raise LinkError(f"cannot open {port}: {reason}; weft doctor lists ports and "
                            "permissions") from None
        try:
            # USB adapters from FTDI otherwise keep short answers for 16 ms
            self._serial.set_low_latency_mode(True)
        except (AttributeError, NotImplementedError, ValueError, *self._errors):
            pass        # other adapters have no such mode, and need none

    def write(self, data):
        """Send bytes."""
        try:
            self._serial.write(data)
        except self._errors as error:
            raise LinkError(f"{self.port} cannot be written to: {error}") from None

    def read(self, seconds):
        """What has arrived, or arrives first within ``seconds``."""
        deadline = time.monotonic() + seconds
        try:
            while True:
                waiting = self._serial.in_waiting
                data = self._serial.read(waiting or 1)
                if data or time.monotonic() >= deadline:
                    return data
        except self._errors as error:
            raise LinkError(f"{self.port} cannot be read: {error}; was the cable "
                            "unplugged?") from None

    def close(self):
        """Give the port back."""
        self._serial.close()


class SerialDevice(Device):
    """Runs programs on a board, through the host link.

    Parameters
    ----------
    port : :class:`str` or line
        A serial port, or an object like :class:`SerialLine`.
    config : :class:`weft.spec.config.Config`, optional
        What the board is expected to be; without it, what it says it is, see
        :func:`weft_host.configuration.find_config`.
    baud : :class:`int`
        Bits a second, as the bitstream was built.
    memory_bytes : :class:`int`, optional
        Host memory to use; by default what the board reports.
    timeout : :class:`float`
        See :class:`weft_host.link.LinkClient`.

    Attributes
    ----------
    link : :class:`weft_host.link.LinkClient`
    info : :class:`weft.spec.link_frames.Info`

    Raises
    ------
    LinkError
        If the port cannot be opened, or nothing or something else answers there.
    DeviceTimeout
        From methods: if the device is busy for seconds without any progress.
    ProgramError
        If the board is another configuration.
    """

    def __init__(self, port, config=None, *, baud=BAUD, memory_bytes=None, timeout=0.25):
        self.line = SerialLine(port, baud) if isinstance(port, str) else port
        try:
            self.link = LinkClient(self.line, timeout=timeout)
            self.info = self.link.connect()
            config = self._check_config(config)
            memory_bytes = memory_bytes or self.info.memory_bytes
            if not memory_bytes:
                raise LinkError("the board does not tell how much host memory it has; "
                                "give memory_bytes")
            if self.info.memory_bytes and memory_bytes > self.info.memory_bytes:
                raise ProgramError(f"{memory_bytes} bytes of host memory are asked for, the board "
                                   f"has {self.info.memory_bytes}")
            if self.info.memory_base + self.info.memory_bytes > 1 << config.addr_width:
                raise LinkError(f"the board tells of {self.info.memory_bytes} bytes of host memory "
                                f"from {self.info.memory_base:#x} on, which its "
                                f"{config.addr_width} address bits do not reach")
            super().__init__(config, memory_base=self.info.memory_base, memory_bytes=memory_bytes)
        except BaseException:
            self.close()
            raise

    def _check_config(self, config):
        magic, found = (self.read_register(name) for name in ("ID", "CONFIG_HASH"))
        if magic != register_map.MAGIC:
            raise LinkError(f"register ID reads {magic:#010x} instead of {register_map.MAGIC:#010x}: "
                            "behind the host link is no Weft accelerator")
        if config is None:
            known, unread = find_config(found, self.info.board)
            if known is None:
                raise ProgramError("; ".join([
                    f"the board {self.info.board!r} is a configuration ({found:08x}) that is "
                    "neither a preset nor that of a file in boards; name it with --preset and "
                    "--set", *unread]))
            return known
        if config.fingerprint != found:
            known, _ = find_config(found, self.info.board)
            name = f"{known.name!r}" if known else "another configuration"
            raise ProgramError(f"the board is {name} ({found:08x}), not {config.name!r} "
                               f"({config.fingerprint:08x})")
        return config

    def close(self):
        """Give the port back."""
        close = getattr(self.line, "close", None)
        if close:
            close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _check_range(self, addr, size):
        at = addr - self.memory_base
        if at < 0 or at + size > self.memory_bytes:
            raise ValueError(
                f"bytes {addr:#x} to {addr + size - 1:#x} lie outside the device's memory, "
                f"{self.memory_base:#x} to {self.memory_base + self.memory_bytes - 1:#x}")

    def _request(self, method, *arguments):
        """What a method of the link gives; after its errors nothing counts as loaded."""
        try:
            return method(*arguments)
        except LinkError:
            self._loaded = None
            raise

    def _read(self, addr, size):
        self._check_range(addr, size)
        return self._request(self.link.read_memory, addr, size)

    def _write(self, addr, data):
        self._check_range(addr, len(data))
        self._request(self.link.write_memory, addr, data)

    def read_register(self, name):
        """The word in register ``name``."""
        try:
            return self._request(self.link.read_registers, register_map.BY_NAME[name].offset)[0]
        except LinkError as error:
            if error.status == Status.SLVERR:
                raise RegisterError(f"the device refused to read {name}") from None
            raise

    def write_register(self, name, value):
        """Write a word to register ``name``; :class:`RegisterError` if that is refused."""
        try:
            self._request(self.link.write_register, register_map.BY_NAME[name].offset, value)
        except LinkError as error:
            if error.status == Status.SLVERR:
                raise RegisterError(f"the device refused to write {value:#x} to {name}") from None
            raise

    def _await_clear(self, state):
        deadline = time.monotonic() + _STUCK
        while unpack("STATUS", self.read_register("STATUS"))[state]:
            if time.monotonic() > deadline:
                raise self._stuck(state)

    def _stuck(self, state):
        """The error for a device that does not leave ``state``: what its registers say."""
        names = ("STATUS", "ERROR_CODE", *_PROGRESS)
        words = ", ".join(f"{name} {self.read_register(name):#x}" for name in names)
        return DeviceTimeout(f"the device is stuck, {state} for {_STUCK:g} seconds without "
                             f"progress: {words}", self.waits())

    def _snapshot(self):
        self.write_register("CONTROL", pack("CONTROL", SNAPSHOT=1))

    def wait(self, limit=None):
        """Ask until the device is idle; :class:`DeviceTimeout` after ``limit`` cycles, or if for
        seconds nothing moves: no instruction starts or ends, no byte and no vector passes."""
        pause = 0.001
        progress, moved = (), time.monotonic()
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
