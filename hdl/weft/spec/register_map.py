"""The register map as one table: hardware, driver, C header and docs are made from it.

Registers are 32 bits wide at byte offsets from the base of ``s_axil``. A write to a read-only
or unmapped offset, to a configuration register while BUSY, or to a locked window is refused
with SLVERR and changes nothing; so is a value that is no multiple of a register's ``align``, and
START or CLEAR while BUSY, RESETTING or CLEARING, with ERROR set, or together with SOFT_RESET or
with each other. A read of an unmapped offset answers SLVERR and 0. Bits 0 and 1 of an address
do not matter; bits without a name read as 0, and writing them changes nothing.
"""

import dataclasses

__all__ = ["ADDR_WIDTH", "MAGIC", "WINDOWS", "COUNTERS", "Bits", "Register", "REGISTERS", "BY_NAME"]

ADDR_WIDTH = 12
MAGIC = int.from_bytes(b"WEFT", "little")
WINDOWS = 4


@dataclasses.dataclass(frozen=True)
class Bits:
    """Bits ``offset`` to ``offset + width - 1`` of a register."""

    name: str
    offset: int
    width: int
    doc: str


@dataclasses.dataclass(frozen=True)
class Register:
    """One register. ``access``: RO, RW (configuration), WO (strobes), W1C (write 1 to clear).

    Only multiples of ``align`` can be written.
    """

    name: str
    offset: int
    access: str
    doc: str
    fields: tuple = ()
    align: int = 1

    def bits(self, name):
        """The field called ``name``."""
        for bits in self.fields:
            if bits.name == name:
                return bits
        raise KeyError(f"{self.name} has no field {name!r}")


def _word(doc):
    return (Bits("VALUE", 0, 32, doc),)


COUNTERS = (
    ("CYCLES", "cycles while BUSY"),
    ("MAC_BUSY", "cycles in which a vector entered the array"),
    ("LOAD_BUSY", "cycles in which LOAD had an instruction in work"),
    ("MATMUL_BUSY", "cycles in which MATMUL had an instruction in work"),
    ("VECTOR_BUSY", "cycles in which VECTOR had an instruction in work"),
    ("STORE_BUSY", "cycles in which STORE had an instruction in work"),
    ("LOAD_WAIT_TOKEN", "cycles in which LOAD's next instruction waited for a token"),
    ("MATMUL_WAIT_TOKEN", "cycles in which MATMUL's next instruction waited for a token"),
    ("VECTOR_WAIT_TOKEN", "cycles in which VECTOR's next instruction waited for a token"),
    ("STORE_WAIT_TOKEN", "cycles in which STORE's next instruction waited for a token"),
    ("LOAD_WAIT_MEMORY", "cycles in which LOAD waited for host memory"),
    ("STORE_WAIT_MEMORY", "cycles in which STORE waited for host memory"),
    ("FETCH_WAIT_MEMORY", "cycles in which the sequencer waited for instructions"),
    ("MATMUL_WAIT_WEIGHTS", "cycles in which MATMUL waited for a tile to reach the array"),
    ("LOAD_CONFLICT", "cycles in which a scratchpad write of LOAD was put off"),
    ("MATMUL_CONFLICT", "cycles in which a scratchpad read of MATMUL was put off"),
    ("VECTOR_CONFLICT", "cycles in which an access of VECTOR was put off"),
    ("STORE_CONFLICT", "cycles in which a scratchpad read of STORE was put off"),
    ("BYTES_READ", "bytes that m_axi delivered for LOAD and instructions, whole beats"),
    ("BYTES_WRITTEN", "bytes that m_axi wrote, by strobe"),
    ("INSTRUCTIONS", "instructions that are done; those with each count once for every row"),
)

_UNIT_WAIT = tuple(
    Bits(f"{unit}_{name}", 8 * index + offset, width, doc)
    for index, unit in enumerate(("LOAD", "MATMUL", "VECTOR", "STORE"))
    for name, offset, width, doc in (
        ("TOKENS", 0, 4, "units whose token the next instruction lacks"),
        ("QUEUED", 4, 1, "an instruction is queued"),
        ("BUSY", 5, 1, "an instruction is in work"),
        ("MEMORY", 6, 1, "waits for host memory"),
    ))

