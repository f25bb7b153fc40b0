"""Boards without pins: a host link and what is behind it, with nothing but a serial line."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out, connect

from weft.bus.axi_lite import AxiLiteSubordinate
from weft.bus.joiner import Joiner
from weft.host_memory.ram import AxiRam
from weft.instance import make_accelerator
from weft.link.host_link import HostLink

__all__ = ["LinkBoard", "MemoryBoard"]


class LinkBoard(wiring.Component):
    """What a board's top wires up, clocked as fast as the simulator goes.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
    memory_bytes : :class:`int`
        Host memory, from address 0 on.
    options
        For :class:`weft.link.host_link.HostLink`.
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
        m.submodules.accelerator = accelerator = make_accelerator(config)
        m.submodules.joiner = joiner = Joiner(config)
        m.submodules.memory = ram = AxiRam(addr_width=config.addr_width,
                                           data_width=config.bus_width, size=self.memory_bytes)
        m.d.comb += [link.rx.eq(self.rx), self.tx.eq(link.tx)]
        connect(m, link.m_axil, accelerator.s_axil)
        connect(m, link.m_axi, joiner.link)
        connect(m, accelerator.m_axi, joiner.accelerator)
        connect(m, joiner.axi, ram.axi)
        return m


class MemoryBoard(wiring.Component):
    """A host link with 4 KiB of memory and 512 registers.

    The first half of the registers keeps what is written, the second adds it to what it has, so
    that a request that is executed twice leaves a trace. It answers as
    :class:`support.link_model.LinkModel` does.

    Parameters
    ----------
    data_width : :class:`int`
        Bits of the bus.
    base : :class:`int`
        Address of the memory.
    options
        For :class:`weft.link.host_link.HostLink`.
    """

    SIZE = 4096
    REGISTERS = 512

    def __init__(self, data_width, *, base=0x1000, **options):
        self.base = base
        self.link = HostLink(addr_width=32, data_width=data_width, memory_base=base,
                             memory_bytes=self.SIZE, **options)
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.link = link = self.link
        m.submodules.memory = ram = AxiRam(addr_width=32, data_width=link.data_width,
                                           base=self.base, size=self.SIZE)
        m.submodules.lite = lite = AxiLiteSubordinate(12)
        m.submodules.words = words = memory.Memory(shape=32, depth=self.REGISTERS, init=[])
        into, out_of = words.write_port(), words.read_port()
        bus = lite.bus
        m.d.comb += [link.rx.eq(self.rx), self.tx.eq(link.tx)]
        connect(m, link.m_axi, ram.axi)
        connect(m, link.m_axil, lite.s_axil)
        refused = bus.addr >= 4 * self.REGISTERS
        second = Signal()                   # the cycle after bus.en: the old word is here
        m.d.sync += second.eq(bus.en)
        m.d.comb += [
            into.addr.eq(bus.addr >> 2),
            into.data.eq(bus.data + Mux(bus.addr >= 2 * self.REGISTERS, out_of.data, 0)),
            into.en.eq(second & bus.write & ~refused),
            out_of.addr.eq(bus.addr >> 2),
            bus.error.eq(refused),
        ]
        m.d.sync += [bus.ack.eq(second), bus.read_data.eq(out_of.data)]
        return m
