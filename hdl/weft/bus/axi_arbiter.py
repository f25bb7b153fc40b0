"""Two AXI4 managers on one memory."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .axi4 import Axi4
from .read_arbiter import ReadArbiter
from .write_arbiter import WriteArbiter

__all__ = ["AxiArbiter"]


class AxiArbiter(wiring.Component):
    """Shares an AXI4 port between a host link and an accelerator.

    Reads and writes are shared independently of each other; ``link`` goes first when both ask:
    it is rare and slow. Each channel takes one cycle through it. All of ``axi``'s outputs come
    from registers, and no wire leads from ``axi`` to a manager.

    Parameters
    ----------
    config : :class:`Config`
        Bus widths and ``outstanding``: bursts in flight that each half keeps in order.

    Members
    -------
    link, accelerator : :py:`In(Axi4(...))`
        The managers. They issue incrementing bursts of whole beats, all with ID 0.
    axi : :py:`Out(Axi4(...))`
        The port.
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
        for port, halves in ((self.link, (reads.fetch, writes.first)),
                             (self.accelerator, (reads.load, writes.second))):
            for half in halves:
                for name in half.signature.members:
                    outer, inner = getattr(port, name), getattr(half, name)
                    # the half is a manager's port seen from the other side
                    is_input = half.signature.members[name].flow == In
                    m.d.comb += inner.eq(outer) if is_input else outer.eq(inner)
        for half in (reads.axi, writes.axi):
            for name in half.signature.members:
                outer, inner = getattr(self.axi, name), getattr(half, name)
                is_output = half.signature.members[name].flow == Out
                m.d.comb += outer.eq(inner) if is_output else inner.eq(outer)
        return m
