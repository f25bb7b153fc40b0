"""Register map as a table, the source of the hardware, the driver, the C header and the docs.

Registers are 32 bits wide and located at byte offsets from the base of ``s_axil``. Bits 0 and 1 of
an address are ignored. Bits without a name read as 0, and writes to them have no effect.

The response to a refused write is SLVERR, and the write changes nothing. These writes are refused:

- a write to a read-only register or to an unmapped offset;
- a write to a configuration register (access RW) while BUSY is set;
- a write to a register of a locked window;
- a write of a value that is not a multiple of 32 to MEM_BASE or PROGRAM_ADDR;
- a START or CLEAR while BUSY, RESETTING, CLEARING or ERROR is set;
- more than one of START, CLEAR and SOFT_RESET in the same write.

The response to a read of an unmapped offset is SLVERR, with the value 0.

A program can read what earlier programs have left in the *memories* of the accelerator: scratchpad,
weight buffer, accumulators, parameter slots, tables A and B with the multiplier and shift of TABLE,
and step registers.

- CLEAR zeroes all of the memories and empties the ring. CLEARING is set until this is complete; a
  soft reset in the meantime does not end it.
- START and SOFT_RESET keep the memories. Both empty the ring: tiles that a program has loaded and
  not used are lost.
- After a hardware reset, the step registers are 0, and the contents of the other memories are
  undefined.
"""

import dataclasses

from .config import UNITS

__all__ = ["ADDR_WIDTH", "BY_NAME", "COUNTERS", "MAGIC", "REGISTERS", "STEP_REGISTERS", "WINDOWS",
           "Bits", "Register", "registers"]

ADDR_WIDTH = 12
"""Bits of a byte offset."""
MAGIC = int.from_bytes(b"WEFT", "little")
"""Value of the register ID."""
WINDOWS = 4
"""Number of address windows."""


@dataclasses.dataclass(frozen=True)
class Bits:
    """Field of a register, at bits ``offset`` to ``offset + width - 1``."""

    name: str
    offset: int
    width: int
    doc: str


@dataclasses.dataclass(frozen=True)
class Register:
    """One register.

    Attributes
    ----------
    name : :class:`str`
        Name.
    offset : :class:`int`
        Byte offset.
    access : :class:`str`
        ``"RO"`` (read only), ``"RW"`` (configuration), ``"WO"`` (commands) or ``"W1C"`` (writing 1
        clears a bit).
    doc : :class:`str`
        Description.
    fields : tuple of :class:`Bits`
        Fields.
    align : :class:`int`
        A write of a value that is not a multiple of this number is refused.
    """

    name: str
    offset: int
    access: str
    doc: str
    fields: tuple[Bits, ...] = ()
    align: int = 1

    def bits(self, name: str) -> Bits:
        """Return the field called ``name``; :class:`KeyError` if there is none."""
        for bits in self.fields:
            if bits.name == name:
                return bits
        raise KeyError(f"{self.name} has no field {name!r}")


def _word(doc: str) -> tuple[Bits, ...]:
    return (Bits("VALUE", 0, 32, doc),)


COUNTERS: tuple[tuple[str, str], ...] = (
    ("CYCLES", "cycles while BUSY"),
    ("MAC_BUSY", "cycles in which a vector of activations entered the array"),
    ("LOAD_BUSY", "cycles in which LOAD had an instruction in progress"),
    ("MATMUL_BUSY", "cycles in which MATMUL had an instruction in progress"),
    ("VECTOR_BUSY", "cycles in which VECTOR had an instruction in progress"),
    ("STORE_BUSY", "cycles in which STORE had an instruction in progress"),
    ("LOAD_WAIT_TOKEN", "cycles in which LOAD's next instruction waited for a token"),
    ("MATMUL_WAIT_TOKEN", "cycles in which MATMUL's next instruction waited for a token"),
    ("VECTOR_WAIT_TOKEN", "cycles in which VECTOR's next instruction waited for a token"),
    ("STORE_WAIT_TOKEN", "cycles in which STORE's next instruction waited for a token"),
    ("LOAD_WAIT_MEMORY", "cycles in which LOAD waited for host memory"),
    ("STORE_WAIT_MEMORY", "cycles in which STORE waited for host memory"),
    ("FETCH_WAIT_MEMORY", "cycles in which the sequencer waited for instructions"),
    ("MATMUL_WAIT_WEIGHTS", "cycles in which MATMUL waited for a tile to reach the array"),
    ("LOAD_CONFLICT", "cycles in which a scratchpad or weight buffer write of LOAD was stalled"),
    ("MATMUL_CONFLICT", "cycles in which a scratchpad read of MATMUL was stalled"),
    ("VECTOR_CONFLICT", "cycles in which a memory access of VECTOR was stalled"),
    ("STORE_CONFLICT", "cycles in which a scratchpad read of STORE was stalled"),
    ("BYTES_READ", "bytes read on m_axi by LOAD and instruction fetch, in whole beats"),
    ("BYTES_WRITTEN", "bytes written on m_axi, as enabled by strobes"),
    ("INSTRUCTIONS", "completed instructions, with every iteration of an instruction with each "
                     "counted"),
)
"""Name and description of each performance counter."""

