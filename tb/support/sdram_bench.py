"""SDRAM controllers with a model of the chip: configurations, and runs of AXI managers."""

import dataclasses

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from amaranth.sim import Simulator

from support.axi_manager import AxiManager
from support.sdram_model import SMALL, SdramModel
from weft.host_memory.sdram import AxiSdram
from weft.host_memory.sdram_chip import M12L64322A, MT48LC16M16

__all__ = ["CHIPS", "KINDS", "RegisteredPins", "erased", "run"]

CHIPS = {"ulx3s": dataclasses.replace(MT48LC16M16, power_up=500),
         "colorlight": dataclasses.replace(M12L64322A, power_up=500), "small": SMALL,
         # stalls ACTIVATE of another bank even after a READ of a single beat
         "slow_rrd": dataclasses.replace(SMALL, rrd=95)}
"""Chips with a short power-up time."""

KINDS = [("ulx3s", 128, 100e6), ("ulx3s", 32, 133e6), ("ulx3s", 64, 48e6),
         ("colorlight", 32, 80e6), ("colorlight", 64, 100e6), ("small", 32, 100e6),
         ("small", 256, 143e6), ("small", 64, 20e6), ("slow_rrd", 32, 100e6)]
"""Chip, width of a beat in bits, and clock frequency in Hz."""


class RegisteredPins(wiring.Component):
    """Controller with registers at its pins, as on a board."""

    def __init__(self, memory):
        self.memory = memory
        self.read_latency = memory.read_latency
        super().__init__({"axi": In(memory.axi.signature.flip()),
                          "pins": Out(memory.pins.signature)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = self.memory
        connect(m, flipped(self.axi), memory.axi)
        for name, member in memory.pins.signature.members.items():
            inner, outer = getattr(memory.pins, name), getattr(self.pins, name)
            m.d.sync += outer.eq(inner) if member.flow is Out else inner.eq(outer)
        return m


def erased(size):
    """Return the initial contents of the model."""
    return bytearray(b"\xA5" * size)


def run(chip, width, clock_hz, *phases, actual_chip=None, registered=False):
    """Simulate a controller and a model of its chip.

    Parameters
    ----------
    chip : :class:`~weft.host_memory.sdram_chip.SdramChip`
        Chip that the controller is made for.
    width, clock_hz : number
        Beat width in bits, and clock frequency in Hz.
    phases : :class:`dict` or callable
        Parameters of an :class:`~support.axi_manager.AxiManager`, or a function that returns one
        for a port. The managers run one after another.
    actual_chip : :class:`~weft.host_memory.sdram_chip.SdramChip`, optional
        Chip of the model, if it differs from ``chip``.
    registered : :class:`bool`
        Put registers at the pins.

    Returns
    -------
    managers : list of :class:`~support.axi_manager.AxiManager`
    model : :class:`~support.sdram_model.SdramModel`
    """
    dut = AxiSdram(chip=chip, clock_hz=int(clock_hz), addr_width=26, data_width=width,
                   pin_delay=2 if registered else 0)
    if registered:
        dut = RegisteredPins(dut)
    model = SdramModel(dut.pins, actual_chip or chip, clock_hz)
    managers = [phase(dut.axi) if callable(phase) else AxiManager(dut.axi, **phase)
                for phase in phases]

    async def testbench(ctx):
        for manager in managers:
            await manager.run(ctx, limit=60_000)

    simulator = Simulator(dut)
    simulator.add_clock(1 / clock_hz)
    simulator.add_testbench(testbench)
    simulator.add_process(model.run)
    simulator.run()
    model.check_refreshes()
    return managers, model
