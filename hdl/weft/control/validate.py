"""Checks instructions before they have any effect."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..spec import isa
from ..spec.extents import EXTENTS, HOST
from .extent_check import FIRST_STEP, NO_STEP, STEPS, ExtentCheck
from .field_check import FieldCheck
from .layouts import CHECKED, ERROR_RECORD, FETCHED, WINDOWS

__all__ = ["Validator"]


class Validator(wiring.Component):
    """Passes valid instructions on, in order, and stops at the first that is not.

    The order of the checks is that of ``docs/decisions/0001-contracts-between-blocks.md``. An
    instruction takes at most ``LATENCY`` cycles and, where others follow, ``CYCLES``. Two
    are in work: the steps of one enter the arithmetic while the answer for the one before it
    is awaited.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`

    Members
    -------
    i : :py:`In(stream.Signature(FETCHED))`
    i_mem_base : :py:`In(32)`
        Added to ``host_addr``.
    i_program : :py:`In(33)`
        Host address of the program's first instruction, a multiple of 32.
    i_windows : :py:`In(WINDOWS)`
    o : :py:`Out(stream.Signature(CHECKED))`
    o_error : :py:`Out(1)`, ``o_record`` : :py:`Out(ERROR_RECORD)`
        High for one cycle when an instruction has been refused, or was not fetched. Nothing is
        taken from ``i`` any more until reset.
    """

    LATENCY = 15        # of MATMUL, with seven products
    CYCLES = 8

    def __init__(self, config):
        self.config = config
        super().__init__({
            "i": In(stream.Signature(FETCHED)),
            "i_mem_base": In(32),
            "i_program": In(33),
            "i_windows": In(WINDOWS),
            "o": Out(stream.Signature(CHECKED)),
            "o_error": Out(1),
            "o_record": Out(ERROR_RECORD),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.fields = fields = FieldCheck(self.config)
        m.submodules.extents = extents = ExtentCheck(self.config)

        # -- front: an instruction whose steps enter the arithmetic --------------------------------
        front = Signal(FETCHED)
        host = Signal(33)
        full = Signal()
        step = Signal(range(len(STEPS)))
        is_last = Signal()                  # beside step: it is its instruction's last
        lasts = [number for number, which in enumerate(STEPS) if which.last]
        advance = Signal()                  # front moves to back
        stopped = Signal()
        m.d.comb += self.i.ready.eq(~stopped & ~full)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [front.eq(self.i.payload), full.eq(1), step.eq(NO_STEP),
                         is_last.eq(NO_STEP in lasts)]
            with m.If(self.i.payload.code == 0):
                with m.Switch(self.i.payload.word[:8]):
                    for name, first in FIRST_STEP.items():
                        with m.Case(isa.BY_NAME[name].opcode):
                            m.d.sync += [step.eq(first), is_last.eq(first in lasts)]
        with m.Elif(advance):
            m.d.sync += full.eq(0)

        # a cycle late: no instruction begins with its extent of host memory
        host_field = isa.BY_NAME["LOAD"].field("host_addr")
        host_slice = slice(host_field.offset, host_field.offset + host_field.width)
        assert all(extents[0].memory != HOST for extents in EXTENTS.values())
        m.d.sync += host.eq(self.i_mem_base + front.word[host_slice])

        has_host = Signal()
        hosted = [number for number, which in enumerate(STEPS)
                  if which.last and which.extent and which.extent.memory == HOST]
        with m.Switch(step):
            with m.Case(*hosted):
                m.d.comb += has_host.eq(1)
        back_free = Signal()
        enter = Signal()
        m.d.comb += [
            enter.eq(full & ~stopped & (~is_last | back_free)),
            advance.eq(enter & is_last),
            fields.i_word.eq(front.word),
            extents.i_word.eq(front.word),
            extents.i_host.eq(host),
            extents.i_step.eq(step),
            extents.i_valid.eq(enter),
            extents.i_windows.eq(self.i_windows),
        ]
        with m.If(enter & ~is_last):
            m.d.sync += [step.eq(step + 1), is_last.eq(0)]
            with m.Switch(step):
                with m.Case(*(number - 1 for number in lasts if number)):
                    m.d.sync += is_last.eq(1)

        # -- back: an instruction that waits for its answer ----------------------------------------
        back = Signal(FETCHED)
        back_host = Signal(33)
        waiting = Signal()
        arrived = Signal()
        code = Signal(8)
        unit = Signal(3)   # of the bits alone
        failed = Signal()
        failed_step = Signal.like(step)
        m.d.comb += [
            extents.i_host_held.eq(back_host),
            back_free.eq(~waiting & (~self.o.valid | self.o.ready)),
        ]
        with m.If(advance):
            m.d.sync += [back.eq(front), back_host.eq(host), waiting.eq(1)]
            with m.If(has_host):
                m.d.sync += back.word[host_slice].eq(host)
        # the fields are known as long after front as this is after advance
        advanced = Signal()
        m.d.sync += [advanced.eq(advance), arrived.eq(advanced)]
        with m.If(arrived):
            m.d.sync += [unit.eq(fields.o_unit), code.eq(fields.o_code)]
            with m.If(back.code != 0):
                m.d.sync += [unit.eq(isa.SEQUENCER), code.eq(back.code)]

        with m.If(self.o.valid & self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        any_failed = failed | extents.o_fail
        leaves = Signal()
        ends = Signal()
        with m.Switch(extents.o_step):
            with m.Case(*(number for number, which in enumerate(STEPS) if which.last)):
                m.d.comb += ends.eq(1)
        m.d.comb += leaves.eq(extents.o_valid & ends)
        with m.If(extents.o_fail & ~failed):
            m.d.sync += [failed.eq(1), failed_step.eq(extents.o_step)]
        refuse = Signal()
        m.d.sync += refuse.eq(0)
        with m.If(leaves & ~stopped):
            m.d.sync += waiting.eq(0)
            with m.If((code != 0) | any_failed):
                m.d.sync += [refuse.eq(1), stopped.eq(1)]
            with m.Else():
                m.d.sync += self.o.valid.eq(1)
        m.d.comb += [
            self.o.payload.word.eq(back.word),
            self.o.payload.index.eq(back.index),
            self.o.payload.unit.eq(unit),
        ]
        self._report(m, refuse, back, code, unit, failed_step)
        return m

    def _report(self, m, refuse, back, code, unit, failed_step):
        record = self.o_record
        m.d.sync += [
            self.o_error.eq(refuse),
            record.unit.eq(unit),
            record.index.eq(back.index),
            record.code.eq(code),
            record.addr.eq(Cat(back.offset, self.i_program[len(back.offset):] + back.index)),
        ]
        with m.If(code == 0):
            with m.Switch(failed_step):
                for number, which in enumerate(STEPS):
                    if which.final:
                        base = isa.BY_NAME[which.instruction].field(which.extent.base)
                        with m.Case(number):
                            m.d.sync += [
                                record.code.eq(which.extent.code),
                                record.addr.eq(back.word[base.offset:base.offset + base.width]),
                            ]