_UNIT_WAIT = tuple(
    Bits(f"{unit}_{name}", 8 * index + offset, width, doc)
    for index, unit in enumerate(UNITS)
    for name, offset, width, doc in (
        ("TOKENS", 0, 4, f"units from which the next instruction of {unit} lacks a token: bit 0 "
                         "LOAD, bit 1 MATMUL, bit 2 VECTOR, bit 3 STORE"),
        ("QUEUED", 4, 1, f"{unit} has a next instruction, which has not been issued"),
        ("BUSY", 5, 1, f"{unit} has an instruction in progress"),
        ("MEMORY", 6, 1, f"{unit} waits for host memory"),
    ))

REGISTERS: tuple[Register, ...] = (
    Register("ID", 0x000, "RO", "\"WEFT\" in ASCII, the first letter in the lowest byte.",
             _word("0x54464557")),
    Register("VERSION", 0x004, "RO", "Versions of the instruction set and of the hardware.", (
        Bits("ISA", 0, 8, "version of the instruction set"),
        Bits("MINOR", 8, 8, "minor version of the hardware"),
        Bits("MAJOR", 16, 8, "major version of the hardware"))),
    Register("CAP_ARRAY", 0x008, "RO", "Sizes of the array and of the bus.", (
        Bits("ROWS", 0, 8, "rows of the array"), Bits("COLS", 8, 8, "columns of the array"),
        Bits("LANES", 16, 8, "lanes of VECTOR"),
        Bits("BUS_BYTES", 24, 8, "bytes of a beat on m_axi"))),
    Register("CAP_MEMORY", 0x00C, "RO", "Sizes of the on-chip memories.", (
        Bits("SPAD_LOG2", 0, 8, "log2 of the scratchpad's bytes"),
        Bits("WGT_LOG2", 8, 8, "log2 of the weight buffer's bytes"),
        Bits("ACC_LOG2", 16, 8, "log2 of the number of accumulator rows"),
        Bits("BANKS", 24, 8, "number of scratchpad banks"))),
    Register("CAP_CONTROL", 0x010, "RO", "Sizes of the control logic.", (
        Bits("QUEUE", 0, 8, "depth of each unit's instruction queue"),
        Bits("WINDOWS", 8, 8, "number of address windows"),
        Bits("COUNTERS", 16, 8, "number of performance counters"))),
    Register("CONFIG_HASH", 0x014, "RO", "CRC-32 of the configuration, as in a program file.",
             _word("fingerprint")),
    Register("CONTROL", 0x020, "WO", "Commands; reads as 0.", (
        Bits("START", 0, 1, "run the program at PROGRAM_ADDR"),
        Bits("SOFT_RESET", 1, 1, "stop issuing instructions, complete outstanding bus transfers, "
             "then reset everything except registers and memories; this also ends an error"),
        Bits("CLEAR", 2, 1, "zero all memories, which includes parameters, tables and step "
             "registers; only while idle"),
        Bits("SNAPSHOT", 3, 1, "copy all counters to the COUNTER registers at once"),
        Bits("CLEAR_COUNTERS", 4, 1, "zero all counters"))),
    Register("STATUS", 0x024, "RO", "State of the accelerator.", (
        Bits("BUSY", 0, 1, "a program is running"),
        Bits("DONE", 1, 1, "the last program has completed; START and SOFT_RESET clear this bit"),
        Bits("ERROR", 2, 1, "the last program has stopped with an error; SOFT_RESET clears this "
             "bit"),
        Bits("RESETTING", 3, 1, "a soft reset is in progress"),
        Bits("CLEARING", 4, 1, "memories are being zeroed"),
        Bits("UNITS", 8, 4, "units with an instruction in progress: bit 0 LOAD, bit 1 MATMUL, "
             "bit 2 VECTOR, bit 3 STORE"))),
    Register("IRQ_STATUS", 0x028, "W1C", "Causes of interrupts.", (
        Bits("DONE", 0, 1, "a program has completed"),
        Bits("ERROR", 1, 1, "a program has stopped with an error"))),
    Register("IRQ_ENABLE", 0x02C, "RW", "Bits of IRQ_STATUS that drive the output irq.", (
        Bits("DONE", 0, 1, "DONE drives irq"), Bits("ERROR", 1, 1, "ERROR drives irq"))),
    Register("MEM_BASE", 0x030, "RW", "Address that is added to PROGRAM_ADDR and to the host "
             "addresses of instructions; a multiple of 32.", _word("byte address"), align=32),
    Register("PROGRAM_ADDR", 0x034, "RW", "Address of the first instruction, relative to MEM_BASE; "
             "a multiple of 32.", _word("byte offset"), align=32),
    Register("PROGRAM_COUNT", 0x038, "RW", "Number of instructions in the program.",
             _word("count")),
    Register("WATCHDOG", 0x03C, "RW", "Cycles without progress after which a program is stopped; "
             "0 disables the watchdog.", _word("cycles")),
    Register("ERROR_CODE", 0x040, "RO", "Code and unit of the first error since the last reset.", (
        Bits("CODE", 0, 8, "error code, which the page of the instruction set explains; 0 without "
             "an error"),
        Bits("UNIT", 8, 8, "0 LOAD, 1 MATMUL, 2 VECTOR, 3 STORE, 4 sequencer"))),
    Register("ERROR_INDEX", 0x044, "RO", "Index in the program of the instruction that caused the "
             "first error.", _word("index")),
    Register("ERROR_ADDR", 0x048, "RO", "Address of the first error; its meaning depends on the "
             "code.", _word("address")),
    Register("WAITS", 0x04C, "RO", "Wait conditions of the units: the current ones or, after an "
             "error, those at the first error.", _UNIT_WAIT),
    Register("PC", 0x050, "RO", "Number of instructions that have entered the queues since START.",
             _word("count")),
    *(register for index in range(WINDOWS) for register in (
        Register(f"WINDOW{index}_BASE", 0x080 + 16 * index, "RW", f"Host address of the first byte "
                 f"of window {index}.", _word("byte address")),
        Register(f"WINDOW{index}_LAST", 0x084 + 16 * index, "RW", f"Host address of the last byte "
                 f"of window {index}.", _word("byte address")),
        Register(f"WINDOW{index}_CTRL", 0x088 + 16 * index, "RW",
                 f"Permissions of window {index}.", (
            Bits("READ", 0, 1, "LOAD and instruction fetch may read"),
            Bits("WRITE", 1, 1, "STORE may write"),
            Bits("LOCK", 2, 1, "writes to the registers of this window are refused until a "
                 "hardware reset"))))),
    *(Register(f"COUNTER_{name}", 0x100 + 4 * index, "RO", f"Value at the last SNAPSHOT: {doc}.",
               _word("count"))
      for index, (name, doc) in enumerate(COUNTERS)),
)

STEP_REGISTERS: tuple[Register, ...] = tuple(
    Register(f"STEP{index}", 0x200 + 4 * index, "RW", f"Step register {index}, from which "
             "instructions take counts and host addresses.", _word("value"))
    for index in range(64))
"""Registers of configurations with the fixed-point instructions."""

BY_NAME: dict[str, Register] = {
    register.name: register for register in (*REGISTERS, *STEP_REGISTERS)}


def registers(fixed_point: bool) -> tuple[Register, ...]:
    """Return the registers of a configuration with or without the fixed-point instructions."""
    return REGISTERS + STEP_REGISTERS if fixed_point else REGISTERS
