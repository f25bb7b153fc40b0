"""Errors of the host software; every one is a :class:`WeftError`."""

import dataclasses
from collections.abc import Iterable

__all__ = ["WeftError", "ConfigurationError", "ProgramError", "InputError", "RegisterError",
           "BuildError", "ClosedError", "ErrorRecord", "DeviceError", "DeviceTimeout", "LinkError",
           "MismatchError"]


class WeftError(Exception):
    """Base class of all errors that this package raises on purpose."""


class ConfigurationError(WeftError):
    """A name is not that of a preset or of a board, or the file of the board is invalid."""


class ProgramError(WeftError):
    """A program is damaged, is not a Weft program, or was compiled for another configuration."""


class InputError(WeftError):
    """An input array, a file or an option does not fit the request."""


class RegisterError(WeftError):
    """The hardware rejected a register access, or there is no register of that name."""


class BuildError(WeftError):
    """A simulator cannot be built on this machine."""


class ClosedError(WeftError):
    """A device was used after it had been closed."""


@dataclasses.dataclass(frozen=True)
class ErrorRecord:
    """First error of a run, as the device's error registers hold it.

    Attributes
    ----------
    code : :class:`str`
        Name of the :class:`weft.spec.isa.ErrorCode`.
    unit : :class:`str`
        Name of the unit, or ``"SEQUENCER"``.
    index : :class:`int`
        Index of the instruction in the program.
    addr : :class:`int`
        Address that caused the error. ``code`` decides which memory it belongs to.
    instruction : :class:`str`
        The disassembled instruction, or an empty string if it is unknown.
    waits : :class:`tuple` of :class:`str`
        One sentence for each unit that is waiting.
    """

    code: str
    unit: str
    index: int
    addr: int
    instruction: str = ""
    waits: tuple[str, ...] = ()

    def __str__(self) -> str:
        text = f"{self.code} in {self.unit} at instruction {self.index}, address {self.addr:#x}"
        if self.instruction:
            text += f": {self.instruction}"
        if self.waits:
            text += "; " + "; ".join(self.waits)
        return text


class DeviceError(WeftError):
    """A program stopped with an error.

    Attributes
    ----------
    record : :class:`ErrorRecord`
    """

    record: ErrorRecord

    def __init__(self, record: ErrorRecord) -> None:
        super().__init__(str(record))
        self.record = record


class DeviceTimeout(WeftError):
    """A program neither finished nor failed within its time limit.

    Attributes
    ----------
    waits : :class:`tuple` of :class:`str`
        One sentence for each unit that is waiting.
    """

    waits: tuple[str, ...]

    def __init__(self, message: str, waits: Iterable[str] = ()) -> None:
        self.waits = tuple(waits)
        super().__init__("; ".join((message, *self.waits)))


class LinkError(WeftError):
    """The host link failed.

    Attributes
    ----------
    status : :class:`int` or :class:`None`
        Status that the board returned, or ``None`` if it returned nothing.
    """

    status: int | None

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class MismatchError(WeftError):
    """A device returned other bytes than the emulator or numpy."""
