"""The register file as the emulator shows it: access rules, windows, error record."""

from weft import __version__
from weft.spec import isa, register_map

from ..errors import RegisterError

__all__ = ["RegisterFile", "pack", "unpack"]


def pack(name, **values):
    """The word of register ``name`` with the given fields, the others 0."""
    word = 0
    for key, value in values.items():
        bits = register_map.BY_NAME[name].bits(key)
        word |= (int(value) & (1 << bits.width) - 1) << bits.offset
    return word


def unpack(name, word):
    """The fields of a word of register ``name``."""
    return {bits.name: word >> bits.offset & (1 << bits.width) - 1
            for bits in register_map.BY_NAME[name].fields}


class RegisterFile:
    """All registers by name, with the refusals that the register map promises."""

    def __init__(self, config):
        major, minor, *_ = (int(part) for part in __version__.split("."))
        self.values = {register.name: 0 for register in register_map.REGISTERS}
        self.values.update({
            "ID": register_map.MAGIC,
            "VERSION": pack("VERSION", ISA=isa.ISA_VERSION, MAJOR=major, MINOR=minor),
            "CAP_ARRAY": pack("CAP_ARRAY", ROWS=config.rows, COLS=config.cols,
                              LANES=config.vector_lanes, BUS_BYTES=config.bus_bytes),
            "CAP_MEMORY": pack("CAP_MEMORY", SPAD_LOG2=config.spad_bytes.bit_length() - 1,
                               WGT_LOG2=config.wgt_bytes.bit_length() - 1,
                               ACC_LOG2=config.acc_rows.bit_length() - 1, BANKS=config.spad_banks),
            "CAP_CONTROL": pack("CAP_CONTROL", QUEUE=config.queue_depth, WINDOWS=register_map.WINDOWS,
                                COUNTERS=len(register_map.COUNTERS)),
            "CONFIG_HASH": config.fingerprint,
        })

    def field(self, register, bits):
        """One field of a register."""
        return unpack(register, self.values[register])[bits]

    def set(self, register, **values):
        """Set a register from the device's side."""
        self.values[register] = pack(register, **values)

    def windows(self):
        """The address windows as (first, last, read, write)."""
        found = []
        for index in range(register_map.WINDOWS):
            name = f"WINDOW{index}"
            found.append((self.values[f"{name}_BASE"], self.values[f"{name}_LAST"],
                          bool(self.field(f"{name}_CTRL", "READ")),
                          bool(self.field(f"{name}_CTRL", "WRITE"))))
        return found

    def check_write(self, name, value):
        """Raise :class:`RegisterError` if a write is refused."""
        register = register_map.BY_NAME[name]
        reason = None
        if register.access == "RO":
            reason = "it is read-only"
        elif register.access == "RW" and self.field("STATUS", "BUSY"):
            reason = "a program runs"
        elif name.startswith("WINDOW") and self.field(name.split("_")[0] + "_CTRL", "LOCK"):
            reason = "the window is locked"
        elif register.access == "RW" and value % register.align:
            reason = f"it is no multiple of {register.align}"
        elif name == "CONTROL":
            reason = self._command_reason(unpack(name, value))
        if reason:
            raise RegisterError(f"the device refused to write {value:#x} to {name}: {reason}")

    def _command_reason(self, command):
        if command["START"] + command["CLEAR"] + command["SOFT_RESET"] > 1:
            return "START, CLEAR and SOFT_RESET exclude each other"
        if command["START"] or command["CLEAR"]:
            for state in ("BUSY", "RESETTING", "CLEARING", "ERROR"):
                if self.field("STATUS", state):
                    return f"STATUS.{state} is set"
        return None

    def write(self, name, value):
        """A write by the host that was not refused, of a register without side effects."""
        register = register_map.BY_NAME[name]
        mask = 0
        for bits in register.fields:
            mask |= ((1 << bits.width) - 1) << bits.offset
        if register.access == "W1C":
            self.values[name] &= ~value
        elif register.access == "RW":
            self.values[name] = value & mask
