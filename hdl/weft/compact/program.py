"""Complete microprogram of the serial engine, and the initial contents of the registers."""

from ..control.registers import HARDWARE_VERSION
from ..spec import isa, register_map
from .microcode.copies import copies
from .microcode.decode import decode
from .microcode.drain import drain
from .microcode.map import table_and_map
from .microcode.matmul import matmul
from .microcode.mnemonics import Mnemonics
from .microcode.register_writes import register_writes
from .microcode.requantize import requantize
from .microcode.run import run
from .microcode.softmax import softmax
from .microcode.vector import vector

__all__ = ["microprogram"]


def _capabilities(config):
    """Return the values of the identity and capability registers, by name and field."""
    return {
        "ID": {"VALUE": register_map.MAGIC},
        "VERSION": {"ISA": isa.ISA_VERSION, "MAJOR": HARDWARE_VERSION[0],
                    "MINOR": HARDWARE_VERSION[1]},
        "CAP_ARRAY": {"ROWS": config.rows, "COLS": config.cols, "LANES": config.vector_lanes,
                      "BUS_BYTES": config.bus_bytes},
        "CAP_MEMORY": {"SPAD_LOG2": config.spad_addr_width, "WGT_LOG2": config.wgt_addr_width,
                       "ACC_LOG2": config.acc_addr_width, "BANKS": config.spad_banks},
        "CAP_CONTROL": {"QUEUE": config.queue_depth, "WINDOWS": register_map.WINDOWS,
                        "COUNTERS": len(register_map.COUNTERS)},
        "CONFIG_HASH": {"VALUE": config.fingerprint},
    }


def microprogram(config):
    """Assemble the microprogram for a configuration.

    Returns
    -------
    words : list of :class:`int`
        Microinstructions, 16 bits each.
    registers : list of :class:`int`
        Contents of the registers at power-up.
    """
    u = Mnemonics(config)
    for part in (run, register_writes, decode, requantize, copies, matmul, vector, drain,
                 table_and_map, softmax):
        part(u)
    words, registers = u.words(), u.initial_registers()
    for name, fields in _capabilities(config).items():
        register = register_map.BY_NAME[name]
        for key, value in fields.items():
            registers[register.offset >> 2] |= value << register.bits(key).offset
    return words, registers
