"""State machine of a program run: start, completion, and behaviour after an error."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..spec.config import UNITS
from .layouts import ERROR_RECORD

__all__ = ["RunControl"]


class RunControl(wiring.Component):
    """Control of program runs, which also stores the first error.

    After a refused instruction or a failed fetch, earlier instructions continue until none is in
    progress and none can start. After an error of a unit or the watchdog, no further instruction
    starts. MATMUL and VECTOR complete the instructions in progress; LOAD and STORE complete their
    outstanding bus transfers. ``o_busy`` then falls and ``o_error`` rises. If the watchdog expires
    again in the meantime, ``o_busy`` falls at once, so that a bus that never responds causes an
    error and not a hang. Only a reset leaves the error state.

    ``o_busy`` is high from the cycle after ``i_start``. It falls no earlier than 3 cycles after the
    last instruction has completed; after an error, ``SETTLE`` cycles after the last activity.

    Members
    -------
    i_start : :py:`In(1)`, ``i_count`` : :py:`In(32)`
        Run a program of ``i_count`` instructions. Allowed while ``o_busy`` and ``o_error`` are low.
    i_retired_count : :py:`In(3)`
        Number of newly completed instructions.
    i_refused, i_failed, i_expired : :py:`In(1)`
        Error of the validator, of a unit, of the watchdog.
    i_refused_record, i_failed_record, i_expired_record : :py:`In(ERROR_RECORD)`
        Error records, valid in the same cycle. If errors coincide, a unit's error has priority
        over the validator's, and the validator's over the watchdog's.
    i_can_start : :py:`In(1)`
        The tokens of the next instruction are available in at least one unit.
    i_quiescent : :py:`In(4)`
        Units that have failed or have no instruction in progress: none will complete.
    i_bus_idle : :py:`In(1)`
        LOAD, STORE and instruction fetch have no outstanding bus transfers.
    o_begin : :py:`Out(1)`
        High for one cycle as a program begins.
    o_stop_fetch, o_stop, o_halt : :py:`Out(1)`
        Fetch no further instruction; issue no further instruction; start no further burst.
    o_busy, o_done, o_error : :py:`Out(1)`
        Bits of the register STATUS.
    o_first_error : :py:`Out(1)`
        High in the cycle before ``o_record`` changes to the first error.
    o_record : :py:`Out(ERROR_RECORD)`
        The first error since the last reset; ``code`` is 0 if there was none.
    o_done_event, o_error_event : :py:`Out(1)`
        High for one cycle when a program completes, or has stopped with an error.
    """

    SETTLE = 16

    def __init__(self):
        super().__init__({
            "i_start": In(1),
            "i_count": In(32),
            "i_retired_count": In(3),
            "i_refused": In(1),
            "i_refused_record": In(ERROR_RECORD),
            "i_failed": In(1),
            "i_failed_record": In(ERROR_RECORD),
            "i_expired": In(1),
            "i_expired_record": In(ERROR_RECORD),
            "i_can_start": In(1),
            "i_quiescent": In(len(UNITS)),
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
            retired.eq(retired + self.i_retired_count),
            complete.eq(retired == self.i_count),
        ]

        # The record changes one cycle after the state: its fan-out is not on the error paths.
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

        inactive = Signal()
        settle = Signal(range(self.SETTLE))
        with m.If(inactive):
            m.d.sync += settle.eq(settle - 1)
        with m.Else():
            m.d.sync += settle.eq(self.SETTLE - 1)
        settled = inactive & (settle == 0)

        with m.FSM() as fsm:
            with m.State("IDLE"):
                with m.If(self.i_start):
                    m.d.comb += self.o_begin.eq(1)
                    m.d.sync += [retired.eq(0), complete.eq(0), self.o_done.eq(0)]
                    m.next = "BEGIN"
            with m.State("BEGIN"):      # complete is not yet valid for this program
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
        # LOAD and STORE do not complete their instructions after a halt: bus idle is sufficient
        others_quiescent = Cat(self.i_quiescent[number] for number, unit in enumerate(UNITS)
                               if unit not in ("LOAD", "STORE")).all()
        m.d.comb += [
            inactive.eq(Mux(fsm.ongoing("FINISH"), self.i_quiescent.all() & ~self.i_can_start,
                            fsm.ongoing("HALT") & self.i_bus_idle & others_quiescent)),
            self.o_busy.eq(~fsm.ongoing("IDLE") & ~fsm.ongoing("STOPPED")),
            self.o_error.eq(fsm.ongoing("STOPPED")),
            self.o_stop_fetch.eq(fsm.ongoing("FINISH") | halted),
            self.o_stop.eq(halted),
            self.o_halt.eq(halted),
        ]
        return m