REGISTERS = (
    Register("ID", 0x000, "RO", "\"WEFT\" in ASCII, first letter in the lowest byte.",
             _word("0x54464557")),
    Register("VERSION", 0x004, "RO", "Versions.", (
        Bits("ISA", 0, 8, "version of the instruction set"),
        Bits("MINOR", 8, 8, "minor version of the hardware"),
        Bits("MAJOR", 16, 8, "major version of the hardware"))),
    Register("CAP_ARRAY", 0x008, "RO", "Array and bus.", (
        Bits("ROWS", 0, 8, "rows"), Bits("COLS", 8, 8, "columns"),
        Bits("LANES", 16, 8, "vector lanes"), Bits("BUS_BYTES", 24, 8, "bytes of a beat"))),
    Register("CAP_MEMORY", 0x00C, "RO", "Memories.", (
        Bits("SPAD_LOG2", 0, 8, "log2 of the scratchpad's bytes"),
        Bits("WGT_LOG2", 8, 8, "log2 of the weight buffer's bytes"),
        Bits("ACC_LOG2", 16, 8, "log2 of the accumulator rows"),
        Bits("BANKS", 24, 8, "scratchpad banks"))),
    Register("CAP_CONTROL", 0x010, "RO", "Control.", (
        Bits("QUEUE", 0, 8, "instructions in each unit's queue"),
        Bits("WINDOWS", 8, 8, "address windows"),
        Bits("COUNTERS", 16, 8, "performance counters"))),
    Register("CONFIG_HASH", 0x014, "RO", "CRC-32 of the configuration, as in a program file.",
             _word("hash")),
    Register("CONTROL", 0x020, "WO", "Commands; reads as 0.", (
        Bits("START", 0, 1, "run the program"),
        Bits("SOFT_RESET", 1, 1, "stop issuing, let the bus finish, reset all but registers "
             "and memory contents"),
        Bits("CLEAR", 2, 1, "zero scratchpad, weight buffer and accumulators; only while idle"),
        Bits("SNAPSHOT", 3, 1, "copy all counters to the COUNTER registers at once"),
        Bits("CLEAR_COUNTERS", 4, 1, "zero all counters"))),
    Register("STATUS", 0x024, "RO", "State.", (
        Bits("BUSY", 0, 1, "a program runs"),
        Bits("DONE", 1, 1, "the last program ran to its end"),
        Bits("ERROR", 2, 1, "the last program stopped with an error"),
        Bits("RESETTING", 3, 1, "a soft reset waits for the bus"),
        Bits("CLEARING", 4, 1, "memories are being zeroed"),
        Bits("UNITS", 8, 4, "units with an instruction in work"))),
    Register("IRQ_STATUS", 0x028, "W1C", "Interrupt causes.", (
        Bits("DONE", 0, 1, "a program ran to its end"),
        Bits("ERROR", 1, 1, "a program stopped with an error"))),
    Register("IRQ_ENABLE", 0x02C, "RW", "Causes that raise irq.", (
        Bits("DONE", 0, 1, "on done"), Bits("ERROR", 1, 1, "on error"))),
    Register("MEM_BASE", 0x030, "RW", "Added to every host address of an instruction; a multiple "
             "of 32.", _word("byte address"), align=32),
    Register("PROGRAM_ADDR", 0x034, "RW", "First instruction, relative to MEM_BASE, a multiple of "
             "32.", _word("byte offset"), align=32),
    Register("PROGRAM_COUNT", 0x038, "RW", "Instructions in the program.", _word("count")),
    Register("WATCHDOG", 0x03C, "RW", "Cycles without progress after which a program is stopped; "
             "0 is never.", _word("cycles")),
    Register("ERROR_CODE", 0x040, "RO", "The first error.", (
        Bits("CODE", 0, 8, "what, see the instruction set"),
        Bits("UNIT", 8, 8, "0 LOAD, 1 MATMUL, 2 VECTOR, 3 STORE, 4 sequencer"))),
    Register("ERROR_INDEX", 0x044, "RO", "Index in the program of its instruction.",
             _word("index")),
    Register("ERROR_ADDR", 0x048, "RO", "Address it met.", _word("address")),
    Register("WAITS", 0x04C, "RO", "Who waits for what: live, and as it was at the first error.",
             _UNIT_WAIT),
    Register("PC", 0x050, "RO", "Instructions passed to the queues.", _word("count")),
    *(register for index in range(WINDOWS) for register in (
        Register(f"WINDOW{index}_BASE", 0x080 + 16 * index, "RW", "First byte of the window.",
                 _word("byte address")),
        Register(f"WINDOW{index}_LAST", 0x084 + 16 * index, "RW", "Last byte of the window.",
                 _word("byte address")),
        Register(f"WINDOW{index}_CTRL", 0x088 + 16 * index, "RW", "Permissions.", (
            Bits("READ", 0, 1, "LOAD and fetching may read"),
            Bits("WRITE", 1, 1, "STORE may write"),
            Bits("LOCK", 2, 1, "no change until a hardware reset"))))),
    *(Register(f"COUNTER_{name}", 0x100 + 4 * index, "RO", f"At the last SNAPSHOT: {doc}.",
               _word("count"))
      for index, (name, doc) in enumerate(COUNTERS)),
)

BY_NAME = {register.name: register for register in REGISTERS}
