"""LiteX SoC with a VexRiscv, on-chip memory and Weft on one bus."""

from litex.build.generic_platform import Pins, Subsignal
from litex.build.io import CRG
from litex.build.sim import SimPlatform
from litex.soc.integration.common import get_mem_data
from litex.soc.integration.soc import SoCRegion
from litex.soc.integration.soc_core import SoCCore
from weft_core import REGION_BYTES, Weft

__all__ = ["CLOCK_HZ", "MAIN_RAM_BYTES", "Platform", "WeftSoC"]

CLOCK_HZ = 1_000_000        # cycles per second of LiteX's simulator, for delays in software
ROM_BYTES = 0x10000
MAIN_RAM_BYTES = 0x80000


class Platform(SimPlatform):
    """Platform of LiteX's simulator with a clock and a console."""

    def __init__(self):
        super().__init__("SIM", [
            ("sys_clk", 0, Pins(1)),
            ("serial", 0,
             Subsignal("source_valid", Pins(1)), Subsignal("source_ready", Pins(1)),
             Subsignal("source_data", Pins(8)),
             Subsignal("sink_valid", Pins(1)), Subsignal("sink_ready", Pins(1)),
             Subsignal("sink_data", Pins(8))),
        ])


class WeftSoC(SoCCore):
    """SoC with a VexRiscv, a ROM with LiteX's BIOS, SRAM, main memory, a console and Weft.

    Parameters
    ----------
    platform : :class:`Platform`
    config : :class:`weft.spec.config.Config`
        Configuration of Weft.
    verilog : path
        Weft's Verilog.
    make_firmware : function
        Called after LiteX has written its headers and compiled its libraries. Returns the path of
        the binary, which the BIOS starts at the beginning of main memory.
    """

    def __init__(self, platform, config, verilog, make_firmware):
        self.crg = CRG(platform.request("sys_clk"))
        super().__init__(
            platform, CLOCK_HZ, ident="LiteX with Weft", cpu_type="vexriscv", uart_name="sim",
            integrated_rom_size=ROM_BYTES, integrated_main_ram_size=MAIN_RAM_BYTES)
        self.weft = Weft(platform, config, verilog)
        self.bus.add_slave("weft", self.weft.registers, SoCRegion(size=REGION_BYTES, cached=False))
        self.bus.add_master("weft", self.weft.memory)
        self.irq.add("weft", use_loc_if_exists=True)
        platform.add_debug(self)            # register for firmware to end the simulation

        # the BIOS neither tests nor checks an initialised memory, but starts it at once
        self.add_config("MAIN_RAM_INIT")
        self.add_config("BIOS_NO_CRC")
        self.add_constant("ROM_BOOT_ADDRESS", self.mem_map["main_ram"])
        self._make_firmware = make_firmware

    def init_mems(self, **_):
        """Initialise main memory; LiteX calls this after compiling software, before gateware."""
        contents = get_mem_data(str(self._make_firmware()), data_width=32, endianness="little")
        self.init_ram("main_ram", contents=contents)
