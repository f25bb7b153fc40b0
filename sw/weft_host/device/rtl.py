"""RTL simulation with CXXRTL as a device."""

import dataclasses
import os
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from weft.spec import register_map
from weft.spec.config import Config

from ..errors import BuildError, DeviceTimeout, RegisterError, WeftError
from ..program.expand import NO_STEPS
from ..program.file import Program
from ..register_words import check_word, find_register, pack
from .base import WATCHDOG_CYCLES, Result
from .instruction_times import instruction_times
from .rtl_build import build_accelerator, print_progress
from .rtl_sim import Simulation
from .simulated import SimulatedDevice
from .tensors import Inputs

__all__ = ["RtlDevice"]

_Found = TypeVar("_Found")

_SLICE = 1 << 16        # cycles between two checks of the elapsed time
_QUIET = 2.0            # seconds between two reports of progress
_PRIMITIVES = ("ecp5", "ecp5_lut", "ice40")     # forms of multipliers without a simulation model


def _portable(config: Config) -> Config:
    """Return the configuration, with portable multipliers instead of vendor primitives."""
    if config.multiplier not in _PRIMITIVES:
        return config
    return dataclasses.replace(config, multiplier="portable", dsp_cells=None)


class RtlDevice(SimulatedDevice):
    """Cycle-accurate simulation of the RTL.

    The first use of a configuration compiles a simulator, which takes about a minute; the result
    is cached. Each run is checked against the rules of AXI.

    Multipliers made of vendor primitives cannot be simulated; portable ones take their place. They
    give the same results, but their latency, and with it the cycles of a pass, may be shorter by
    up to three cycles.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config` or :class:`str`
        Configuration to simulate, or the name of its preset or of its board.
    memory_base, memory_bytes, latency, bandwidth, stalls, seed, trace
        See :class:`weft_host.device.rtl_sim.Simulation`.
    cache : path
        Directory for compiled simulators; see
        :func:`weft_host.device.rtl_build.cache_directory`.
    library : path, optional
        A simulator of ``config`` that :func:`weft_host.device.rtl_build.build` built from another
        source than the gateware, such as its netlist.
    progress : callable
        Function that is called with a sentence during long steps; by default, the sentence goes to
        standard error.

    Attributes
    ----------
    simulation : :class:`weft_host.device.rtl_sim.Simulation`

    Raises
    ------
    BuildError
        If the simulator cannot be built on this machine.
    """

    progress: Callable[[str], None]
    simulation: Simulation

    def __init__(self, config: Config | str, *, memory_base: int = 0,
                 memory_bytes: int | None = None, latency: int = 20, bandwidth: float = 1.0,
                 stalls: str | None = None, seed: int = 0,
                 trace: str | os.PathLike[str] | None = None,
                 cache: str | os.PathLike[str] | None = None,
                 library: str | os.PathLike[str] | None = None,
                 progress: Callable[[str], None] = print_progress) -> None:
        super().__init__(config, memory_base=memory_base, memory_bytes=memory_bytes)
        self.progress = progress
        if library is None:
            library = build_accelerator(_portable(self.config), trace=trace is not None,
                                        cache=cache, progress=progress)
        self.simulation = Simulation(
            library, memory_base=memory_base, memory_bytes=self.memory_bytes, latency=latency,
            bandwidth=bandwidth, stalls=stalls, seed=seed, trace=trace)
        self._started = 0
        found = self.read_register("CONFIG_HASH")
        if self.read_register("ID") != register_map.MAGIC or found != self.config.fingerprint:
            raise BuildError(f"{library} is not a simulator of configuration "
                             f"{self.config.name!r}; delete the file")
        self.write_register("IRQ_ENABLE", pack("IRQ_ENABLE", DONE=1, ERROR=1))

    def close(self) -> None:
        """Free the simulator and complete the waveform. Closing it again does nothing."""
        super().close()
        self.simulation.close()

    @property
    def _host_memory(self) -> Simulation:
        return self.simulation

    def silence(self, *channels: str) -> None:
        """Stop all responses on some channels; see :meth:`Simulation.silence`."""
        self._check_open()
        self.simulation.silence(*channels)

    def _read(self, addr: int, size: int) -> bytes:
        self._check_open()
        return self.simulation.read_memory(addr, size)

    def _write(self, addr: int, data: bytes) -> None:
        self._check_open()
        self.simulation.write_memory(addr, data)

    def read_register(self, name: str) -> int:
        """Return the word in register ``name``."""
        self._check_open()
        response, word = self.simulation.read_register(find_register(name).offset)
        if response:
            raise RegisterError(f"the device rejected the read of {name}")
        return word

    def write_register(self, name: str, value: int) -> None:
        """Write a word to register ``name``.

        Raises
        ------
        RegisterError
            If the device rejects the write.
        """
        self._check_open()
        register = find_register(name)
        check_word(name, value)
        if self.simulation.write_register(register.offset, value):
            raise RegisterError(f"the device rejected the write of {value:#x} to {name}")

    def start(self) -> None:
        """Start the program; its cycles count from here."""
        self.write_register("IRQ_STATUS", pack("IRQ_STATUS", DONE=1, ERROR=1))
        super().start()
        self._started = self.simulation.last_write_cycle

    def wait(self, limit: int | None = None) -> None:
        """Simulate until the program ends.

        Raises
        ------
        DeviceTimeout
            After ``limit`` cycles.
        WeftError
            If the RTL violated a rule of AXI.
        """
        self._check_open()
        begin = shown = time.monotonic()
        first = self.simulation.cycle
        left = limit
        while not self.simulation.run(_SLICE if left is None else max(0, min(left, _SLICE))):
            passed = self.simulation.cycle - first
            if limit is not None:
                left = limit - passed
                if left <= 0:
                    raise DeviceTimeout(f"the program is not done after {passed} cycles",
                                        self.waits())
            now = time.monotonic()
            if now - shown > _QUIET:
                shown = now
                self.progress(f"simulating: {passed:,} cycles, "
                              f"{passed / (now - begin):,.0f} per second")
        count, text = self.simulation.broken_rules()
        if count:
            raise WeftError(f"the RTL violated AXI rules {count} times, first in {text}")

    def record(self, program: Program, inputs: Inputs = None, *, all_tensors: bool = False,
               limit: int | None = None, watchdog: int = WATCHDOG_CYCLES,
               steps: Sequence[int] | None = None) -> tuple[Result, npt.NDArray[np.int64]]:
        """Run a program and record when each instruction was queued, issued and done.

        Parameters
        ----------
        program, inputs, all_tensors, limit, watchdog : see :meth:`run`.
        steps : sequence of :class:`int`, optional
            Contents of the step registers, which are written first. By default they must be 0.

        Returns
        -------
        :class:`Result`, int64 array
            The array has the rows ``queued``, ``issued`` and ``done`` with one cycle for each
            instruction or iteration of the program, counted from the start like ``cycles``.
        """
        self._check_open()
        for register, value in zip(register_map.STEP_REGISTERS, steps or ()):
            self.write_register(register.name, value)
        return self.recorded(program, lambda: self.run(
            program, inputs, all_tensors=all_tensors, limit=limit, watchdog=watchdog),
            steps or NO_STEPS)

    def recorded(self, program: Program, run: Callable[[], _Found],
                 steps: Sequence[int] = NO_STEPS) -> tuple[_Found, npt.NDArray[np.int64]]:
        """Call a function that runs a program once, and record its instructions.

        Parameters
        ----------
        program : the program that ``run`` runs.
        run : the function.
        steps : contents of the step registers during the run.

        Returns
        -------
        result of ``run``, int64 array
            The array is that of :meth:`record`.
        """
        self._check_open()
        self.simulation.record(True)
        try:
            result = run()
            return result, instruction_times(program, self.simulation.events(), self._started,
                                             steps)
        finally:
            self.simulation.record(False)

    def _cycles(self, counters: dict[str, int]) -> int | None:
        """Return the cycles from the start to the interrupt, as the simulator counted them."""
        return self.simulation.irq_cycle - self._started
