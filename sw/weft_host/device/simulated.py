"""Devices with a simulated host memory."""

import abc
from typing import Protocol

from .base import Device

__all__ = ["FaultyMemory", "SimulatedDevice"]


class FaultyMemory(Protocol):
    """Host memory that can answer accesses with errors."""

    def fault(self, addr: int, size: int, response: str, access: str) -> None:
        """Answer accesses to a range with an error."""

    def clear_faults(self) -> None:
        """Remove all faults that :meth:`fault` added."""


class SimulatedDevice(Device):
    """A device whose host memory is simulated, so that it can answer with errors."""

    @property
    @abc.abstractmethod
    def _host_memory(self) -> FaultyMemory:
        """The simulated memory."""

    def fault(self, addr: int, size: int, response: str, access: str) -> None:
        """Answer accesses to a range with an error.

        Parameters
        ----------
        addr, size : :class:`int`
            The range. A fault affects whole beats.
        response : :class:`str`
            ``"SLVERR"`` or ``"DECERR"``.
        access : :class:`str`
            ``"read"`` or ``"write"``.
        """
        self._check_open()
        self._host_memory.fault(addr, size, response, access)

    def clear_faults(self) -> None:
        """Remove all faults that :meth:`fault` added."""
        self._check_open()
        self._host_memory.clear_faults()
