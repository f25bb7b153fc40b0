"""What an SDRAM has to be told before its first use."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from .sdram_pins import Command

__all__ = ["SdramStart"]


class SdramStart(wiring.Component):
    """After reset: waits, closes all banks, refreshes, and sets the mode.

    The mode is that of single words with the latency for the clock; see JEDEC's JESD21-C, 3.11.5.

    Parameters
    ----------
    chip : :class:`SdramChip`
    clock_hz : :class:`int`

    Members
    -------
    o_command : :py:`Out(Command)`
    o_addr : :py:`Out(chip.addr_width)`
    o_done : :py:`Out(1)`
        From here on the chip takes any command. Stays high.
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
        left = Signal(range(max(cycles.start, cycles.rfc, cycles.rp) + 1), init=cycles.start)
        refreshes = Signal(range(self.REFRESHES + 1), init=self.REFRESHES)
        with m.If(left != 0):
            m.d.sync += left.eq(left - 1)
        with m.FSM():
            with m.State("WAIT"):
                with m.If(left == 0):
                    m.d.comb += [self.o_command.eq(Command.PRECHARGE), self.o_addr[10].eq(1)]
                    m.d.sync += left.eq(cycles.rp - 1)
                    m.next = "REFRESH"
            with m.State("REFRESH"):
                with m.If((left == 0) & (refreshes != 0)):
                    m.d.comb += self.o_command.eq(Command.REFRESH)
                    m.d.sync += [left.eq(cycles.rfc - 1), refreshes.eq(refreshes - 1)]
                with m.Elif(left == 0):
                    m.d.comb += [self.o_command.eq(Command.MODE),
                                 self.o_addr.eq(cycles.cas << 4)]
                    m.d.sync += left.eq(cycles.mrd - 1)
                    m.next = "MODE"
            with m.State("MODE"):
                with m.If(left == 0):
                    m.d.sync += self.o_done.eq(1)
        return m
