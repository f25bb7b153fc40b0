"""Devices that run programs: the numpy emulator, the simulated RTL, and boards.

All devices have the same interface, :class:`Device`.
"""

from .base import Device, Result
from .control import DeviceControl
from .emulator import EmulatorDevice
from .rtl import RtlDevice
from .serial import SerialDevice

__all__ = ["Device", "DeviceControl", "EmulatorDevice", "Result", "RtlDevice", "SerialDevice"]
