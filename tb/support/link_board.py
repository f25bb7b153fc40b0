"""A board without pins: host link, accelerator and host memory, with nothing but a serial line."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect

from weft.accelerator import Accelerator
from weft.bus.joiner import Joiner
from weft.link.bridge import HostLink
from weft.memory.ram import AxiRam

__all__ = ["LinkBoard"]


class LinkBoard(wiring.Component):
    """What a board's top wires up, clocked as fast as the simulator goes.

    Parameters
    ----------
    config : :class:`weft.config.Config`
    memory_bytes : :class:`int`
        Host memory, from address 0 on.
    options
        For :class:`weft.link.bridge.HostLink`.
    """

    def __init__(self, config, *, memory_bytes, **options):
        self.config = config
        self.link = HostLink(addr_width=config.addr_width, data_width=config.bus_width,
                             memory_bytes=memory_bytes, **options)
        self.memory_bytes = memory_bytes
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1)})

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.link = link = self.link
        m.submodules.accelerator = accelerator = Accelerator(config)
        m.submodules.joiner = joiner = Joiner(config)
        m.submodules.memory = ram = AxiRam(addr_width=config.addr_width,
                                           data_width=config.bus_width, size=self.memory_bytes)
        m.d.comb += [link.rx.eq(self.rx), self.tx.eq(link.tx)]
        connect(m, link.m_axil, accelerator.s_axil)
        connect(m, link.m_axi, joiner.link)
        connect(m, accelerator.m_axi, joiner.accelerator)
        connect(m, joiner.axi, ram.axi)
        return m
