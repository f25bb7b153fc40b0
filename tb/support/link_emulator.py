"""Board in Python: the model of the host link in front of the emulator."""

import time

from support.link_model import LinkModel
from weft.spec import register_map
from weft.spec.link_frames import Info, Status
from weft_host.device import EmulatorDevice
from weft_host.errors import RegisterError

__all__ = ["EmulatedBoard"]

_BY_OFFSET = {register.offset: register.name for register in register_map.REGISTERS}
_PAUSE = 0.0005         # seconds between two polls of the line
_SILENT = 20            # polls without a byte that count as silence


class _Link(LinkModel):
    """Model of the host link whose buses access the emulator."""

    def __init__(self, info, emulator):
        super().__init__(info)
        self.emulator = emulator

    def _memory(self, addr, length, payload):
        try:
            if payload:
                self.emulator.write_memory(addr, payload)
                return Status.OKAY, b""
            return Status.OKAY, self.emulator.read_memory(addr, length)
        except ValueError:
            return Status.DECERR, b""

    def _registers(self, addr, length, payload):
        data = b""
        for at in range(0, length, 4):
            name = _BY_OFFSET.get(addr + at)
            try:
                if name is None:
                    return Status.SLVERR, b""
                if payload:
                    self.emulator.write_register(
                        name, int.from_bytes(payload[at:at + 4], "little"))
                else:
                    data += self.emulator.read_register(name).to_bytes(4, "little")
            except RegisterError:
                return Status.SLVERR, b""
        return Status.OKAY, data


class EmulatedBoard:
    """Replacement for :class:`support.link_sim.LinkSimulation` that simulates no RTL.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
    memory_bytes : :class:`int`
        Size of the host memory, which starts at address 0.
    baud : :class:`int`
        Rate that the board reports.
    name : :class:`str`
        Name that the board reports.

    Attributes
    ----------
    emulator : :class:`weft_host.device.EmulatorDevice`
        The device behind the link.
    """

    unsent = broken = 0

    def __init__(self, config, *, memory_bytes, baud, name="emulated"):
        info = Info(payload=256, queue=512, bus_bytes=config.bus_bytes, timeout_us=10_000,
                    clock_hz=4 * baud, baud=baud, memory_base=0, memory_bytes=memory_bytes,
                    board=name)
        self.emulator = EmulatorDevice(config, memory_bytes=memory_bytes)
        self._link = _Link(info, self.emulator)
        self._silent_polls = 0

    def reset(self, *, last=0, registers=True):
        """Simulate a reset, which loses memory, registers and the number of the last request."""
        self.emulator.memory.data[:] = 0
        if registers:
            fresh = EmulatorDevice(self.emulator.config, memory_bytes=self.emulator.memory_bytes)
            self.emulator.registers = fresh.registers
        self._link.last = last
        self._link.silence()

    def run(self, data=b""):
        """Return the answers to bytes; without bytes, wait for a moment."""
        if data:
            self._silent_polls = 0
            return self._link.feed(data)
        time.sleep(_PAUSE)
        self._silent_polls += 1
        if self._silent_polls == _SILENT:
            self._link.silence()
        return b""

    def close(self):
        """Do nothing: there are no resources to free."""
