"""Address generator of MAP and SOFTMAX: rows of bytes, in steps of one byte per lane."""

from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..control.instruction_layout import instruction_layout
from ..control.unit_interface import INSTRUCTION_SHAPE
from ..spec.isa import MapOp

__all__ = ["RowAddressGenerator", "RowRead"]


class RowRead(data.StructLayout):
    """Layout of a read of one operand of one step: its byte address, and three flags.

    ``ends_step`` is set for the last operand of a step, ``ends_reading`` for the last read before a
    pause or of the instruction, and ``ends_all`` for the last read of the instruction.
    """

    def __init__(self, config):
        super().__init__({
            "addr": config.spad_addr_width,
            "ends_step": 1,
            "ends_reading": 1,
            "ends_all": 1,
        })


class RowAddressGenerator(wiring.Component):
    """Generator of the addresses of an instruction's reads, in order, one per cycle.

    If there are two operands, a step reads operand a and then operand b. While ``i_pause`` is high,
    the generator stops after each row until ``i_next``. If ``i_repeat`` is high at the end of a
    row, it reads the same row again.

    Parameters
    ----------
    config : :class:`Config`

    Members
    -------
    i_start : :py:`In(1)`
        Start the instruction in ``i_instruction``. Not allowed before the last read of the previous
        instruction is accepted.
    i_instruction : :py:`In(256)`
        A validated MAP or SOFTMAX.
    i_pause, i_repeat, i_next : :py:`In(1)` each
        Control of the rows. ``i_pause`` and ``i_repeat`` must not change while a row is read.
    o : :py:`Out(stream.Signature(RowRead(config)))`
        Reads.
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
            "i_repeat": In(1),
            "i_next": In(1),
            "o": Out(stream.Signature(RowRead(config))),
            "o_two": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        width, lanes = self.addr_width, self.config.vector_lanes
        # a SOFTMAX has the fields of a MAP; those of operand b and `op` are 0
        new = data.View(instruction_layout("MAP"), self.i_instruction)

        active = Signal()
        is_b = Signal()
        addr, row_addr, pitch = ([Signal(width, name=f"{operand}_{name}") for operand in "ab"]
                                 for name in ("addr", "row_addr", "pitch"))
        steps, steps_left = Signal(width), Signal(width)        # numbers minus 1
        rows_left = Signal(16)                                  # number minus 1
        last_step, last_row = Signal(), Signal()
        # separate signals; as fields of the payload of o, they would look like a loop to simulators
        ends_step, ends_row, ends_reading = Signal(), Signal(), Signal()
        advance = Signal()
        read = self.o.payload
        m.d.comb += [
            self.o.valid.eq(active),
            advance.eq(active & self.o.ready),
            read.addr.eq(Mux(is_b, addr[1], addr[0])),
            ends_step.eq(is_b | ~self.o_two),
            read.ends_step.eq(ends_step),
            ends_row.eq(ends_step & last_step),
            ends_reading.eq(ends_row & (self.i_pause | last_row)),
            read.ends_reading.eq(ends_reading),
            read.ends_all.eq(ends_row & last_row & ~self.i_repeat),
        ]
        with m.If(advance):
            m.d.sync += is_b.eq(self.o_two & ~is_b)
            with m.If(is_b):
                m.d.sync += addr[1].eq(addr[1] + Const(lanes))
            with m.Else():
                m.d.sync += addr[0].eq(addr[0] + Const(lanes))
            with m.If(ends_step):
                m.d.sync += [steps_left.eq(steps_left - 1), last_step.eq(steps_left == 1)]
            with m.If(ends_row):
                m.d.sync += [steps_left.eq(steps), last_step.eq(steps == 0)]
                for current, row, step in zip(addr, row_addr, pitch):
                    following = Signal.like(row, name=f"{row.name}_following")
                    m.d.comb += following.eq(Mux(self.i_repeat, row, row + step))
                    m.d.sync += [current.eq(following), row.eq(following)]
                with m.If(~self.i_repeat):
                    m.d.sync += [rows_left.eq(rows_left - 1), last_row.eq(rows_left == 1)]
                with m.If(ends_reading):
                    m.d.sync += active.eq(0)
        with m.If(self.i_next):
            m.d.sync += active.eq(1)

        with m.If(self.i_start):
            new_steps = ((new.bytes - 1)[:width] // lanes)
            m.d.sync += [
                active.eq(1), is_b.eq(0), self.o_two.eq(new.op != MapOp.A),
                steps.eq(new_steps), steps_left.eq(new_steps), last_step.eq(new.bytes <= lanes),
                rows_left.eq(new.count - 1), last_row.eq(new.count == 1),
            ]
            for operand, current, row, step in zip("ab", addr, row_addr, pitch):
                m.d.sync += [current.eq(new[f"{operand}_addr"]), row.eq(new[f"{operand}_addr"]),
                             step.eq(new[f"{operand}_pitch"])]
        return m
