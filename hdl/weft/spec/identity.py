"""Values of the registers that identify an accelerator and describe its capabilities."""

from .. import __version__
from . import isa, register_map
from .config import Config

__all__ = ["identity"]


def identity(config: Config) -> dict[str, int]:
    """Return the words of the identity and capability registers by name.

    Raises
    ------
    ValueError
        If a value does not fit its field.
    """
    major, minor, *_ = (int(part) for part in __version__.split("."))
    fields = {
        "ID": {"VALUE": register_map.MAGIC},
        "VERSION": {"ISA": isa.ISA_VERSION, "MAJOR": major, "MINOR": minor},
        "CAP_ARRAY": {"ROWS": config.rows, "COLS": config.cols, "LANES": config.vector_lanes,
                      "BUS_BYTES": config.bus_bytes},
        "CAP_MEMORY": {"SPAD_LOG2": config.spad_addr_width, "WGT_LOG2": config.wgt_addr_width,
                       "ACC_LOG2": config.acc_addr_width, "BANKS": config.spad_banks},
        "CAP_CONTROL": {"QUEUE": config.queue_depth, "WINDOWS": register_map.WINDOWS,
                        "COUNTERS": len(register_map.COUNTERS)},
        "CONFIG_HASH": {"VALUE": config.fingerprint},
    }
    words = {}
    for name, values in fields.items():
        word = 0
        for bits in register_map.BY_NAME[name].fields:
            if values[bits.name] >> bits.width:
                raise ValueError(f"{name}.{bits.name} has {bits.width} bits, too few for "
                                 f"{values[bits.name]}")
            word |= values[bits.name] << bits.offset
        words[name] = word
    return words
