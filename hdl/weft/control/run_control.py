"""Starts programs, sees them to their end, and keeps the first error."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..spec.config import UNITS
from .layouts import ERROR_RECORD

__all__ = ["RunControl"]


class RunControl(wiring.Component):
    """A program's life: running, finishing after a bad instruction, halted after a worse error.

    After a refused instruction or fetch, those before it go on until none is in work and none
    has its tokens. After an error of a unit or the watchdog none starts any more; those in work
    end, LOAD and STORE as soon as the bus owes them nothing. Then ``o_busy`` falls with
    ``o_error``.
    Should the watchdog expire once more meanwhile, ``o_busy`` falls at once, so that even a bus
    that never answers leaves an error behind and no hang. Only a reset leaves that state.

    ``o_busy`` is high from the cycle after ``i_start``; it falls at the earliest 3 cycles after
    the last instruction's done, and ``SETTLE`` cycles after the last sign of life otherwise.

    Members
    -------
    i_start : :py:`In(1)`, ``i_count`` : :py:`In(32)`
        Run a program of that many instructions. Only while neither ``o_busy`` nor ``o_error``.
    i_done_count : :py:`In(3)`
        Instructions that ended.
    i_refused, i_failed, i_expired : :py:`In(1)`
        Errors: of the validator, of a unit, of the watchdog.
    i_refused_record, i_failed_record, i_expired_record : :py:`In(ERROR_RECORD)`
        Valid in the same cycle. Of several the unit's is kept, then the validator's.
    i_can_start : :py:`In(1)`
        Some instruction has its tokens.
    i_ended : :py:`In(4)`
        Units with nothing in work.
    i_bus_idle : :py:`In(1)`
        LOAD, STORE and fetching are owed nothing by the bus.
    o_begin : :py:`Out(1)`
        High for one cycle as a program begins.
    o_stop_fetch, o_stop, o_halt : :py:`Out(1)`
        Fetch no more; start no instruction; start no burst.
    o_busy, o_done, o_error : :py:`Out(1)`
        As in the register STATUS.
    o_first_error : :py:`Out(1)`
        High for one cycle when ``o_record`` is about to take the first error.
    o_record : :py:`Out(ERROR_RECORD)`
        The first error since the last reset.
    o_done_event, o_error_event : :py:`Out(1)`
        High for one cycle when the program has ended so.
    """

    SETTLE = 16

    def __init__(self):
        super().__init__({
            "i_start": In(1),
            "i_count": In(32),
            "i_done_count": In(3),
            "i_refused": In(1),
            "i_refused_record": In(ERROR_RECORD),
            "i_failed": In(1),
            "i_failed_record": In(ERROR_RECORD),
            "i_expired": In(1),
            "i_expired_record": In(ERROR_RECORD),
            "i_can_start": In(1),
            "i_ended": In(len(UNITS)),
            "i_bus_idle": In(1),
            "o_begin": Out(1),
            "o_stop_fetch": Out(1),
            "o_stop": Out(1),
            "o_halt": Out(1),
            "o_busy": Out(1),
            "o_done": Out(1),
            "o_error": Out(1),
            "o_first_error": Out(1),
            "o_record": Out(ERROR_RECORD),
            "o_done_event": Out(1),
            "o_error_event": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        retired = Signal(32)
        complete = Signal()
        m.d.sync += [
            retired.eq(retired + self.i_done_count),
            complete.eq(retired == self.i_count),
        ]

        # a cycle later than what the machine below does: many bits hang on the first error
        any_error = Signal()
        record = Signal.like(self.o_record, reset_less=True)
        m.d.comb += any_error.eq(self.i_failed | self.i_refused | self.i_expired)
        m.d.sync += [
            record.eq(Mux(self.i_failed, self.i_failed_record,
                          Mux(self.i_refused, self.i_refused_record, self.i_expired_record))),
            self.o_first_error.eq(any_error & (self.o_record.code == 0) & self.o_busy
                                  & ~self.o_first_error),
        ]
        with m.If(self.o_first_error):
            m.d.sync += self.o_record.eq(record)

        quiet = Signal()
        settle = Signal(range(self.SETTLE))
        with m.If(quiet):
            m.d.sync += settle.eq(settle - 1)
        with m.Else():
            m.d.sync += settle.eq(self.SETTLE - 1)
        settled = quiet & (settle == 0)

        with m.FSM() as fsm:
            with m.State("IDLE"):
                with m.If(self.i_start):
                    m.d.comb += self.o_begin.eq(1)
                    m.d.sync += [retired.eq(0), complete.eq(0), self.o_done.eq(0)]
                    m.next = "BEGIN"
            with m.State("BEGIN"):      # until complete speaks of this program
                m.next = "RUN"
            with m.State("RUN"):
                with m.If(self.i_failed | self.i_expired):
                    m.next = "HALT"
                with m.Elif(self.i_refused):
                    m.next = "FINISH"
                with m.Elif(complete):
                    m.d.comb += self.o_done_event.eq(1)
                    m.d.sync += self.o_done.eq(1)
                    m.next = "IDLE"
            with m.State("FINISH"):
                with m.If(self.i_failed | self.i_expired):
                    m.next = "HALT"
                with m.Elif(settled & self.i_bus_idle):
                    m.d.comb += self.o_error_event.eq(1)
                    m.next = "STOPPED"
            with m.State("HALT"):
                with m.If(settled | self.i_expired):
                    m.d.comb += self.o_error_event.eq(1)
                    m.next = "STOPPED"
            with m.State("STOPPED"):
                pass

        halted = fsm.ongoing("HALT") | fsm.ongoing("STOPPED")
        # what LOAD and STORE could not finish is over when the bus is idle
        others_ended = Cat(self.i_ended[number] for number, unit in enumerate(UNITS)
                           if unit not in ("LOAD", "STORE")).all()
        m.d.comb += [
            quiet.eq(Mux(fsm.ongoing("FINISH"), self.i_ended.all() & ~self.i_can_start,
                         fsm.ongoing("HALT") & self.i_bus_idle & others_ended)),
            self.o_busy.eq(~fsm.ongoing("IDLE") & ~fsm.ongoing("STOPPED")),
            self.o_error.eq(fsm.ongoing("STOPPED")),
            self.o_stop_fetch.eq(fsm.ongoing("FINISH") | halted),
            self.o_stop.eq(halted),
            self.o_halt.eq(halted),
        ]
        return m
