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
    """Counter of cycles without progress.

    On expiry, the record contains the first of these causes that applies, with the lowest unit if
    it applies to several:

    1. a unit with an instruction in progress that waits for host memory, and that instruction;
    2. the sequencer, if the response to an instruction fetch is outstanding, and the index of the
       instruction to be queued next;
    3. a unit with an instruction in progress, and that instruction;
    4. a unit whose next instruction lacks a token, and that instruction;
    5. a unit that does not accept its next instruction, and that instruction;
    6. the sequencer, and the index of the instruction to be queued next.

    Members
    -------
    i_enable : :py:`In(1)`
        A program is running.
    i_limit : :py:`In(32)`
        Number of cycles; 0 disables the watchdog. Stable while ``i_enable`` is high.
    i_progress : :py:`In(1)`
        Some block has made progress.
    i_unit_status : :py:`In(ArrayLayout(UNIT_STATUS, 4))`
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
