"""Initialisation of an SDRAM after power-up."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from .sdram_pins import Command

__all__ = ["SdramInit"]


class SdramInit(wiring.Component):
    """Generator of the initialisation sequence: wait, PRECHARGE of all banks, REFRESH, MODE.

    The mode selects accesses of single words, and the CAS latency for the clock frequency.

    Parameters
    ----------
    chip : :class:`SdramChip`
        Geometry and times of the chip.
    clock_hz : :class:`int`
        Clock frequency in Hz.

    Members
    -------
    o_command, o_addr : :py:`Out(Command)`, :py:`Out(chip.addr_width)`
        Values of the command and address pins.
    o_done : :py:`Out(1)`
        The sequence has ended, and the chip accepts any command. The signal stays high.

    References
    ----------
    JEDEC JESD21-C, 3.11.5.
    """

    REFRESHES = 8

    def __init__(self, chip, clock_hz):
        self.chip = chip
        self.cycles = chip.cycles(clock_hz)
        super().__init__({
            "o_command": Out(Command),
            "o_addr": Out(chip.addr_width),
            "o_done": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        cycles = self.cycles
        wait = Signal(range(max(cycles.power_up, cycles.rfc, cycles.rp) + 1), init=cycles.power_up)
        refreshes = Signal(range(self.REFRESHES + 1), init=self.REFRESHES)
        with m.If(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        with m.FSM():
            with m.State("WAIT"):
                with m.If(wait == 0):
                    m.d.comb += [self.o_command.eq(Command.PRECHARGE), self.o_addr[10].eq(1)]
                    m.d.sync += wait.eq(cycles.rp - 1)
                    m.next = "REFRESH"
            with m.State("REFRESH"):
                with m.If((wait == 0) & (refreshes != 0)):
                    m.d.comb += self.o_command.eq(Command.REFRESH)
                    m.d.sync += [wait.eq(cycles.rfc - 1), refreshes.eq(refreshes - 1)]
                with m.Elif(wait == 0):
                    m.d.comb += [self.o_command.eq(Command.MODE),
                                 self.o_addr.eq(cycles.cas << 4)]
                    m.d.sync += wait.eq(cycles.mrd - 1)
                    m.next = "MODE"
            with m.State("MODE"):
                with m.If(wait == 0):
                    m.d.sync += self.o_done.eq(1)
        return m
