"""The RTL, compiled with CXXRTL, as a device."""

import dataclasses
import time

from weft.spec import register_map

from ..register_words import pack
from ..errors import BuildError, DeviceTimeout, RegisterError, WeftError
from .base import Device
from .instruction_times import instruction_times
from .rtl_build import build_accelerator, print_progress
from .rtl_sim import Simulation

__all__ = ["RtlDevice"]

_SLICE = 1 << 16        # cycles between two looks at the clock on the wall
_QUIET = 2.0            # seconds of simulation before progress is reported


class RtlDevice(Device):
    """Runs programs on the simulated RTL, clock by clock.

    The first use of a configuration compiles it, which takes a minute or so; the result is
    cached. Each run is checked against the rules of AXI.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        What to build.
    memory_base, memory_bytes, latency, bandwidth, stalls, seed, trace
        See :class:`weft_host.device.rtl_sim.Simulation`.
    cache : path
        Directory for compiled simulators; see
        :func:`weft_host.device.rtl_build.cache_directory`.
    library : path, optional
        A simulator of ``config`` that :func:`weft_host.device.rtl_build.build` made of something
        else than the gateware, such as its netlist.
    progress : callable
        Gets a sentence while something takes long; by default it goes to standard error.

    Raises
    ------
    BuildError
        If the simulator cannot be built here.
    """

    def __init__(self, config, *, memory_base=0, memory_bytes=1 << 24, latency=20, bandwidth=1.0,
                 stalls=None, seed=0, trace=None, cache=None, library=None,
                 progress=print_progress):
        super().__init__(config, memory_base=memory_base, memory_bytes=memory_bytes)
        self.progress = progress
        if library is None:
            library = build_accelerator(config, trace=trace is not None, cache=cache,
                                        progress=progress)
        self.simulation = Simulation(
            library, memory_base=memory_base, memory_bytes=memory_bytes, latency=latency,
            bandwidth=bandwidth, stalls=stalls, seed=seed, trace=trace)
        found = self.read_register("CONFIG_HASH")
        if self.read_register("ID") != register_map.MAGIC or found != config.fingerprint:
            raise BuildError(f"{library} is not configuration {config.name!r}; delete it")
        self.write_register("IRQ_ENABLE", pack("IRQ_ENABLE", DONE=1, ERROR=1))

    def close(self):
        """Free the simulator; also finishes the waveform."""
        self.simulation.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def fault(self, addr, size, response, access):
        """See :meth:`weft_host.device.rtl_sim.Simulation.fault`."""
        self.simulation.fault(addr, size, response, access)

    def clear_faults(self):
        """See :meth:`weft_host.device.rtl_sim.Simulation.clear_faults`."""
        self.simulation.clear_faults()

    def silence(self, *channels):
        """See :meth:`weft_host.device.rtl_sim.Simulation.silence`."""
        self.simulation.silence(*channels)

    def _read(self, addr, size):
        return self.simulation.read_memory(addr, size)

    def _write(self, addr, data):
        self.simulation.write_memory(addr, data)

    def read_register(self, name):
        """The word in register ``name``."""
        response, word = self.simulation.read_register(register_map.BY_NAME[name].offset)
        if response:
            raise RegisterError(f"the device refused to read {name}")
        return word

    def write_register(self, name, value):
        """Write a word to register ``name``; :class:`RegisterError` if that is refused."""
        if self.simulation.write_register(register_map.BY_NAME[name].offset, value):
            raise RegisterError(f"the device refused to write {value:#x} to {name}")

    def start(self):
        """Start the program; its cycles count from here."""
        self.write_register("IRQ_STATUS", pack("IRQ_STATUS", DONE=1, ERROR=1))
        super().start()
        self._started = self.simulation.last_write_cycle

    def wait(self, limit=None):
        """Simulate until the program is done; :class:`DeviceTimeout` after ``limit`` cycles."""
        begin = shown = time.monotonic()
        first = self.simulation.cycle
        left = limit
        while not self.simulation.run(_SLICE if left is None else min(left, _SLICE)):
            passed = self.simulation.cycle - first
            if left is not None:
                left = limit - passed
                if left <= 0:
                    raise DeviceTimeout(f"the program is not done after {passed} cycles",
                                        self.waits())
            now = time.monotonic()
            if now - shown > _QUIET:
                shown = now
                self.progress(f"simulating: {passed:,} cycles, "
                              f"{passed / (now - begin):,.0f} a second")
        self._check_rules()

    def _check_rules(self):
        count, text = self.simulation.broken_rules()
        if count:
            raise WeftError(f"the RTL broke {count} AXI rules, first in {text}")

    def record(self, program, inputs=None, **options):
        """A run, and when each instruction was queued, issued to its unit and done.

        Returns
        -------
        :class:`Result`, array
            Three rows, ``queued``, ``issued``, ``done``, with a cycle for each instruction of the
            program, counted from the start like ``cycles``.
        """
        self.simulation.record(True)
        try:
            result = self.run(program, inputs, **options)
            return result, instruction_times(program, self.simulation.events(), self._started)
        finally:
            self.simulation.record(False)

    def run(self, program, inputs=None, **options):
        """See :meth:`Device.run`; ``cycles`` is what the simulator counted, start to interrupt."""
        result = super().run(program, inputs, **options)
        return dataclasses.replace(result,
                                   cycles=self.simulation.irq_cycle - self._started)
