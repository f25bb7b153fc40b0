"""Python interface of a compiled simulator: the C functions of ``cxxrtl_driver.cc``."""

import ctypes
import os
from typing import Any

import numpy as np
import numpy.typing as npt

from ..emulator.host_memory import memory_offset
from ..errors import BuildError, ClosedError

__all__ = ["EVENTS", "SILENT", "STALLS", "Simulation"]

EVENTS: "np.dtype[Any]" = np.dtype([("cycle", "<u8"), ("queued", "<u4"), ("issued", "<u4"),
                                    ("done", "<u4"), ("unused", "<u4")])
"""Events of one cycle: for each kind a word with one bit per unit."""

STALLS: dict[str | None, tuple[int, int]] = {None: (0, 0), "gaps": (1, 0), "back-pressure": (0, 1),
                                             "both": (1, 1)}
"""Kinds of random stalls: gaps between the memory's responses, and pauses of its readiness."""

SILENT: dict[str, int] = {"AR": 1, "R": 2, "AW": 4, "W": 8, "B": 16}
"""Bit of each channel that can be silenced."""

_RESPONSES = {"SLVERR": 2, "DECERR": 3}
_LIMIT = 100_000        # cycles that a register access may take

_U32, _U64, _PTR = ctypes.c_uint32, ctypes.c_uint64, ctypes.c_void_p
_FUNCTIONS: dict[str, tuple[Any, ...]] = {
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
    "weft_single_step": (ctypes.c_int,),
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
        Shared library from :func:`weft_host.device.rtl_build.build`.
    memory_base, memory_bytes : :class:`int`
        Address range of the memory. Other addresses answer DECERR.
    latency : :class:`int`
        Cycles from an accepted read address to its first beat, and from a burst's last write
        beat to its response. Bursts overlap.
    bandwidth : :class:`float`
        Beats per cycle in each direction, at most 1.
    stalls : ``None``, ``"gaps"``, ``"back-pressure"`` or ``"both"``
        Random pauses of the memory's responses, of its readiness, or of both.
    seed : :class:`int`
        Seed of the pauses.
    trace : path or :class:`None`
        Waveform file (VCD) to write. The library must have been built for traces.

    Raises
    ------
    ValueError
        If a parameter is out of range.
    OSError
        If the waveform file cannot be written.
    BuildError
        If the library is damaged.
    """

    memory_base: int
    memory_bytes: int

    def __init__(self, library: str | os.PathLike[str], *, memory_base: int = 0,
                 memory_bytes: int = 1 << 24, latency: int = 20, bandwidth: float = 1.0,
                 stalls: str | None = None, seed: int = 0,
                 trace: str | os.PathLike[str] | None = None) -> None:
        self._handle: int | None = None
        if latency < 0:
            raise ValueError(f"latency must not be negative, not {latency}")
        if not 0 < bandwidth <= 1:
            raise ValueError(f"bandwidth must be above 0 and at most 1 beat a cycle, "
                             f"not {bandwidth}")
        if stalls not in STALLS:
            raise ValueError(f"stalls must be one of None, 'gaps', 'back-pressure' or 'both', "
                             f"not {stalls!r}")
        try:
            self._library = ctypes.CDLL(str(library))
        except OSError as error:
            raise BuildError(f"the simulator {library} cannot be loaded: {error}; delete the "
                             "file") from error
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

    def close(self) -> None:
        """Free the instance and complete the waveform. Closing it again does nothing."""
        if self._handle:
            self._library.weft_destroy(self._handle)
            self._handle = None

    def __del__(self) -> None:
        self.close()

    @property
    def _open(self) -> int:
        """Address of the C++ object, which exists until :meth:`close`."""
        if self._handle is None:
            raise ClosedError("this simulation is closed; create another one")
        return self._handle

    def _address(self, addr: int, size: int) -> int:
        """Return the address, in this process, of ``size`` bytes of the simulated memory."""
        memory: int = self._library.weft_memory(self._open)
        return memory + memory_offset(addr, size, base=self.memory_base, length=self.memory_bytes)

    def read_memory(self, addr: int, size: int) -> bytes:
        """Read bytes of the memory, without the bus."""
        return ctypes.string_at(self._address(addr, size), size)

    def write_memory(self, addr: int, data: bytes) -> None:
        """Write bytes to the memory, without the bus."""
        ctypes.memmove(self._address(addr, len(data)), bytes(data), len(data))

    def write_register(self, offset: int, value: int) -> int:
        """Write a register and return the AXI response.

        Raises
        ------
        TimeoutError
            If there is no response within 100,000 cycles.
        """
        response: int = self._library.weft_write_register(self._open, offset, value, _LIMIT)
        if response < 0:
            raise TimeoutError(f"no response to a write of register {offset:#x} "
                               f"within {_LIMIT} cycles")
        return response

    def read_register(self, offset: int) -> tuple[int, int]:
        """Read a register and return the AXI response and the word.

        Raises
        ------
        TimeoutError
            If there is no response within 100,000 cycles.
        """
        word = _U32()
        response: int = self._library.weft_read_register(self._open, offset, ctypes.byref(word),
                                                         _LIMIT)
        if response < 0:
            raise TimeoutError(f"no response to a read of register {offset:#x} "
                               f"within {_LIMIT} cycles")
        return response, word.value

    def run(self, limit: int) -> bool:
        """Simulate until irq is high or ``limit`` cycles have passed; return whether it is high."""
        return bool(self._library.weft_run(self._open, limit))

    def fault(self, addr: int, size: int, response: str, access: str) -> None:
        """Answer all beats of one kind in a range with an error.

        Parameters
        ----------
        addr, size : :class:`int`
            Byte address and size of the range.
        response : :class:`str`
            ``"SLVERR"`` or ``"DECERR"``.
        access : :class:`str`
            ``"read"`` or ``"write"``.
        """
        if response not in _RESPONSES:
            raise ValueError(f"response must be 'SLVERR' or 'DECERR', not {response!r}")
        if access not in ("read", "write"):
            raise ValueError(f"access must be 'read' or 'write', not {access!r}")
        self._library.weft_fault(self._open, addr, size, _RESPONSES[response], access == "write")

    def clear_faults(self) -> None:
        """Remove all faults that :meth:`fault` added."""
        self._library.weft_clear_faults(self._open)

    def silence(self, *channels: str) -> None:
        """Stop all responses on these channels (of ``AR R AW W B``) and resume those on others."""
        self._library.weft_silence(self._open, sum(SILENT[name] for name in channels))

    def record(self, enable: bool) -> None:
        """Start recording the events of instructions, or stop and discard them.

        Raises
        ------
        ValueError
            If the design has no ports for events.
        """
        if not self._library.weft_record(self._open, enable):
            raise ValueError("this design has no ports for the events of instructions")

    def events(self) -> npt.NDArray[Any]:
        """Return the recorded events in order, as an array of :data:`EVENTS`."""
        count: int = self._library.weft_event_count(self._open)
        raw = ctypes.string_at(self._library.weft_events(self._open), count * EVENTS.itemsize) \
            if count else b""
        return np.frombuffer(raw, EVENTS)

    @property
    def cycle(self) -> int:
        """Cycles since the start of the simulation."""
        return int(self._library.weft_cycle(self._open))

    @property
    def last_write_cycle(self) -> int:
        """Cycle in which the last register write was accepted."""
        return int(self._library.weft_last_write_cycle(self._open))

    @property
    def irq_cycle(self) -> int:
        """Cycle of the last rising edge of irq."""
        return int(self._library.weft_irq_cycle(self._open))

    @property
    def single_step(self) -> bool:
        """True if the simulator evaluates each cycle once, False if repeatedly or for a trace."""
        return bool(self._library.weft_single_step())

    @property
    def bus_idle(self) -> bool:
        """True if the memory has no outstanding requests or responses."""
        return bool(self._library.weft_bus_idle(self._open))

    def broken_rules(self) -> tuple[int, str]:
        """Return the number of AXI rule violations and a description of the first one."""
        text = ctypes.create_string_buffer(256)
        count: int = self._library.weft_broken_rules(self._open, text, len(text))
        return count, text.value.decode()
