"""Compiled simulation of a design with a serial line, and its connection to a serial port."""

import ctypes
import os
import pathlib
import select
import threading
import tty

from weft.verilog import to_rtlil
from weft_host.device.rtl_build import build

__all__ = ["LinkSimulation", "PseudoTerminal"]

_SLICE = 500            # cycles between two polls of the terminal
_BUFFER_BYTES = 4096
_DRIVER = pathlib.Path(__file__).parent / "link_driver.cc"


class LinkSimulation:
    """Compiled simulation of a component with the ports ``rx`` and ``tx``.

    Parameters
    ----------
    component : :class:`amaranth.lib.wiring.Component`
        Compiled on first use; see :func:`weft_host.device.rtl_build.build`.
    bit_cycles : :class:`int`
        Clock cycles per bit on the line.
    progress : callable
        Receives messages about the build.
    """

    def __init__(self, component, *, bit_cycles, progress=lambda text: None):
        library = build(to_rtlil(component, "weft"), driver=_DRIVER, progress=progress)
        self._library = ctypes.CDLL(str(library))
        for name, result, *arguments in (
                ("create", ctypes.c_void_p, ctypes.c_uint32),
                ("destroy", None, ctypes.c_void_p),
                ("cycle", ctypes.c_uint64, ctypes.c_void_p),
                ("broken", ctypes.c_uint64, ctypes.c_void_p),
                ("unsent", ctypes.c_uint64, ctypes.c_void_p),
                ("run", ctypes.c_uint64, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint64,
                 ctypes.c_uint64, ctypes.c_char_p, ctypes.c_uint64)):
            function = getattr(self._library, "link_" + name)
            function.restype, function.argtypes = result, arguments
        self._handle = self._library.link_create(bit_cycles)

    def run(self, data=b"", cycles=_SLICE):
        """Queue bytes for ``rx``, simulate, and return the bytes received from ``tx``."""
        received = ctypes.create_string_buffer(_BUFFER_BYTES)
        count = self._library.link_run(self._handle, data, len(data), cycles, received,
                                       _BUFFER_BYTES)
        return received.raw[:count]

    @property
    def cycle(self):
        """Clock cycles since the start."""
        return self._library.link_cycle(self._handle)

    @property
    def unsent(self):
        """Number of bytes that are queued for ``rx``."""
        return self._library.link_unsent(self._handle)

    @property
    def broken(self):
        """Number of bytes from ``tx`` without a stop bit."""
        return self._library.link_broken(self._handle)

    def close(self):
        """Free the simulation."""
        if self._handle:
            self._library.link_destroy(self._handle)
            self._handle = None


class PseudoTerminal:
    """Serial port that is connected to a :class:`LinkSimulation`, which runs in a thread.

    Parameters
    ----------
    simulation : :class:`LinkSimulation`
    spoil : callable, optional
        Function of ``(data, to_board)`` that returns the bytes to deliver in place of ``data``.

    Attributes
    ----------
    port : :class:`str`
        Name of the serial port.
    """

    def __init__(self, simulation, spoil=lambda data, to_board: data):
        self.simulation = simulation
        self.spoil = spoil
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while not self._stop.is_set():
            data = b""
            readable = select.select([self._master], [], [], 0)[0]
            if readable and self.simulation.unsent < _BUFFER_BYTES:
                data = self.spoil(os.read(self._master, _BUFFER_BYTES), True)
            received = self.simulation.run(data)
            if received:
                os.write(self._master, self.spoil(received, False))

    def close(self):
        """Stop the thread and free all resources."""
        self._stop.set()
        self._thread.join()
        os.close(self._master)
        os.close(self._slave)
        self.simulation.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
