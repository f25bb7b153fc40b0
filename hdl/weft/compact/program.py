"""Complete microprogram of the serial engine, and the initial contents of the registers."""

from ..spec import register_map
from ..spec.identity import identity
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
    for name, word in identity(config).items():
        registers[register_map.BY_NAME[name].offset >> 2] |= word
    return words, registers
