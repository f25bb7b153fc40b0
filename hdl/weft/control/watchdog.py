"""Ends a program in which nothing moves, and says who waited for what."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..one_hot_mux import one_hot_mux
from ..spec import isa
from ..spec.config import UNITS
from .layouts import ERROR_RECORD, UNIT_VIEW

__all__ = ["Watchdog"]


class Watchdog(wiring.Component):
    """Counts cycles without progress.

    The record names, of these, the first that applies, and of several units the lowest:

    1. a unit with an instruction in work that waits for host memory, and that instruction;
    2. the sequencer, if host memory owes it an instruction, and that instruction;
    3. a unit with an instruction in work, and that instruction;
    4. a unit whose next instruction lacks a token, and that instruction;
    5. a unit with a next instruction that it does not take;
    6. the sequencer, and the instruction it would have queued next.

    Members
    -------
    i_enable : :py:`In(1)`
        A program runs.
    i_limit : :py:`In(32)`
        Cycles; 0 is never. Stable while ``i_enable``.
    i_progress : :py:`In(1)`
        Something moved.
    i_views : :py:`In(ArrayLayout(UNIT_VIEW, 4))`
    i_fetch_waiting : :py:`In(1)`
        Host memory owes the next instruction.
    i_pc : :py:`In(32)`
        Index of the instruction to be queued next.
    o_expired : :py:`Out(1)`, ``o_record`` : :py:`Out(ERROR_RECORD)`
        High for one cycle after ``i_limit`` cycles of ``i_enable`` without ``i_progress``; then
        counting begins again. With a limit of 1 or 2 the unit named may be that of cycles before.
    """

    def __init__(self):
        super().__init__({
            "i_enable": In(1),
            "i_limit": In(32),
            "i_progress": In(1),
            "i_views": In(data.ArrayLayout(UNIT_VIEW, len(UNITS))),
            "i_fetch_waiting": In(1),
            "i_pc": In(32),
            "o_expired": Out(1),
            "o_record": Out(ERROR_RECORD),
        })

    def elaborate(self, platform):
        m = Module()
        count = Signal(32)
        last = Signal(32)
        enabled = Signal()
        expires = Signal()
        m.d.sync += [
            last.eq(self.i_limit - 1),
            enabled.eq(self.i_limit != 0),
            self.o_expired.eq(expires),
        ]
        m.d.comb += expires.eq(self.i_enable & ~self.i_progress & enabled & (count == last))
        with m.If(~self.i_enable | self.i_progress | expires):
            m.d.sync += count.eq(0)
        with m.Else():
            m.d.sync += count.eq(count + 1)

        views = [self.i_views[number] for number in range(len(UNITS))]
        oldest = [Signal(32, name=f"oldest_{number}") for number in range(len(UNITS))]
        m.d.sync += [kept.eq(view.oldest_index) for kept, view in zip(oldest, views)]
        candidates = [
            *((view.working & view.memory, number, oldest[number])
              for number, view in enumerate(views)),
            (self.i_fetch_waiting, isa.SEQUENCER, self.i_pc),
            *((view.working, number, oldest[number]) for number, view in enumerate(views)),
            *((view.queued & view.lacks.any(), number, view.next_index)
              for number, view in enumerate(views)),
            *((view.queued, number, view.next_index) for number, view in enumerate(views)),
            (1, isa.SEQUENCER, self.i_pc),
        ]
        # o_record comes with o_expired. The state it tells of has stood still for i_limit cycles,
        # so it may be looked at in several steps: who applies, who of those is the first, and
        # which instruction it is about.
        applies = Signal(len(candidates))
        first = Signal(len(candidates))
        m.d.sync += [
            applies.eq(Cat(condition for condition, _, _ in candidates)),
            first.eq(applies & ~(applies - 1)),
            self.o_record.code.eq(isa.ErrorCode.WATCHDOG), self.o_record.addr.eq(0),
            self.o_record.unit.eq(one_hot_mux((first[place], unit)
                                         for place, (_, unit, _) in enumerate(candidates))),
            self.o_record.index.eq(one_hot_mux((first[place], index)
                                          for place, (_, _, index) in enumerate(candidates))),
        ]
        return m
