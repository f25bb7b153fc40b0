"""Error codes of a program run, with their descriptions for documentation and C header."""

import enum
from typing import Self

__all__ = ["ErrorCode"]


class ErrorCode(enum.IntEnum):
    """Error code in the register ERROR_CODE.

    Attributes
    ----------
    doc : :class:`str`
        Meaning of the code.
    where : :class:`str`
        Meaning of the address in ERROR_ADDR.
    """

    doc: str
    where: str

    def __new__(cls, value: int, doc: str, where: str) -> Self:
        code = int.__new__(cls, value)
        code._value_ = value
        code.doc = doc
        code.where = where
        return code

    NONE = 0, "no error", "0"
    ILLEGAL_OPCODE = 1, "unknown opcode", "host address of the instruction"
    RESERVED_BITS = (2, "a reserved bit is set, or wait or signal names the instruction's own unit",
                     "host address of the instruction")
    BAD_FIELD = (3, "a count is zero, or a field is outside its range",
                 "host address of the instruction")
    SPAD_BOUNDS = (4, "access beyond the end of the scratchpad",
                   "address field of the instruction, in bytes")
    WGT_BOUNDS = (5, "access beyond the end of the weight buffer",
                  "address field of the instruction: in bytes for LOAD_WGT, in tiles for MATMUL")
    ACC_BOUNDS = 6, "access beyond the last accumulator row", "acc_addr"
    HOST_WINDOW = (7, "access to a range that no window with the required permission contains",
                   "MEM_BASE + host_addr; for a fetch, the host address of the instruction")
    BUS_SLVERR = (8, "host memory responded with SLVERR",
                  "host address of the beat for a read, of the burst for a write")
    BUS_DECERR = (9, "host memory responded with DECERR",
                  "host address of the beat for a read, of the burst for a write")
    WATCHDOG = 10, "no progress for as many cycles as the register WATCHDOG contains", "0"
    TOKEN_OVERFLOW = 11, "more than 255 tokens from one unit that another has not taken", "0"
