"""Serial port as a byte stream for the host link."""

import errno
import os
import time

from ..errors import LinkError

__all__ = ["BAUD", "SerialLine"]

BAUD = 1_000_000
"""Default rate in bits per second."""

_SLICE = 0.1            # longest time of one read of the port, in seconds
_WRITE = 5.0            # seconds that a write may take in addition to the transmission
_BUFFERED = 1 << 14     # largest number of bytes that the system buffers for transmission


class SerialLine:
    """A serial port as a line for :class:`weft_host.link.LinkClient`.

    Parameters
    ----------
    port : :class:`str`
        Name of the port, such as ``/dev/ttyUSB0`` or ``COM3``.
    baud : :class:`int`
        Bits per second.

    Attributes
    ----------
    port : :class:`str`
    baud : :class:`int`

    Raises
    ------
    LinkError
        If pyserial is not installed, or if the port cannot be opened.
    """

    port: str
    baud: int

    def __init__(self, port: str, baud: int = BAUD) -> None:
        try:
            import serial
        except ImportError:
            raise LinkError("serial ports need pyserial, which is not installed: "
                            "pip install 'weft[serial]'") from None
        self.port = port
        self.baud = baud
        self._errors: tuple[type[Exception], ...] = (serial.SerialException, OSError)
        try:
            self._serial = serial.Serial(port, baud, timeout=_SLICE, exclusive=True,
                                         write_timeout=_WRITE + 10 * _BUFFERED / max(baud, 1))
        except (*self._errors, ValueError, OverflowError) as error:
            number = getattr(error, "errno", None)
            if number in (errno.EBUSY, errno.EAGAIN):       # locked by the system, or by pyserial
                raise LinkError(f"cannot open {port}: another program uses it; close that "
                                "program first") from None
            reason = os.strerror(number) if number else str(error)
            raise LinkError(f"cannot open {port}: {reason}; weft doctor lists ports and "
                            "permissions") from None
        try:
            # USB adapters from FTDI otherwise delay short answers by 16 ms
            self._serial.set_low_latency_mode(True)
        except (AttributeError, NotImplementedError, ValueError, *self._errors):
            pass        # other adapters have no such mode and need none

    def write(self, data: bytes) -> None:
        """Send bytes."""
        try:
            self._serial.write(data)
        except self._errors as error:
            raise LinkError(f"{self.port} cannot be written to: {error}") from None

    def read(self, seconds: float) -> bytes:
        """Return the bytes that have arrived; wait at most ``seconds`` for the first one."""
        deadline = time.monotonic() + seconds
        try:
            while True:
                waiting = self._serial.in_waiting
                data = bytes(self._serial.read(waiting or 1))
                if data or time.monotonic() >= deadline:
                    return data
        except self._errors as error:
            raise LinkError(f"{self.port} cannot be read: {error}; was the cable "
                            "unplugged?") from None

    def close(self) -> None:
        """Close the port."""
        self._serial.close()
