"""LiteX module of Weft: registers and memory as LiteX buses, the interrupt as an event."""

from litex.gen import LiteXModule
from litex.soc.interconnect import axi
from litex.soc.interconnect.csr_eventmanager import EventManager, EventSourceLevel
from migen import ClockSignal, Instance, ResetSignal
from weft_ports import REGISTER_ADDR_WIDTH, instance_ports

__all__ = ["REGION_BYTES", "Weft"]

REGION_BYTES = 1 << REGISTER_ADDR_WIDTH


class Weft(LiteXModule):
    """Instance of the Verilog module ``weft`` with LiteX buses::

        self.weft = Weft(platform, config, "build/weft.v")
        self.bus.add_slave("weft", self.weft.registers, SoCRegion(size=REGION_BYTES, cached=False))
        self.bus.add_master("weft", self.weft.memory)
        self.irq.add("weft")

    Parameters
    ----------
    platform : ``GenericPlatform``
        Platform to which the Verilog file is added.
    config : :class:`weft.spec.config.Config`
        Configuration of the Verilog. If ``bus_width`` is that of the SoC's bus, LiteX needs no
        converter.
    verilog : path
        Output of ``weft verilog`` for ``config``.

    Attributes
    ----------
    registers : ``AXILiteInterface``
        Register port, for an uncached region of 4 KiB.
    memory : ``AXIInterface``
        Memory port. Caches do not observe it: the processor must flush its data cache before it
        reads Weft's results.
    ev : ``EventManager``
        ``finished`` is high while register IRQ_STATUS has an enabled cause.

    Raises
    ------
    ValueError
        If ``addr_width`` is not the 32 of LiteX's bus.
    """

    def __init__(self, platform, config, verilog):
        if config.addr_width != 32:
            raise ValueError(f"addr_width must be the 32 of LiteX's bus, not {config.addr_width}")
        self.registers = axi.AXILiteInterface(data_width=32, address_width=32)
        self.memory = axi.AXIInterface(data_width=config.bus_width, address_width=32, id_width=1)
        self.ev = EventManager()
        self.ev.finished = EventSourceLevel(description="A program is done, or has stopped.")
        self.ev.finalize()
        self.specials += Instance(
            "weft", i_clk=ClockSignal("sys"), i_rst=ResetSignal("sys"),
            o_irq=self.ev.finished.trigger, **instance_ports(self.registers, self.memory))
        platform.add_source(str(verilog))
