"""A board's top with its pins and its clock."""

from amaranth.build import ResourceError
from amaranth.hdl import ClockDomain, ClockSignal, Elaboratable, Instance, Module, Signal
from amaranth.lib import io
from amaranth.lib.cdc import FFSynchronizer, ResetSynchronizer

from ._top import BoardTop, sdram_phase

__all__ = ["OnPins", "make_platform"]


def make_platform(board):
    """The platform of a board, with the pins that it adds."""
    platform = board.platform_class()
    platform.add_resources(board.resources)
    return platform


class OnPins(Elaboratable):
    """A board's top behind its PLL, its serial line and a lamp.

    Everything stands still until the PLL has locked.

    Parameters
    ----------
    board : :class:`weft_boards._board.Board`
    top : :class:`weft_boards._top.BoardTop`, optional
        What to put behind the pins, if not the board's own.
    """

    def __init__(self, board, top=None):
        self.board = board
        self.top = BoardTop.of(board) if top is None else top

    def elaborate(self, platform):
        m = Module()
        m.submodules.top = top = self.top
        clock_pin = platform.request(platform.default_clk, dir="-")
        locked = Signal()
        if self.board.device.family == "ice40":
            source = clock_pin.io           # the PLL owns the pad
        else:
            m.submodules.clock_in = clock_in = io.Buffer("i", clock_pin)
            source = clock_in.i
        clock = Signal()
        late = None
        if self.board.sdram is not None:
            late = Signal()
            m.domains.sdram = ClockDomain(reset_less=True)
            m.d.comb += ClockSignal("sdram").eq(late)
        m.submodules.pll = self.board.pll.instance(source, clock, locked, late,
                                                   sdram_phase(self.board.clock_hz)[0])
        if self.board.device.family == "ecp5":
            self._gated(m, source, clock, locked)
        else:
            m.domains.sync = ClockDomain()
            m.d.comb += ClockSignal().eq(clock)
            m.submodules.reset = ResetSynchronizer(~locked)
        platform.add_clock_constraint(clock, self.board.clock_hz)

        uart = platform.request("uart", 0, dir={"rx": "-", "tx": "-"})
        m.submodules.rx_in = rx_in = io.Buffer("i", uart.rx)
        m.submodules.tx_out = tx_out = io.Buffer("o", uart.tx)
        m.d.comb += [top.rx.eq(rx_in.i), tx_out.o.eq(top.tx)]
        if self.board.sdram is not None:
            self._sdram(m, platform.request("sdram", 0, dir="-"), top.sdram)
        try:
            lamp = platform.request("led", 0, dir="-")
        except ResourceError:
            return m                        # no lamp, or the serial line uses its pin
        m.submodules.lamp_out = lamp_out = io.Buffer("o", lamp)
        m.d.comb += lamp_out.o.eq(top.busy)
        return m

    def _gated(self, m, source, clock, locked):
        """The clock waits for the PLL, instead of a reset.

        All registers have their first values from the bitstream. A reset would have to reach
        thousands of them all over the chip within one cycle, which takes longer than all else.
        """
        m.domains.sync = ClockDomain(reset_less=True)
        m.domains.pin = ClockDomain(reset_less=True)
        enable = Signal()
        m.d.comb += ClockSignal("pin").eq(source)
        m.submodules.enable_sync = FFSynchronizer(locked, enable, o_domain="pin", stages=3)
        m.submodules.gate = Instance("DCCA", i_CLKI=clock, i_CE=enable, o_CLKO=ClockSignal())

    def _sdram(self, m, pads, pins):
        """A register at every pin; the chip's clock comes from one, too, in its own domain."""
        m.submodules.sdram_clk = clock = io.DDRBuffer("o", pads.clk, o_domain="sdram")
        m.d.comb += [clock.o[0].eq(1), clock.o[1].eq(0)]
        ras, cas, we = (pins.command.as_value()[bit] for bit in (2, 1, 0))
        for name, value in (("clk_en", pins.cke), ("cs", 1), ("ras", ras), ("cas", cas),
                            ("we", we), ("ba", pins.bank), ("a", pins.addr), ("dqm", pins.mask)):
            if hasattr(pads, name):         # some boards have the first two wired
                m.submodules[f"sdram_{name}"] = out = io.FFBuffer("o", getattr(pads, name))
                m.d.comb += out.o.eq(value)
        m.submodules.sdram_dq = dq = io.FFBuffer("io", pads.dq)
        m.d.comb += [dq.o.eq(pins.dq_o), dq.oe.eq(pins.dq_en), pins.dq_i.eq(dq.i)]
