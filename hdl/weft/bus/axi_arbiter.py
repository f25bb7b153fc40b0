"""Arbiter between two AXI4 managers for one memory port."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .axi4 import Axi4, connect_half
from .read_arbiter import ReadArbiter
from .write_arbiter import WriteArbiter

__all__ = ["AxiArbiter"]


class AxiArbiter(wiring.Component):
    """Arbiter between a host link and an accelerator, with independent read and write halves.

    ``link`` has priority, because its accesses are rare. The latency of each channel is one cycle.
    All outputs of ``axi`` are registers, and there is no combinational path from ``axi`` to a
    manager.

    Parameters
    ----------
    config : :class:`Config`
        Bus widths, and ``outstanding``: the maximum number of bursts in flight per manager and
        direction.

    Members
    -------
    link, accelerator : :py:`In(Axi4(...))`
        The managers. They issue incrementing bursts of whole beats, all with ID 0.
    axi : :py:`Out(Axi4(...))`
        Port to the memory.
    """

    LATENCY = 1         # of each channel, in cycles

    def __init__(self, config):
        self.config = config
        port = Axi4(addr_width=config.addr_width, data_width=config.bus_width)
        super().__init__({"link": In(port), "accelerator": In(port), "axi": Out(port)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.reads = reads = ReadArbiter(self.config)
        m.submodules.writes = writes = WriteArbiter(self.config)
        for port, halves in ((self.link, (reads.first, writes.first)),
                             (self.accelerator, (reads.second, writes.second))):
            for half in halves:
                connect_half(m, port, half)
        for half in (reads.axi, writes.axi):
            connect_half(m, self.axi, half)
        return m
