"""Amaranth SoC: Weft with an on-chip memory that it shares with another bus manager.

Run as a script, the module writes the design as Verilog:

    .venv/bin/python examples/amaranth_soc.py --preset tiny -o build/soc.v
"""

import argparse
import pathlib
import sys

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

import weft
from weft.bus.axi4 import Axi4, Axi4Lite
from weft.bus.axi_arbiter import AxiArbiter
from weft.host_memory.ram import AxiRam
from weft.spec.presets import preset
from weft.spec.register_map import ADDR_WIDTH
from weft.verilog import to_verilog

__all__ = ["SoC"]


class SoC(wiring.Component):
    """Accelerator with a memory of block RAM at address 0.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        Configuration of the accelerator.
    memory_bytes : :class:`int`
        Size of the memory, a power of two of at least 4096.

    Members
    -------
    registers : :py:`In(Axi4Lite(addr_width=12))`
        Registers, for a processor that starts programs.
    host : :py:`In(Axi4(addr_width, bus_width))`
        Second port of the memory, for programs, inputs and results.
    irq : :py:`Out(1)`
    """

    def __init__(self, config, *, memory_bytes=1 << 16):
        self.config = config
        self._memory = AxiRam(addr_width=config.addr_width, data_width=config.bus_width,
                              size=memory_bytes)
        super().__init__({
            "registers": In(Axi4Lite(addr_width=ADDR_WIDTH)),
            "host": In(Axi4(addr_width=config.addr_width, data_width=config.bus_width)),
            "irq": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        # weft.Accelerator, or the serial engine for a compact configuration
        m.submodules.weft = accelerator = weft.make_accelerator(self.config)
        m.submodules.arbiter = arbiter = AxiArbiter(self.config)
        m.submodules.memory = memory = self._memory
        connect(m, flipped(self.registers), accelerator.s_axil)
        connect(m, flipped(self.host), arbiter.link)
        connect(m, accelerator.m_axi, arbiter.accelerator)
        connect(m, arbiter.axi, memory.axi)
        m.d.comb += self.irq.eq(accelerator.irq)
        return m


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="tiny", help="configuration of the accelerator")
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True, help="Verilog file")
    options = parser.parse_args()
    try:
        options.output.write_text(to_verilog(SoC(preset(options.preset)), "soc"))
    except (OSError, ValueError) as error:
        sys.exit(f"amaranth_soc: {error}")
    print(options.output)


if __name__ == "__main__":
    main()
