"""Watchdog that stops a program without progress and identifies the stalled unit."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..one_hot_mux import one_hot_mux
from ..spec import isa
from ..spec.config import UNITS
from .layouts import ERROR_RECORD, UNIT_STATUS

__all__ = ["Watchdog"]


class Watchdog(wiring.Component):
    """Counter of cycles without progress, which reports the cause when it expires.

    The record contains a unit and the index of an instruction, from the first of these cases that
    applies. If a case applies to several units, it is the one with the lowest number.

    1. A unit has an instruction in progress and waits for host memory: its oldest instruction.
    2. The response to an instruction fetch is outstanding: the sequencer, and the instruction to
       be queued next.
    3. A unit has an instruction in progress: its oldest instruction.
    4. The next instruction of a unit lacks a token: that instruction.
    5. A unit does not accept its next instruction: that instruction.
    6. Otherwise: the sequencer, and the instruction to be queued next.

    Members
    -------
    i_enable : :py:`In(1)`
        A program is running. While it is low, the count is 0.
    i_limit : :py:`In(32)`
        Number of cycles; 0 disables the watchdog. Stable while ``i_enable`` is high.
    i_progress : :py:`In(1)`
        A block has made progress: restart the count.
    i_unit_status : :py:`In(ArrayLayout(UNIT_STATUS, 4))`
        State of each unit and its queue.
    i_fetch_waiting : :py:`In(1)`
        The response with the next instruction is outstanding.
    i_pc : :py:`In(32)`
        Index of the instruction to be queued next.
    o_expired : :py:`Out(1)`, ``o_record`` : :py:`Out(ERROR_RECORD)`
        High for one cycle after ``i_limit`` cycles with ``i_enable`` and without ``i_progress``;
        the count then restarts. With a limit of 1 or 2 the record may describe an earlier cycle.
    """

    def __init__(self):
        super().__init__({
            "i_enable": In(1),
            "i_limit": In(32),
            "i_progress": In(1),
            "i_unit_status": In(data.ArrayLayout(UNIT_STATUS, len(UNITS))),
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

        units = [self.i_unit_status[number] for number in range(len(UNITS))]
        oldest = [Signal(32, name=f"oldest_{number}") for number in range(len(UNITS))]
        m.d.sync += [index.eq(unit.oldest_index) for index, unit in zip(oldest, units)]
        causes = [
            *((unit.busy & unit.wait_memory, number, oldest[number])
              for number, unit in enumerate(units)),
            (self.i_fetch_waiting, isa.SEQUENCER, self.i_pc),
            *((unit.busy, number, oldest[number]) for number, unit in enumerate(units)),
            *((unit.queued & unit.missing_tokens.any(), number, unit.next_index)
              for number, unit in enumerate(units)),
            *((unit.queued, number, unit.next_index) for number, unit in enumerate(units)),
            (1, isa.SEQUENCER, self.i_pc),
        ]
        # The status has been stable for i_limit cycles when o_expired rises, so the record can be
        # computed in several stages: all causes that apply, the first of them, its index.
        applies = Signal(len(causes))
        first = Signal(len(causes))
        m.d.sync += [
            applies.eq(Cat(condition for condition, _, _ in causes)),
            first.eq(applies & ~(applies - 1)),
            self.o_record.code.eq(isa.ErrorCode.WATCHDOG), self.o_record.addr.eq(0),
            self.o_record.unit.eq(one_hot_mux((first[number], unit)
                                              for number, (_, unit, _) in enumerate(causes))),
            self.o_record.index.eq(one_hot_mux((first[number], index)
                                               for number, (_, _, index) in enumerate(causes))),
        ]
        return m
