"""Validation of instructions before they have any effect."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..spec import isa
from ..spec.extents import HOST
from ..spec.step_instructions import STEP_BIT, STEP_COUNTS
from .extent_check import ExtentCheck
from .extent_steps import NO_STEP
from .field_check import FieldCheck
from .layouts import ERROR_RECORD, FETCHED_INSTRUCTION, VALID_INSTRUCTION, WINDOW_ARRAY
from .step_registers import StepRead
from .step_resolver import StepResolver

__all__ = ["Validator"]

_HOST_FIELD = isa.BY_NAME["LOAD"].field("host_addr")
_EACH_FIELD = isa.BY_NAME["LOAD"].field("each")
_SYNC_NIBBLE = isa.BY_NAME["SYNC_LOAD"].opcode & 0xF
_HOST_BITS = slice(_HOST_FIELD.offset, _HOST_FIELD.offset + _HOST_FIELD.width)


class Validator(wiring.Component):
    """Filter that passes valid instructions on in order, and stops at the first invalid one.

    ``docs/decisions/0001-contracts-between-blocks.md`` defines the order of the checks. An
    instruction takes at most ``LATENCY`` cycles; the throughput is at least one instruction per
    ``CYCLES`` cycles. Up to two instructions are in progress: the steps of one enter the extent
    check while the result of the previous one is pending.

    With ``fixed_point``, a variant that uses step registers is replaced first, which takes
    ``StepResolver.COUNT_CYCLES`` or, for a copy, ``StepResolver.COPY_CYCLES`` more. The next
    instruction is replaced while the result of the previous one is pending. A variant with a count
    of 0 leaves as an instruction that only takes and gives tokens: with the opcode of SYNC, and
    without ``each``; its other bits are undefined.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`

    Members
    -------
    i : :py:`In(stream.Signature(FETCHED_INSTRUCTION))`
        Instructions from the fetch unit.
    i_mem_base : :py:`In(32)`
        MEM_BASE, which is added to ``host_addr``. Stable while a program runs.
    i_program : :py:`In(33)`
        Host address of the program's first instruction, a multiple of 32.
    i_windows : :py:`In(WINDOW_ARRAY)`
        Address windows. Stable while a program runs.
    o : :py:`Out(stream.Signature(VALID_INSTRUCTION))`
        Valid instructions, with an absolute ``host_addr``.
    o_error : :py:`Out(1)`, ``o_record`` : :py:`Out(ERROR_RECORD)`
        High for one cycle when an instruction has been refused or could not be fetched. ``i`` is
        then stalled until reset.
    steps : :py:`Out(StepRead())`
        Only with ``fixed_point``: the step registers. Stable while a program runs.
    """

    LATENCY = 15        # of MATMUL, whose extents have seven products in total
    CYCLES = 8

    def __init__(self, config):
        self.config = config
        super().__init__({
            "i": In(stream.Signature(FETCHED_INSTRUCTION)),
            "i_mem_base": In(32),
            "i_program": In(33),
            "i_windows": In(WINDOW_ARRAY),
            "o": Out(stream.Signature(VALID_INSTRUCTION)),
            "o_error": Out(1),
            "o_record": Out(ERROR_RECORD),
            **({"steps": Out(StepRead())} if config.fixed_point else {}),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.fields = fields = FieldCheck(self.config)
        m.submodules.extents = extents = ExtentCheck(self.config)
        self.table = extents.table
        stopped = Signal()
        back_free = Signal()
        front = self._front(m, fields, extents, stopped, back_free)
        self._back(m, fields, extents, stopped, back_free, *front)
        return m

    def _resolver(self, m, front, fields, extents):
        """Add the replacement of variants that use step registers, and return it."""
        m.submodules.resolver = resolver = StepResolver()
        connect(m, resolver.steps, flipped(self.steps))
        m.d.comb += [
            resolver.i_load.eq(self.i.valid & self.i.ready & (self.i.payload.code == 0)),
            resolver.i_opcode.eq(self.i.payload.word),
            resolver.i_word.eq(front.word),
            fields.i_skip.eq(resolver.o_skip),
            extents.i_skip.eq(resolver.o_skip),
        ]
        with m.If(resolver.o_update):
            m.d.sync += [front.word[bits].eq(resolver.o_word[bits]) for bits in resolver.changing]
        return resolver

    def _opcodes(self, name):
        """Return the opcode of an instruction, and that of its variant if there is one."""
        opcode = isa.BY_NAME[name].opcode
        has_variant = self.config.fixed_point and name in STEP_COUNTS
        return (opcode, opcode | STEP_BIT) if has_variant else (opcode,)

    def _front(self, m, fields, extents, stopped, back_free):
        """Feed the steps of the current instruction into the extent check.

        Return the instruction, its absolute host address, a flag that is set if its last extent
        is in host memory, a flag that is set if the instruction only takes and gives tokens because
        its count is 0, the index of the step that enters, and a strobe that is high in the cycle in
        which the instruction moves on to :meth:`_back`.
        """
        steps, last_steps = self.table.steps, self.table.last
        front = Signal(FETCHED_INSTRUCTION)
        host = Signal(33)
        full = Signal()
        step = Signal(range(len(steps)))
        is_last = Signal()                  # step is the last one of its instruction
        advance = Signal()
        m.d.comb += self.i.ready.eq(~stopped & ~full)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [front.eq(self.i.payload), full.eq(1), step.eq(NO_STEP),
                         is_last.eq(NO_STEP in last_steps)]
            with m.If(self.i.payload.code == 0):
                with m.Switch(self.i.payload.word[:8]):
                    for name, first in self.table.first.items():
                        with m.Case(*self._opcodes(name)):
                            m.d.sync += [step.eq(first), is_last.eq(first in last_steps)]
        with m.Elif(advance):
            m.d.sync += full.eq(0)

        # host is valid from the second step on: the first step is never one of host memory
        first_extents = [steps[number].extent for number in self.table.first.values()]
        assert all(extent is None or extent.memory != HOST for extent in first_extents)
        m.d.sync += host.eq(self.i_mem_base + front.word[_HOST_BITS])

        has_host = Signal()                 # the last extent is in host memory
        with m.Switch(step):
            with m.Case(*(number for number in last_steps if steps[number].extent
                          and steps[number].extent.memory == HOST)):
                m.d.comb += has_host.eq(1)
        enter = Signal()
        skip, ready = Const(0), full
        if self.config.fixed_point:
            resolver = self._resolver(m, front, fields, extents)
            skip, ready = resolver.o_skip, full & ~resolver.o_busy
        m.d.comb += [
            enter.eq(ready & ~stopped & (~is_last | back_free)),
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
                with m.Case(*(number - 1 for number in last_steps if number)):
                    m.d.sync += is_last.eq(1)
        return front, host, has_host, skip, step, advance

    def _back(self, m, fields, extents, stopped, back_free, front, host, has_host, skip,
              step, advance):
        """Wait for the results of an instruction; then pass it on or report its error."""
        back = Signal(FETCHED_INSTRUCTION)
        back_host = Signal(33)
        waiting = Signal()
        fields_valid = Signal()
        code = Signal(8)
        unit = Signal(3)
        failed = Signal()
        failed_step = Signal.like(step)
        m.d.comb += [
            extents.i_host_held.eq(back_host),
            back_free.eq(~waiting & (~self.o.valid | self.o.ready)),
        ]
        with m.If(advance):
            m.d.sync += [back.eq(front), back_host.eq(host), waiting.eq(1)]
            with m.If(has_host):
                m.d.sync += back.word[_HOST_BITS].eq(host)
            if self.config.fixed_point:
                with m.If(skip):
                    m.d.sync += [back.word[:4].eq(_SYNC_NIBBLE),
                                 back.word[_EACH_FIELD.offset].eq(0)]
        # valid one latency of the field check after advance, because front is stable by then
        advanced = Signal()
        m.d.sync += [advanced.eq(advance), fields_valid.eq(advanced)]
        if fields.LATENCY > 2:
            checked = Signal()
            m.d.sync += [checked.eq(advanced), fields_valid.eq(checked)]
        with m.If(fields_valid):
            m.d.sync += [unit.eq(fields.o_unit), code.eq(fields.o_code)]
            with m.If(back.code != 0):
                m.d.sync += [unit.eq(isa.SEQUENCER), code.eq(back.code)]

        with m.If(self.o.valid & self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        any_failed = failed | extents.o_fail
        leaves = Signal()
        ends = Signal()
        with m.Switch(extents.o_step):
            with m.Case(*self.table.last):
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

    def _report(self, m, refuse, back, code, unit, failed_step):
        """Drive the error record.

        ``code`` is an error of the fetch or of the field check and has priority. If it is 0, the
        error is that of the extent of ``failed_step``.
        """
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
                for number, which in enumerate(self.table.steps):
                    if which.final:
                        base = isa.BY_NAME[which.instruction].field(which.extent.base)
                        with m.Case(number):
                            m.d.sync += [
                                record.code.eq(which.extent.code),
                                record.addr.eq(back.word[base.offset:base.offset + base.width]),
                            ]
