"""Devices that run programs: numpy emulator, simulated RTL. One interface for all."""

from .base import Device, Result
from .emulator import EmulatorDevice
from .rtl import RtlDevice

__all__ = ["Device", "EmulatorDevice", "Result", "RtlDevice"]
