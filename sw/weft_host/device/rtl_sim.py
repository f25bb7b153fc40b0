"""The compiled RTL as a Python object: the C interface of ``cxxrtl_driver.cc``."""

import ctypes

import numpy as np

__all__ = ["EVENTS", "Simulation", "SILENT", "STALLS"]

EVENTS = np.dtype([("cycle", "<u8"), ("queued", "<u4"), ("issued", "<u4"), ("done", "<u4"),
                   ("unused", "<u4")])
"""The events of a cycle: for each kind a bit a unit."""

STALLS = {None: (0, 0), "gaps": (1, 0), "back-pressure": (0, 1), "both": (1, 1)}
"""Pauses of the memory's answers, and of its readiness."""

SILENT = {"AR": 1, "R": 2, "AW": 4, "W": 8, "B": 16}
"""Channels that can be made to never answer."""

_RESPONSES = {"SLVERR": 2, "DECERR": 3}
_LIMIT = 100_000        # cycles that a register access may take

_U32, _U64, _PTR = ctypes.c_uint32, ctypes.c_uint64, ctypes.c_void_p
_FUNCTIONS = {
    "weft_create": (_PTR, _U64, _U64, _U32, ctypes.c_double, _U32, _U32, _U64, ctypes.c_char_p),
    "weft_destroy": (None, _PTR),
    "weft_memory": (_PTR, _PTR),
    "weft_fault": (None, _PTR, _U64, _U64, _U32, _U32),
    "weft_clear_faults": (None, _PTR),
    "weft_silence": (None, _PTR, _U32),
    "weft_write_register": (ctypes.c_int, _PTR, _U32, _U32, _U32),
    "weft_read_register": (ctypes.c_int, _PTR, _U32, ctypes.POINTER(_U32), _U32),
    "weft_run": (ctypes.c_int, _PTR, _U64),
    "weft_record": (ctypes.c_int, _PTR, _U32),
    "weft_event_count": (_U64, _PTR),
    "weft_events": (_PTR, _PTR),
    "weft_cycle": (_U64, _PTR),
    "weft_last_write_cycle": (_U64, _PTR),
    "weft_irq_cycle": (_U64, _PTR),
    "weft_bus_idle": (ctypes.c_int, _PTR),
    "weft_broken_rules": (_U64, _PTR, ctypes.c_char_p, _U64),
}


