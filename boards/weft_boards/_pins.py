"""Top level of a device: a :class:`BoardTop` with the pins and the clock of the board."""

from __future__ import annotations

from typing import Any

from amaranth.build import Platform
from amaranth.build.res import ResourceError
from amaranth.hdl import ClockDomain, ClockSignal, Elaboratable, Instance, Module, Signal
from amaranth.lib import io
from amaranth.lib.cdc import FFSynchronizer, ResetSynchronizer

from ._board import Board
from ._sdram_phase import sdram_phase
from ._top import BoardTop

__all__ = ["DeviceTop", "make_platform"]


def make_platform(board: Board) -> Platform:
    """Return the platform of a board, with the pins that the board's description adds.

    Raises
    ------
    TypeError, ValueError
        See :meth:`~weft_boards._board.Board.check_platform`.
    """
    board.check_platform()
    platform = board.platform_class()
    platform.add_resources(board.resources)
    return platform


class DeviceTop(Elaboratable):
    """Top level of a device: the logic of a board, the PLL, and the buffers of all pins.

    The design does not run before the PLL has locked.

    Parameters
    ----------
    board : :class:`weft_boards._board.Board`
        The board.
    top : component, optional
        Logic of the board, with the ports of :class:`weft_boards._top.BoardTop`. By default, it is
        a ``BoardTop``.
    """

    def __init__(self, board: Board, top: Any = None) -> None:
        self.board = board
        self.top: Any = BoardTop.of(board) if top is None else top

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.top = top = self.top
        clock_pin = platform.request(platform.default_clk, dir="-")
        locked = Signal()
        if self.board.device.family == "ice40":
            source = clock_pin.io           # the PLL primitive includes the pad
        else:
            m.submodules.clock_in = clock_in = io.Buffer(io.Direction.Input, clock_pin)
            source = clock_in.i
        clock = Signal()
        sdram_clock = None
        if self.board.sdram is not None:
            sdram_clock = Signal()
            m.domains.sdram = ClockDomain(reset_less=True)
            m.d.comb += ClockSignal("sdram").eq(sdram_clock)
        quarters = 0 if sdram_clock is None else sdram_phase(self.board.clock_hz)[0]
        m.submodules.pll = self.board.pll.instance(source, clock, locked, shifted=sdram_clock,
                                                   quarters=quarters)
        if self.board.device.family == "ecp5":
            self._gate_clock(m, source, clock, locked)
        else:
            m.domains.sync = ClockDomain()
            m.d.comb += ClockSignal().eq(clock)
            m.submodules.reset = ResetSynchronizer(~locked)
        platform.add_clock_constraint(clock, self.board.clock_hz)

        uart = platform.request("uart", 0, dir={"rx": "-", "tx": "-"})
        m.submodules.rx_in = rx_in = io.Buffer(io.Direction.Input, uart.rx)
        m.submodules.tx_out = tx_out = io.Buffer(io.Direction.Output, uart.tx)
        m.d.comb += [top.rx.eq(rx_in.i), tx_out.o.eq(top.tx)]
        if self.board.sdram is not None:
            self._sdram(m, platform.request("sdram", 0, dir="-"), top.sdram)
        try:
            led = platform.request("led", 0, dir="-")
        except ResourceError:
            return m                        # no LED, or the serial line uses its pin
        m.submodules.led_out = led_out = io.Buffer(io.Direction.Output, led)
        m.d.comb += led_out.o.eq(top.busy)
        return m

    def _gate_clock(self, m: Module, source: Any, clock: Signal, locked: Signal) -> None:
        """Gate the clock until the PLL has locked, in place of a reset.

        No reset is needed, because the bitstream initialises all registers. A reset would be the
        critical path, because it would have to reach thousands of registers within one cycle.
        """
        m.domains.sync = ClockDomain(reset_less=True)
        m.domains.pin = ClockDomain(reset_less=True)
        enable = Signal()
        m.d.comb += ClockSignal("pin").eq(source)
        m.submodules.enable_sync = FFSynchronizer(locked, enable, o_domain="pin", stages=3)
        m.submodules.gate = Instance("DCCA", i_CLKI=clock, i_CE=enable, o_CLKO=ClockSignal())

    def _sdram(self, m: Module, pads: Any, pins: Any) -> None:
        """Connect an SDRAM through registers in the pins. A DDR register drives its clock pin."""
        clock: Any = io.DDRBuffer(io.Direction.Output, pads.clk, o_domain="sdram")
        m.submodules.sdram_clk = clock
        m.d.comb += [clock.o[0].eq(1), clock.o[1].eq(0)]
        ras, cas, we = (pins.command.as_value()[bit] for bit in (2, 1, 0))
        for name, value in (("clk_en", pins.cke), ("cs", 1), ("ras", ras), ("cas", cas),
                            ("we", we), ("ba", pins.bank), ("a", pins.addr), ("dqm", pins.mask)):
            if hasattr(pads, name):         # on some boards, clk_en and cs are hard-wired
                out = io.FFBuffer(io.Direction.Output, getattr(pads, name))
                m.submodules[f"sdram_{name}"] = out
                m.d.comb += out.o.eq(value)
        m.submodules.sdram_dq = dq = io.FFBuffer(io.Direction.Bidir, pads.dq)
        m.d.comb += [dq.o.eq(pins.dq_o), dq.oe.eq(pins.dq_en), pins.dq_i.eq(dq.i)]
