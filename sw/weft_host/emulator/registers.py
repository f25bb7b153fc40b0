"""Register file of the emulator: identity, access rules and address windows."""

from weft.spec import register_map
from weft.spec.config import Config
from weft.spec.identity import identity

from ..errors import RegisterError
from ..program.validate import AddressWindow
from ..register_words import check_word, find_register, pack, unpack

__all__ = ["RegisterFile"]


class RegisterFile:
    """All registers by name, with the access rules of the register map.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        Configuration that the identity registers describe.

    Attributes
    ----------
    values : dict of :class:`str` to :class:`int`
        The word of every register.
    """

    values: dict[str, int]

    def __init__(self, config: Config) -> None:
        self.values = {register.name: 0
                       for register in register_map.registers(config.fixed_point)}
        self.values.update(identity(config))

    def field(self, register: str, bits: str) -> int:
        """Return one field of a register."""
        found = register_map.BY_NAME[register].bits(bits)
        return self.values[register] >> found.offset & (1 << found.width) - 1

    def set(self, register: str, **values: int) -> None:
        """Set a register from the device's side; fields that are not given become 0."""
        self.values[register] = pack(register, **values)

    def read(self, name: str) -> int:
        """Return the word of a register.

        Raises
        ------
        RegisterError
            If this configuration does not have the register.
        """
        if name not in self.values:
            raise RegisterError(f"the device rejected the read of {name}: this configuration has "
                                "no such register")
        return self.values[name]

    def steps(self) -> list[int]:
        """Return the contents of the step registers, of which there may be none."""
        return [self.values[register.name] for register in register_map.STEP_REGISTERS
                if register.name in self.values]

    def clear_steps(self) -> None:
        """Set the step registers, if there are any, to 0."""
        for register in register_map.STEP_REGISTERS:
            if register.name in self.values:
                self.values[register.name] = 0

    def windows(self) -> list[AddressWindow]:
        """Return the address windows."""
        found: list[AddressWindow] = []
        for index in range(register_map.WINDOWS):
            name = f"WINDOW{index}"
            found.append((self.values[f"{name}_BASE"], self.values[f"{name}_LAST"],
                          bool(self.field(f"{name}_CTRL", "READ")),
                          bool(self.field(f"{name}_CTRL", "WRITE"))))
        return found

    def check_write(self, name: str, value: int) -> None:
        """Check that the host may write ``value`` to register ``name`` now.

        Raises
        ------
        RegisterError
            If there is no such register, or the hardware rejects the write.
        ValueError
            If ``value`` is not a word of 32 bits.
        """
        register = find_register(name)
        check_word(name, value)
        reason = None
        if name not in self.values:
            reason = "this configuration has no such register"
        elif register.access == "RO":
            reason = "it is read-only"
        elif register.access == "RW" and self.field("STATUS", "BUSY"):
            reason = "a program is running"
        elif name.startswith("WINDOW") and self.field(name.split("_")[0] + "_CTRL", "LOCK"):
            reason = "the window is locked"
        elif register.access == "RW" and value % register.align:
            reason = f"it is not a multiple of {register.align}"
        elif name == "CONTROL":
            reason = self._command_reason(unpack(name, value))
        if reason:
            raise RegisterError(f"the device rejected the write of {value:#x} to {name}: {reason}")

    def _command_reason(self, command: dict[str, int]) -> str | None:
        if command["START"] + command["CLEAR"] + command["SOFT_RESET"] > 1:
            return "START, CLEAR and SOFT_RESET exclude each other"
        if command["START"] or command["CLEAR"]:
            for state in ("BUSY", "RESETTING", "CLEARING", "ERROR"):
                if self.field("STATUS", state):
                    return f"STATUS.{state} is set"
        return None

    def write(self, name: str, value: int) -> None:
        """Carry out a write that :meth:`check_write` accepts, for a register other than CONTROL."""
        register = register_map.BY_NAME[name]
        mask = 0
        for bits in register.fields:
            mask |= ((1 << bits.width) - 1) << bits.offset
        if register.access == "W1C":
            self.values[name] &= ~value
        elif register.access == "RW":
            self.values[name] = value & mask