class Simulation:
    """One simulated instance with its clock, its AXI4-Lite host and its AXI4 memory.

    Parameters
    ----------
    library : :class:`pathlib.Path`
        What :func:`weft_host.device.rtl_build.build` made.
    memory_base, memory_bytes : :class:`int`
        Where the memory lies; elsewhere it answers DECERR.
    latency : :class:`int`
        Cycles from an accepted read address to its first beat, and from a burst's last write
        beat to its response; bursts overlap.
    bandwidth : :class:`float`
        Beats per cycle, up to 1, of each direction.
    stalls : ``None``, ``"gaps"``, ``"back-pressure"`` or ``"both"``
        Random pauses of the channels that the memory answers on, of those it listens on, or of
        all.
    seed : :class:`int`
        Of the pauses.
    trace : :class:`str` or :class:`None`
        Waveform file (VCD) to write; the library must have been built for it.
    """

    def __init__(self, library, *, memory_base=0, memory_bytes=1 << 24, latency=20, bandwidth=1.0,
                 stalls=None, seed=0, trace=None):
        if latency < 0:
            raise ValueError(f"latency must not be negative, not {latency}")
        if not 0 < bandwidth <= 1:
            raise ValueError(f"bandwidth must be above 0 and at most 1 beat a cycle, "
                             f"not {bandwidth}")
        if stalls not in STALLS:
            raise ValueError(f"stalls must be one of None, 'gaps', 'back-pressure' or 'both', "
                             f"not {stalls!r}")
        self._library = ctypes.CDLL(str(library))
        for name, (result, *arguments) in _FUNCTIONS.items():
            function = getattr(self._library, name)
            function.restype, function.argtypes = result, arguments
        self.memory_base = memory_base
        self.memory_bytes = memory_bytes
        self._handle = self._library.weft_create(
            memory_base, memory_bytes, latency, bandwidth, *STALLS[stalls], seed,
            None if trace is None else str(trace).encode())
        if not self._handle:
            raise OSError(f"the waveform {trace} cannot be written")
        self._memory = self._library.weft_memory(self._handle)

    def close(self):
        """Free the instance; also finishes the waveform."""
        if getattr(self, "_handle", None):
            self._library.weft_destroy(self._handle)
            self._handle = None

    def __del__(self):
        self.close()

    def _offset(self, addr, size):
        at = addr - self.memory_base
        if at < 0 or at + size > self.memory_bytes:
            raise ValueError(
                f"bytes {addr:#x} to {addr + size - 1:#x} lie outside the device's memory, "
                f"{self.memory_base:#x} to {self.memory_base + self.memory_bytes - 1:#x}")
        return at

    def read_memory(self, addr, size):
        """Bytes of the memory, without the bus."""
        return ctypes.string_at(self._memory + self._offset(addr, size), size)

    def write_memory(self, addr, data):
        """Put bytes into the memory, without the bus."""
        ctypes.memmove(self._memory + self._offset(addr, len(data)), bytes(data), len(data))

    def write_register(self, offset, value):
        """The AXI response to a register write."""
        response = self._library.weft_write_register(self._handle, offset, value, _LIMIT)
        if response < 0:
            raise TimeoutError(f"no answer to a write of register {offset:#x} "
                               f"within {_LIMIT} cycles")
        return response

    def read_register(self, offset):
        """The AXI response to a register read, and the word."""
        word = _U32()
        response = self._library.weft_read_register(self._handle, offset, ctypes.byref(word),
                                                    _LIMIT)
        if response < 0:
            raise TimeoutError(f"no answer to a read of register {offset:#x} "
                               f"within {_LIMIT} cycles")
        return response, word.value

    def run(self, limit):
        """Clock until irq is high or ``limit`` cycles have passed; returns whether it is high."""
        return bool(self._library.weft_run(self._handle, limit))

    def fault(self, addr, size, response, access):
        """Let ``"read"`` or ``"write"`` beats in a range answer ``"SLVERR"`` or ``"DECERR"``."""
        if response not in _RESPONSES:
            raise ValueError(f"response must be 'SLVERR' or 'DECERR', not {response!r}")
        if access not in ("read", "write"):
            raise ValueError(f"access must be 'read' or 'write', not {access!r}")
        self._library.weft_fault(self._handle, addr, size, _RESPONSES[response], access == "write")

    def clear_faults(self):
        """Let every access within the memory succeed again."""
        self._library.weft_clear_faults(self._handle)

    def silence(self, *channels):
        """Let these channels (of ``AR R AW W B``) never answer; without any: all answer again."""
        self._library.weft_silence(self._handle, sum(SILENT[name] for name in channels))

    def record(self, enable):
        """Begin a record of what happens to instructions, or drop it."""
        if not self._library.weft_record(self._handle, enable):
            raise ValueError("this design has no ports that tell of its instructions")

    def events(self):
        """What was recorded, in order: an array of :data:`EVENTS`."""
        count = self._library.weft_event_count(self._handle)
        raw = ctypes.string_at(self._library.weft_events(self._handle), count * EVENTS.itemsize) \
            if count else b""
        return np.frombuffer(raw, EVENTS)

    @property
    def cycle(self):
        """Cycles since the start of the simulation."""
        return self._library.weft_cycle(self._handle)

    @property
    def last_write_cycle(self):
        """The cycle in which the last register write was accepted."""
        return self._library.weft_last_write_cycle(self._handle)

    @property
    def irq_cycle(self):
        """The cycle in which irq rose last."""
        return self._library.weft_irq_cycle(self._handle)

    @property
    def bus_idle(self):
        """Whether the memory owes the device nothing."""
        return bool(self._library.weft_bus_idle(self._handle))

    def broken_rules(self):
        """How often an AXI rule was broken, and how the first time."""
        text = ctypes.create_string_buffer(256)
        return self._library.weft_broken_rules(self._handle, text, len(text)), text.value.decode()
