"""The microprogram as a whole."""

from ..control.registers import HARDWARE_VERSION
from ..spec import isa, register_map
from .microcode.copies import copies
from .microcode.decode import decode
from .microcode.drain import drain
from .microcode.map import table_and_map
from .microcode.matmul import matmul
from .microcode.mnemonics import Code
from .microcode.register_writes import host
from .microcode.requantize import requantize
from .microcode.run import run
from .microcode.softmax import softmax
from .microcode.vector import vector

__all__ = ["microprogram"]


def _capabilities(config):
    """The registers that tell what the engine is, by name and field."""
    def log2(value):
        return value.bit_length() - 1

    return {
        "ID": {"VALUE": register_map.MAGIC},
        "VERSION": {"ISA": isa.ISA_VERSION, "MAJOR": HARDWARE_VERSION[0],
                    "MINOR": HARDWARE_VERSION[1]},
        "CAP_ARRAY": {"ROWS": config.rows, "COLS": config.cols, "LANES": config.vector_lanes,
                      "BUS_BYTES": config.bus_bytes},
        "CAP_MEMORY": {"SPAD_LOG2": log2(config.spad_bytes), "WGT_LOG2": log2(config.wgt_bytes),
                       "ACC_LOG2": log2(config.acc_rows), "BANKS": config.spad_banks},
        "CAP_CONTROL": {"QUEUE": config.queue_depth, "WINDOWS": register_map.WINDOWS,
                        "COUNTERS": len(register_map.COUNTERS)},
        "CONFIG_HASH": {"VALUE": config.fingerprint},
    }


def microprogram(config):
    """The words of the microprogram, and what the registers hold at power-on."""
    u = Code(config)
    for part in (run, host, decode, requantize, copies, matmul, vector, drain, table_and_map,
                 softmax):
        part(u)
    words, registers = u.words(), u.contents()
    for name, fields in _capabilities(config).items():
        register = register_map.BY_NAME[name]
        for key, value in fields.items():
            registers[register.offset >> 2] |= value << register.bits(key).offset
    return words, registers
