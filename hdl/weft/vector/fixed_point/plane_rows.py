"""Reader of DRAIN_PLANES, which reads pairs of accumulator rows."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...control.instruction_layout import instruction_layout
from ...control.unit_interface import INSTRUCTION_SHAPE
from ...sram.ports import AccReadPort
from .settings import lane_count

__all__ = ["PlaneRows"]


class PlaneRows(wiring.Component):
    """Reader that holds the two accumulator rows of a position while its steps are processed.

    The rows of the next position are read meanwhile. Reading them takes the latency of the
    accumulators plus five cycles, which is the least time of a position.

    Parameters
    ----------
    config : :class:`Config`

    Members
    -------
    i_start, i_instruction : :py:`In(1)`, :py:`In(256)`
        Start a validated DRAIN_PLANES. Not allowed before the last step of the previous one.
    acc : :py:`Out(AccReadPort(acc_addr_width, cols))`
        Reads of accumulator rows.
    o_ready : :py:`Out(1)`
        The rows of a position are available.
    i_step, i_last : :py:`In(1)` each
        Take the next step of the position; it is the last one. Allowed only while ``o_ready`` is
        high.
    o_high, o_low : :py:`Out(ArrayLayout(signed(32), lane_count(config)))` each
        Accumulators of the step that was taken in the previous cycle.
    """

    def __init__(self, config):
        self.config = config
        shape = data.ArrayLayout(signed(32), lane_count(config))
        super().__init__({
            "i_start": In(1),
            "i_instruction": In(INSTRUCTION_SHAPE),
            "acc": Out(AccReadPort(row_width=config.acc_addr_width, cols=config.cols)),
            "o_ready": Out(1),
            "i_step": In(1),
            "i_last": In(1),
            "o_high": Out(shape),
            "o_low": Out(shape),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        width = config.acc_addr_width
        new = data.View(instruction_layout("DRAIN_PLANES"), self.i_instruction)
        row, row_first, pitch = (
            Signal(width, name=name) for name in ("row", "row_first", "pitch"))
        x_count, xs_left, ys_left = Signal(16), Signal(16), Signal(16)
        remaining, requesting = Signal(), Signal()      # positions to request; a pair in progress
        is_low, arrives_low = Signal(), Signal()

        lanes = lane_count(config)
        steps = config.cols // lanes
        shape = data.ArrayLayout(data.ArrayLayout(signed(32), lanes), steps)
        next_high, next_low, high, low = (
            Signal(shape, name=name, reset_less=True)
            for name in ("next_high", "next_low", "high", "low"))
        full = Signal()                                 # next_high and next_low are valid
        step = Signal(range(steps))
        move, fetch = Signal(), Signal()
        m.d.comb += [
            self.acc.req.valid.eq(requesting),
            self.acc.req.payload.eq(row),
            move.eq(full & (~self.o_ready | self.i_step & self.i_last)),
        ]
        in_flight = Signal()
        m.d.comb += fetch.eq(remaining & ~in_flight & (~full | move))
        with m.If(fetch):
            m.d.sync += [in_flight.eq(1), requesting.eq(1)]
        with m.If(self.acc.req.valid & self.acc.req.ready):
            m.d.sync += [is_low.eq(~is_low), row.eq(row + 1)]
            with m.If(is_low):
                m.d.sync += [requesting.eq(0), xs_left.eq(xs_left - 1)]
                with m.If(xs_left == 1):
                    following = (row_first + pitch)[:width]
                    m.d.sync += [row.eq(following), row_first.eq(following), xs_left.eq(x_count),
                                 ys_left.eq(ys_left - 1)]
                    with m.If(ys_left == 1):
                        m.d.sync += remaining.eq(0)

        with m.If(self.i_step & self.i_last):
            m.d.sync += self.o_ready.eq(0)
        with m.If(move):
            m.d.sync += [full.eq(0), self.o_ready.eq(1), high.eq(next_high), low.eq(next_low)]
        with m.If(self.acc.valid & in_flight):
            m.d.sync += arrives_low.eq(~arrives_low)
            with m.If(arrives_low):
                m.d.sync += [next_low.eq(self.acc.data), full.eq(1), in_flight.eq(0)]
            with m.Else():
                m.d.sync += next_high.eq(self.acc.data)
        with m.If(self.i_step):
            m.d.sync += step.eq(step + 1)
            with m.If(self.i_last):
                m.d.sync += step.eq(0)
        m.d.sync += [self.o_high.eq(high[step]), self.o_low.eq(low[step])]

        with m.If(self.i_start):
            m.d.sync += [
                remaining.eq(1), row.eq(new.acc_addr), row_first.eq(new.acc_addr),
                pitch.eq(new.acc_pitch), x_count.eq(new.x_count), xs_left.eq(new.x_count),
                ys_left.eq(new.y_count),
            ]
        return m
