"""Masks and numbers from the register map, and the counters that the engine maintains."""

from ...spec import register_map

__all__ = ["BUSY", "CLEAR", "CLEARING", "DONE", "ERROR", "LAST_LIVE_COUNTER", "LIVE_COUNTERS",
           "RESET", "RESETTING", "START", "field_mask", "register_number"]

LIVE_COUNTERS = ("MAC_BUSY", "BYTES_READ", "BYTES_WRITTEN", "INSTRUCTIONS",
        "LOAD_BUSY", "MATMUL_BUSY", "VECTOR_BUSY", "STORE_BUSY")
"""Counters that the engine maintains besides CYCLES; all others read as 0."""
LAST_LIVE_COUNTER = f"live_{LIVE_COUNTERS[-1]}"


def register_number(name):
    """Return the word address of a register, which is also its number in the register file."""
    return register_map.BY_NAME[name].offset >> 2


def field_mask(register, *names):
    """Return the mask of the fields ``names`` of a register."""
    mask = 0
    for name in names:
        bits = register_map.BY_NAME[register].bits(name)
        mask |= (1 << bits.width) - 1 << bits.offset
    return mask


START, RESET, CLEAR = (field_mask("CONTROL", name) for name in ("START", "SOFT_RESET", "CLEAR"))
BUSY, DONE, ERROR, RESETTING, CLEARING = (
    field_mask("STATUS", name) for name in ("BUSY", "DONE", "ERROR", "RESETTING", "CLEARING"))
