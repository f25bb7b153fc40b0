"""A compiled design with a serial line, at the far end of a pseudo-terminal."""

import ctypes
import os
import pathlib
import select
import threading
import tty

from weft.verilog import to_rtlil
from weft_host.device.rtl_build import build

__all__ = ["LinkSimulation", "PseudoTerminal"]

_SLICE = 500            # cycles between two looks at the terminal
_ROOM = 4096
_DRIVER = pathlib.Path(__file__).parent / "link_driver.cc"


class LinkSimulation:
    """A simulated component with the ports ``rx`` and ``tx``.

    Parameters
    ----------
    component : :class:`amaranth.lib.wiring.Component`
        Compiled on first use; see :func:`weft_host.device.rtl_build.build`.
    bit_cycles : :class:`int`
        Clocks of a bit on the line.
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
        """Queue bytes for ``rx`` and clock; what has come out of ``tx``."""
        room = ctypes.create_string_buffer(_ROOM)
        count = self._library.link_run(self._handle, data, len(data), cycles, room, _ROOM)
        return room.raw[:count]

    @property
    def cycle(self):
        """Clocks since the start."""
        return self._library.link_cycle(self._handle)

    @property
    def unsent(self):
        """Bytes that wait for the line."""
        return self._library.link_unsent(self._handle)

    @property
    def broken(self):
        """Bytes from ``tx`` without a stop bit."""
        return self._library.link_broken(self._handle)

    def close(self):
        """Free it."""
        if self._handle:
            self._library.link_destroy(self._handle)
            self._handle = None


class PseudoTerminal:
    """Runs a :class:`LinkSimulation` behind a serial port of its own, in a thread.

    Parameters
    ----------
    simulation : :class:`LinkSimulation`
    spoil : callable, optional
        Gets ``(data, to_board)`` for all bytes that pass, and gives what arrives in their place.

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
            if self.simulation.unsent < _ROOM and select.select([self._master], [], [], 0)[0]:
                data = self.spoil(os.read(self._master, _ROOM), True)
            received = self.simulation.run(data)
            if received:
                os.write(self._master, self.spoil(received, False))

    def close(self):
        """Stop and free everything."""
        self._stop.set()
        self._thread.join()
        os.close(self._master)
        os.close(self._slave)
        self.simulation.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
