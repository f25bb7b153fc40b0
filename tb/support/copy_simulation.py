"""Simulation of the copy engine with the memory of the RTL simulator."""

import functools

import numpy as np

from support import copy_engine
from support.copy_engine import CopyEngine
from weft.verilog import to_rtlil
from weft_host.device.rtl_build import build
from weft_host.device.rtl_sim import Simulation

__all__ = ["BASE", "TARGET", "copy", "make_simulation", "no_progress", "pattern"]

BASE, TARGET = 0x10000, 0x18000
"""First address of the 64 KiB of memory, and an address in its upper half."""


def no_progress(_):
    """Discard a message about progress."""


@functools.cache
def _library(width, bug):
    """Return the compiled simulator of an engine."""
    # a run takes hundreds of cycles, so that the time of the build dominates
    return build(to_rtlil(CopyEngine(width, bug), "weft"), optimize=0, progress=no_progress)


def make_simulation(width=64, bug=None, **options):
    """Return a simulation of the engine.

    Parameters
    ----------
    width : :class:`int`
        Bits per beat.
    bug : :class:`str`, optional
        See :class:`support.copy_engine.CopyEngine`.
    options
        Parameters of :class:`weft_host.device.rtl_sim.Simulation`.
    """
    return Simulation(_library(width, bug), memory_base=BASE, memory_bytes=1 << 16, **options)


def copy(simulation, source, target, beats, limit=10_000):
    """Copy a burst; return the cycles from the start command to irq."""
    for register, value in ((copy_engine.SOURCE, source), (copy_engine.TARGET, target),
                            (copy_engine.BEATS, beats)):
        assert simulation.write_register(register, value) == 0
    assert simulation.run(limit), "the engine has not finished"
    return simulation.irq_cycle - simulation.last_write_cycle


def pattern(size, number=0):
    """Return random bytes."""
    return np.random.default_rng(number).integers(0, 256, size, dtype=np.uint8).tobytes()
