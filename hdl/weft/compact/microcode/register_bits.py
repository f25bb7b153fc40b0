"""Which bits and numbers the register map has, and the counters that are kept."""

from ...spec import register_map

__all__ = ["BUSY", "CLEAR", "CLEARING", "DONE", "ERROR", "FIELD", "LAST_LIVE", "LIVE", "RESET",
           "RESETTING", "START", "number"]

LIVE = ("MAC_BUSY", "BYTES_READ", "BYTES_WRITTEN", "INSTRUCTIONS",
        "LOAD_BUSY", "MATMUL_BUSY", "VECTOR_BUSY", "STORE_BUSY")
"""Counters that are kept beside CYCLES; the others read as 0."""
LAST_LIVE = f"live_{LIVE[-1]}"


def number(name):
    """The word address of a register."""
    return register_map.BY_NAME[name].offset >> 2


def FIELD(register, *names):
    """The bits of some fields of a register."""
    found = 0
    for name in names:
        bits = register_map.BY_NAME[register].bits(name)
        found |= (1 << bits.width) - 1 << bits.offset
    return found


START, RESET, CLEAR = (FIELD("CONTROL", name) for name in ("START", "SOFT_RESET", "CLEAR"))
BUSY, DONE, ERROR, RESETTING, CLEARING = (
    FIELD("STATUS", name) for name in ("BUSY", "DONE", "ERROR", "RESETTING", "CLEARING"))
