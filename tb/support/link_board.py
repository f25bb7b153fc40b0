"""Boards whose only pins are a serial line, for simulations of the host link."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out, connect

from weft.bus.axi_arbiter import AxiArbiter
from weft.bus.axi_lite import AxiLiteSubordinate
from weft.host_memory.ram import AxiRam
from weft.instance import make_accelerator
from weft.link.host_link import HostLink

__all__ = ["LinkBoard", "MemoryBoard"]


class LinkBoard(wiring.Component):
    """Host link, accelerator and host memory in block RAM, as on a board.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
    memory_bytes : :class:`int`
        Size of the host memory, which starts at address 0.
    options
        Further parameters of :class:`weft.link.host_link.HostLink`.
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
        m.submodules.arbiter = arbiter = AxiArbiter(config)
        m.submodules.memory = ram = AxiRam(addr_width=config.addr_width,
                                           data_width=config.bus_width, size=self.memory_bytes)
        m.d.comb += [link.rx.eq(self.rx), self.tx.eq(link.tx)]
        connect(m, link.m_axil, accelerator.s_axil)
        connect(m, link.m_axi, arbiter.link)
        connect(m, accelerator.m_axi, arbiter.accelerator)
        connect(m, arbiter.axi, ram.axi)
        return m


class MemoryBoard(wiring.Component):
    """Host link with 4 KiB of memory and 512 registers, without an accelerator.

    The first half of the registers stores written values; the second half adds them to its
    contents, so that a request that is executed twice leaves a trace.
    :class:`support.link_model.LinkModel` is the model of this board.

    Parameters
    ----------
    data_width : :class:`int`
        Width of the memory bus in bits.
    base : :class:`int`
        Address of the memory.
    options
        Further parameters of :class:`weft.link.host_link.HostLink`.
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
        write, read = words.write_port(), words.read_port()
        bus = lite.bus
        m.d.comb += [link.rx.eq(self.rx), self.tx.eq(link.tx)]
        connect(m, link.m_axi, ram.axi)
        connect(m, link.m_axil, lite.s_axil)
        refused = bus.addr >= 4 * self.REGISTERS
        old_valid = Signal()                # the cycle after bus.en: the old word is available
        m.d.sync += old_valid.eq(bus.en)
        m.d.comb += [
            write.addr.eq(bus.addr >> 2),
            write.data.eq(bus.data + Mux(bus.addr >= 2 * self.REGISTERS, read.data, 0)),
            write.en.eq(old_valid & bus.write & ~refused),
            read.addr.eq(bus.addr >> 2),
            bus.error.eq(refused),
        ]
        m.d.sync += [bus.ack.eq(old_valid), bus.read_data.eq(read.data)]
        return m
