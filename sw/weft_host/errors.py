"""What can go wrong on the host side; every one of these is a :class:`WeftError`."""

import dataclasses

__all__ = ["WeftError", "ProgramError", "InputError", "RegisterError", "BuildError", "ErrorRecord",
           "DeviceError", "DeviceTimeout", "LinkError", "MismatchError"]


class WeftError(Exception):
    """Base of all errors that this package raises on purpose."""


class ProgramError(WeftError):
    """A program file or object cannot be used: damaged, foreign, or for another configuration."""


class InputError(WeftError):
    """The arrays given to a run are not the ones the program asks for."""


class RegisterError(WeftError):
    """The hardware refused a register access."""


class BuildError(WeftError):
    """A simulator cannot be built on this machine."""


@dataclasses.dataclass(frozen=True)
class ErrorRecord:
    """What a device knows about the first error it met.

    Attributes
    ----------
    code : :class:`str`
        Name of the :class:`weft.spec.isa.ErrorCode`.
    unit : :class:`str`
        Name of the unit, or ``"SEQUENCER"``.
    index : :class:`int`
        Index in the program of the instruction.
    addr : :class:`int`
        Address it met; what kind depends on the code.
    instruction : :class:`str`
        The instruction, disassembled; empty if it is not known.
    waits : :class:`tuple` of :class:`str`
        One sentence for each unit that waits for something.
    """

    code: str
    unit: str
    index: int
    addr: int
    instruction: str = ""
    waits: tuple = ()

    def __str__(self):
        text = f"{self.code} in {self.unit} at instruction {self.index}, address {self.addr:#x}"
        if self.instruction:
            text += f": {self.instruction}"
        if self.waits:
            text += "; " + "; ".join(self.waits)
        return text


class DeviceError(WeftError):
    """A program stopped with an error; ``record`` is the :class:`ErrorRecord`."""

    def __init__(self, record):
        super().__init__(str(record))
        self.record = record


class DeviceTimeout(WeftError):
    """A program neither finished nor failed in the time it was given; ``waits`` says who waits."""

    def __init__(self, message, waits=()):
        super().__init__("; ".join((message, *waits)))
        self.waits = tuple(waits)


class LinkError(WeftError):
    """The host link failed; ``status`` is what the board answered, ``None`` if nothing."""

    def __init__(self, message, *, status=None):
        super().__init__(message)
        self.status = status


class MismatchError(WeftError):
    """A device gave other bytes than the emulator or numpy."""
