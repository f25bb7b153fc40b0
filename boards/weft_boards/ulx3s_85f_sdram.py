"""ULX3S with an LFE5U-85F: 16 x 16 cells, host memory in the board's SDRAM."""

import dataclasses

from weft.host_memory.sdram_chip import MT48LC16M16

from .ulx3s_85f import BOARD as BLOCK_RAM

BOARD = dataclasses.replace(
    BLOCK_RAM, name="ulx3s_85f_sdram", title="Radiona ULX3S 85F, with its SDRAM",
    storage="sdram", sdram=MT48LC16M16, memory_bytes=MT48LC16M16.size)
