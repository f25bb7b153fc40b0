"""Devices that run programs: numpy emulator, simulated RTL, boards. One interface for all."""

from .base import Device, Result
from .emulator import EmulatorDevice
from .rtl import RtlDevice
from .serial import SerialDevice

__all__ = ["Device", "EmulatorDevice", "Result", "RtlDevice", "SerialDevice"]
