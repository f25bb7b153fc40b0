"""A board at a serial port as a device."""

import os
import time

from weft.control import regmap
from weft.link.frames import Status
from weft.presets import PRESETS

from ..errors import DeviceTimeout, LinkError, ProgramError, RegisterError
from ..link.client import LinkClient
from .base import Device
from .registers import pack, unpack

__all__ = ["SerialDevice", "SerialLine"]

BAUD = 1_000_000
_POLL = 0.05            # seconds between two looks at STATUS, at most
_SLICE = 0.1            # seconds that one read of the port waits at most


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
            self._serial = serial.Serial(port, baud, timeout=_SLICE, exclusive=True)
        except (*self._errors, ValueError) as error:
            number = getattr(error, "errno", None)
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
    config : :class:`weft.config.Config`, optional
        What the board is expected to be; without it, the preset with the hash that it reports.
    baud : :class:`int`
        Bits a second, as the bitstream was built.
    memory_bytes : :class:`int`, optional
        Host memory to use; by default what the board reports.
    timeout : :class:`float`
        See :class:`weft_host.link.LinkClient`.

    Attributes
    ----------
    link : :class:`weft_host.link.LinkClient`
    info : :class:`weft.link.frames.Info`

    Raises
    ------
    LinkError
        If the port cannot be opened, or nothing or something else answers there.
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
            super().__init__(config, memory_base=self.info.memory_base, memory_bytes=memory_bytes)
        except BaseException:
            self.close()
            raise

    def _check_config(self, config):
        magic, found = (self.read_register(name) for name in ("ID", "CONFIG_HASH"))
        if magic != regmap.MAGIC:
            raise LinkError(f"register ID reads {magic:#010x} instead of {regmap.MAGIC:#010x}: "
                            "behind the host link is no Weft accelerator")
        known = {preset.fingerprint: preset for preset in PRESETS.values()}
        if config is None:
            if found not in known:
                raise ProgramError(f"the board is a configuration ({found:08x}) that is no preset; "
                                   "name it with --preset and --set")
            return known[found]
        if config.fingerprint != found:
            name = f"preset {known[found].name!r}" if found in known else "another configuration"
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

    def _read(self, addr, size):
        self._check_range(addr, size)
        return self.link.read_memory(addr, size)

    def _write(self, addr, data):
        self._check_range(addr, len(data))
        self.link.write_memory(addr, data)

    def read_register(self, name):
        """The word in register ``name``."""
        try:
            return self.link.read_registers(regmap.BY_NAME[name].offset)[0]
        except LinkError as error:
            if error.status == Status.SLVERR:
                raise RegisterError(f"the device refused to read {name}") from None
            raise

    def write_register(self, name, value):
        """Write a word to register ``name``; :class:`RegisterError` if that is refused."""
        try:
            self.link.write_register(regmap.BY_NAME[name].offset, value)
        except LinkError as error:
            if error.status == Status.SLVERR:
                raise RegisterError(f"the device refused to write {value:#x} to {name}") from None
            raise

    def wait(self, limit=None):
        """Ask until the device is idle; :class:`DeviceTimeout` after ``limit`` cycles."""
        pause = 0.001
        while unpack("STATUS", self.read_register("STATUS"))["BUSY"]:
            if limit is not None:
                self.write_register("CONTROL", pack("CONTROL", SNAPSHOT=1))
                passed = self.read_register("COUNTER_CYCLES")
                if passed >= limit:
                    raise DeviceTimeout(f"the program is not done after {passed} cycles",
                                        self.waits())
            time.sleep(pause)
            pause = min(2 * pause, _POLL)
