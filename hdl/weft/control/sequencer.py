"""Hands validated instructions to the four units in the order that their tokens allow."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..spec import isa
from ..spec.config import UNITS
from .layouts import CHECKED, ERROR_RECORD, UNIT_VIEW
from .token_counters import TokenCounters
from .unit_interface import UnitSignature
from .unit_queue import UnitQueue

__all__ = ["Sequencer"]


class Sequencer(wiring.Component):
    """Four queues, the tokens between them, and what is in work.

    Instructions are put into their units' queues in program order: a full queue holds up those
    behind it. Within a unit they start and end in order. An instruction starts when it is next,
    the unit is ready, and every counter that its ``wait`` names is above 0.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`

    Members
    -------
    i : :py:`In(stream.Signature(CHECKED))`
    load, matmul, vector, store : :py:`Out(UnitSignature())`
    i_clear : :py:`In(1)`
        A program begins: zero the tokens and ``o_pc``.
    i_stop : :py:`In(1)`
        Start no instruction in the next cycle.
    i_halt : :py:`In(1)`
        Let LOAD and STORE start no burst.
    o_error : :py:`Out(1)`, ``o_record`` : :py:`Out(ERROR_RECORD)`
        High for one cycle: a unit has met an error, or a token was one too many. Of several in
        one cycle the lowest unit's is told.
    o_done_count : :py:`Out(3)`
        Instructions that ended, not before an error of theirs is told.
    o_row_count : :py:`Out(3)`
        The same, with each row of an instruction with ``each`` counted.
    o_progress : :py:`Out(1)`
        An instruction was queued, issued or done.
    o_can_start : :py:`Out(1)`
        An instruction in some queue has its tokens, or is on its way to the queue's head.
    o_ended : :py:`Out(4)`
        Units in which nothing is in work that could still end by itself.
    o_views : :py:`Out(ArrayLayout(UNIT_VIEW, 4))`
    o_pc : :py:`Out(32)`
        Instructions put into queues since ``i_clear``.
    """

    def __init__(self, config):
        self.config = config
        super().__init__({
            "i": In(stream.Signature(CHECKED)),
            **{unit.lower(): Out(UnitSignature()) for unit in UNITS},
            "i_clear": In(1),
            "i_stop": In(1),
            "i_halt": In(1),
            "o_error": Out(1),
            "o_record": Out(ERROR_RECORD),
            "o_done_count": Out(len(UNITS).bit_length()),
            "o_row_count": Out(len(UNITS).bit_length()),
            "o_progress": Out(1),
            "o_can_start": Out(1),
            "o_ended": Out(len(UNITS)),
            "o_views": Out(data.ArrayLayout(UNIT_VIEW, len(UNITS))),
            "o_pc": Out(32),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.tokens = tokens = TokenCounters()
        queues = []
        for number, name in enumerate(UNITS):
            queue = UnitQueue(self.config, number)
            m.submodules[name.lower()] = queue
            queues.append(queue)
            connect(m, queue.unit, flipped(getattr(self, name.lower())))
            m.d.comb += [
                queue.i.payload.eq(self.i.payload),
                queue.i.valid.eq(self.i.valid & (self.i.payload.unit == number)),
                queue.i_available.eq(tokens.o_available[number]),
                queue.i_stop.eq(self.i_stop),
                tokens.i_take[number].eq(queue.o_take),
                self.o_ended[number].eq(queue.o_ended),
                self.o_views[number].eq(queue.o_view),
            ]
            # MATMUL and VECTOR owe the bus nothing: they end what they have begun
            if name in ("LOAD", "STORE"):
                m.d.comb += queue.i_halt.eq(self.i_halt)
            for other in range(len(UNITS)):
                m.d.comb += tokens.i_give[other][number].eq(queue.o_give[other])
        with m.Switch(self.i.payload.unit):
            for number, queue in enumerate(queues):
                with m.Case(number):
                    m.d.comb += self.i.ready.eq(queue.i.ready)
        m.d.comb += tokens.i_clear.eq(self.i_clear)

        queued = Signal()
        m.d.comb += queued.eq(self.i.valid & self.i.ready)
        # an instruction is 32 bytes below 2 ** addr_width
        pc = Signal(self.config.addr_width - 4)
        m.d.comb += self.o_pc.eq(pc)
        with m.If(self.i_clear):
            m.d.sync += pc.eq(0)
        with m.Elif(queued):
            m.d.sync += pc.eq(pc + 1)

        # registered: none of this is on the way from a token to its taker
        done = [queue.o_done for queue in queues]
        issued = [queue.o_issued for queue in queues]
        retired = [queue.o_retired for queue in queues]
        done_count, row_count = Signal.like(self.o_done_count), Signal.like(self.o_row_count)
        overflow, failed = Signal(len(UNITS)), Signal(len(UNITS))
        m.d.sync += [
            done_count.eq((retired[0] + retired[1]) + (retired[2] + retired[3])),
            self.o_done_count.eq(done_count),
            row_count.eq((done[0] + done[1]) + (done[2] + done[3])),
            self.o_row_count.eq(row_count),
            overflow.eq(tokens.o_overflow),
            failed.eq(Cat(queue.o_error for queue in queues)),
            self.o_progress.eq(queued | done[0] | done[1] | done[2] | done[3]
                               | issued[0] | issued[1] | issued[2] | issued[3]),
            self.o_can_start.eq(queues[0].o_can_start | queues[1].o_can_start
                                | queues[2].o_can_start | queues[3].o_can_start),
            self.o_error.eq(overflow.any() | failed.any()),
        ]
        # what a unit says of its error stays as it is
        for number, queue in reversed(list(enumerate(queues))):
            ended_index = Signal(32, name=f"ended_index{number}")
            m.d.sync += ended_index.eq(queue.o_record.index)
            with m.If(overflow[number] | failed[number]):
                m.d.sync += [self.o_record.unit.eq(number), self.o_record.index.eq(ended_index)]
                with m.If(failed[number]):
                    m.d.sync += [self.o_record.code.eq(queue.o_record.code),
                                 self.o_record.addr.eq(queue.o_record.addr)]
                with m.Else():
                    m.d.sync += [self.o_record.code.eq(isa.ErrorCode.TOKEN_OVERFLOW),
                                 self.o_record.addr.eq(0)]
        return m
