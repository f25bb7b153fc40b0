"""The control side of Weft: registers, fetching, checking, tokens, watchdog, soft reset."""

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..bus.axi4 import Axi4Lite, Axi4Read
from . import regmap
from .records import datapath_counters
from .unit import UnitSignature

__all__ = ["Control"]


class Control(wiring.Component):
    """Runs programs on the four units under the eyes of a host; wiring only.

    Parameters
    ----------
    config : :class:`weft.config.Config`

    Members
    -------
    s_axil : :py:`In(Axi4Lite(addr_width=regmap.ADDR_WIDTH))`
        The host's way to the registers.
    axi : :py:`Out(Axi4Read(...))`
        Reads instructions.
    load, matmul, vector, store : :py:`Out(UnitSignature())`
        ``halt`` is driven for LOAD and STORE only: MATMUL and VECTOR end what they were handed.
    i_bus_idle : :py:`In(2)`
        Bit 0: LOAD has no address on the bus and is owed no beat. Bit 1: the same of STORE.
    o_clear : :py:`Out(1)`
        Reset everything but the registers, the on-chip memories and what is outside the core:
        the four units and the bus arbiter. High for ``SoftReset.CLEAR_CYCLES`` cycles, so that
        what is still on its way out of a memory arrives while its receiver is held in reset. The
        control side resets itself.
    o_clear_memories : :py:`Out(1)`
        High for one cycle: zero scratchpad, weight buffer and accumulators.
    i_clearing : :py:`In(1)`
        High from the cycle after ``o_clear_memories`` until all memories are zero.
    i_progress : :py:`In(1)`
        Something moved in the datapath: a handshake on ``m_axi`` or a vector into the array.
    i_counters : :py:`In(datapath_counters(config))`
        Increments of performance counters that only the datapath knows.
    o_irq : :py:`Out(1)`
        Interrupt, high while an enabled cause is set.
    """

    def __init__(self, config):
        self.config = config
        super().__init__({
            "s_axil": In(Axi4Lite(addr_width=regmap.ADDR_WIDTH)),
            "axi": Out(Axi4Read(addr_width=config.addr_width, data_width=config.bus_width)),
            "load": Out(UnitSignature()),
            "matmul": Out(UnitSignature()),
            "vector": Out(UnitSignature()),
            "store": Out(UnitSignature()),
            "i_bus_idle": In(2),
            "o_clear": Out(1),
            "o_clear_memories": Out(1),
            "i_clearing": In(1),
            "i_progress": In(1),
            "i_counters": In(datapath_counters(config)),
            "o_irq": Out(1),
        })
