"""The addresses of MAP and SOFTMAX: rows of bytes, in steps of as many as there are lanes."""

from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..control.instruction_layout import instruction_layout
from ..control.unit_interface import INSTRUCTION_SHAPE
from ..spec.isa import MapOp

__all__ = ["RowWalk", "Place"]


class Place(data.StructLayout):
    """One read: its address, and what it ends.

    ``whole``: the last operand of a step. ``last``: of a pass over a row, if the walk pauses
    there, or of all. ``end``: of all.
    """

    def __init__(self, config):
        super().__init__({
            "addr": config.spad_addr_width,
            "whole": 1,
            "last": 1,
            "end": 1,
        })


class RowWalk(wiring.Component):
    """Gives the addresses of an instruction's reads in order, one a cycle.

    With two operands, a step reads first one, then the other. With ``i_pause`` high the walk
    stops behind each row until ``i_next``; with ``i_again`` high it then reads the same row
    once more.

    Parameters
    ----------
    config : :class:`Config`

    Members
    -------
    i_start : :py:`In(1)`
        Start the instruction in ``i_instruction``. Not allowed before the last is at its end.
    i_instruction : :py:`In(256)`
        A validated MAP or SOFTMAX.
    i_pause, i_again, i_next : :py:`In(1)` each
        ``i_pause`` and ``i_again`` hold still while a row is read.
    o : :py:`Out(stream.Signature(Place(config)))`
    o_two : :py:`Out(1)`
        The instruction has two operands.
    """

    def __init__(self, config):
        self.config = config
        self.addr_width = config.spad_addr_width
        super().__init__({
            "i_start": In(1),
            "i_instruction": In(INSTRUCTION_SHAPE),
            "i_pause": In(1),
            "i_again": In(1),
            "i_next": In(1),
            "o": Out(stream.Signature(Place(config))),
            "o_two": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        width, lanes = self.addr_width, self.config.vector_lanes
        # SOFTMAX has the fields of MAP, those of operand b at zero
        new = data.View(instruction_layout("MAP"), self.i_instruction)

        walking = Signal()
        is_b = Signal()
        addr, row_addr, pitch = ([Signal(width, name=f"{which}_{name}") for which in "ab"]
                                 for name in ("addr", "row_addr", "pitch"))
        steps, steps_left = Signal(width), Signal(width)        # less one
        rows_left = Signal(16)                                  # less one
        last_step, last_row = Signal(), Signal()
        # apart from o's payload, in which one would seem to depend on the other
        whole, row_ends, last = Signal(), Signal(), Signal()
        advance = Signal()
        place = self.o.payload
        m.d.comb += [
            self.o.valid.eq(walking),
            advance.eq(walking & self.o.ready),
            place.addr.eq(Mux(is_b, addr[1], addr[0])),
            whole.eq(is_b | ~self.o_two),
            place.whole.eq(whole),
            row_ends.eq(whole & last_step),
            last.eq(row_ends & (self.i_pause | last_row)),
            place.last.eq(last),
            place.end.eq(row_ends & last_row & ~self.i_again),
        ]
        with m.If(advance):
            m.d.sync += is_b.eq(self.o_two & ~is_b)
            with m.If(is_b):
                m.d.sync += addr[1].eq(addr[1] + Const(lanes))
            with m.Else():
                m.d.sync += addr[0].eq(addr[0] + Const(lanes))
            with m.If(whole):
                m.d.sync += [steps_left.eq(steps_left - 1), last_step.eq(steps_left == 1)]
            with m.If(row_ends):
                m.d.sync += [steps_left.eq(steps), last_step.eq(steps == 0)]
                for now, row, step in zip(addr, row_addr, pitch):
                    following = Signal.like(row, name=f"{row.name}_following")
                    m.d.comb += following.eq(Mux(self.i_again, row, row + step))
                    m.d.sync += [now.eq(following), row.eq(following)]
                with m.If(~self.i_again):
                    m.d.sync += [rows_left.eq(rows_left - 1), last_row.eq(rows_left == 1)]
                with m.If(last):
                    m.d.sync += walking.eq(0)
        with m.If(self.i_next):
            m.d.sync += walking.eq(1)

        with m.If(self.i_start):
            new_steps = ((new.bytes - 1)[:width] // lanes)
            m.d.sync += [
                walking.eq(1), is_b.eq(0), self.o_two.eq(new.op != MapOp.A),
                steps.eq(new_steps), steps_left.eq(new_steps), last_step.eq(new.bytes <= lanes),
                rows_left.eq(new.count - 1), last_row.eq(new.count == 1),
            ]
            for which, now, row, step in zip("ab", addr, row_addr, pitch):
                m.d.sync += [now.eq(new[f"{which}_addr"]), row.eq(new[f"{which}_addr"]),
                             step.eq(new[f"{which}_pitch"])]
        return m
