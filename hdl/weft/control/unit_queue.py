"""The instructions of one unit: queued, next, in work."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from ..spec import isa
from ..spec.config import UNITS
from .instruction_layout import bit_runs
from .iteration_splitter import IterationSplitter
from .layouts import CHECKED, ERROR_RECORD, UNIT_VIEW
from .unit_interface import INSTRUCTION_SHAPE, UnitSignature

__all__ = ["UnitQueue"]


def _used_bits(unit):
    """The bits of an instruction that some instruction of ``unit`` names."""
    used = 0
    for instruction in isa.INSTRUCTIONS:
        if instruction.unit == unit:
            used |= ~instruction.reserved_mask
    return [bit for bit in range(INSTRUCTION_SHAPE) if used >> bit & 1]


class UnitQueue(wiring.Component):
    """Holds a unit's instructions, hands them over when their tokens are there.

    The next instruction is held in a register, and so is that it may go: the tokens it waits for
    are looked at in one cycle, it is issued in the next. Units take one every two cycles at
    most. At most ``IN_WORK`` are in work.

    The rows of an instruction with ``each`` are issued one by one, as if each were an
    instruction: it takes and gives tokens, and is one of those in work. All have its index.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        ``queue_depth`` instructions wait behind the next one.
    unit : :class:`int`
        Which unit.

    Members
    -------
    i : :py:`In(stream.Signature(CHECKED))`
    unit : :py:`Out(UnitSignature())`
    i_available : :py:`In(4)`
        Units that have given this one a token.
    o_take : :py:`Out(4)`
        Units whose token the instruction that is issued in this cycle takes.
    o_give : :py:`Out(4)`
        Units to which the instruction that is done in this cycle gives a token.
    i_stop : :py:`In(1)`
        Hand over nothing in the next cycle.
    i_halt : :py:`In(1)`
        The unit's ``halt``, a cycle later.
    o_done : :py:`Out(1)`
        An instruction, or a row of one, is done.
    o_retired : :py:`Out(1)`
        With ``o_done``: no row of the instruction is left.
    o_error : :py:`Out(1)`, ``o_record`` : :py:`Out(ERROR_RECORD)`
        The unit has met an error; ``o_record.index`` is valid with ``o_done``, too.
    o_issued : :py:`Out(1)`
        An instruction, or a row of one, is issued in this cycle.
    o_can_start : :py:`Out(1)`
        The next instruction has its tokens and only waits for the unit.
    o_ended : :py:`Out(1)`
        Nothing is in work that could still end by itself.
    o_view : :py:`Out(UNIT_VIEW)`
        ``queued`` and ``lacks`` are of the cycle before.
    """

    IN_WORK = 16

    def __init__(self, config, unit):
        self.config = config
        self.unit_number = unit
        super().__init__({
            "i": In(stream.Signature(CHECKED)),
            "unit": Out(UnitSignature()),
            "i_available": In(len(UNITS)),
            "o_take": Out(len(UNITS)),
            "o_give": Out(len(UNITS)),
            "i_stop": In(1),
            "i_halt": In(1),
            "o_done": Out(1),
            "o_retired": Out(1),
            "o_error": Out(1),
            "o_record": Out(ERROR_RECORD),
            "o_issued": Out(1),
            "o_can_start": Out(1),
            "o_ended": Out(1),
            "o_view": Out(UNIT_VIEW),
        })

    def elaborate(self, platform):
        m = Module()
        cmd = self.unit.cmd
        bits = _used_bits(self.unit_number)
        entry = data.StructLayout({"bits": len(bits), "index": 32})

        # -- queued ------------------------------------------------------------------------------
        m.submodules.queue = queue = SyncFIFO(width=entry.size, depth=self.config.queue_depth)
        m.d.comb += [
            queue.w_data.eq(Cat(*(self.i.payload.word[run] for run in bit_runs(bits)),
                                self.i.payload.index)),
            queue.w_en.eq(self.i.valid & self.i.ready),
        ]
        # in a register, which is where the way back to the bus begins. A place that becomes free
        # is told a cycle later, when the unit has all that queue still before it
        depth = self.config.queue_depth
        m.d.sync += self.i.ready.eq((queue.w_level != depth)
                                    & ~(queue.w_en & (queue.w_level == depth - 1)))

        # -- next --------------------------------------------------------------------------------
        head = Signal(entry)
        head_valid = Signal()
        word = Signal(INSTRUCTION_SHAPE)
        # an instruction with more rows stays, without the one that goes. What of it stays is in
        # registers in time: it goes two cycles after it came at the earliest
        m.submodules.splitter = splitter = IterationSplitter(self.config, self.unit_number)
        moves = Signal()
        taken = Signal()
        m.d.comb += [
            Cat(*(word[run] for run in bit_runs(bits))).eq(head.bits),
            splitter.i_word.eq(word),
            splitter.i_valid.eq(head_valid),
            moves.eq(~head_valid | self.o_issued),
            queue.r_en.eq(taken),
        ]
        # out of a register: the one that goes next is not taken within the next cycle
        m.d.sync += taken.eq(moves & ~splitter.o_more & queue.r_rdy)
        with m.If(moves):
            with m.If(splitter.o_more):
                m.d.sync += [
                    head.bits[bits.index(run.start):bits.index(run.stop - 1) + 1].eq(
                        splitter.o_rest[run]) for run in bit_runs(splitter.changing)]
            with m.Else():
                m.d.sync += [head.eq(queue.r_data), head_valid.eq(queue.r_rdy)]
        header = {name: word[field.offset:field.offset + field.width]
                  for name, field in ((name, isa.INSTRUCTIONS[0].field(name))
                                      for name in ("wait", "signal"))}
        lacks = Signal(len(UNITS))
        failed = Signal()
        granted = Signal()      # tokens only grow while an instruction waits for them
        m.submodules.in_work = in_work = SyncFIFO(width=33 + len(UNITS), depth=self.IN_WORK)
        m.d.comb += [
            lacks.eq(header["wait"] & ~self.i_available),
            self.o_can_start.eq(head_valid & (lacks == 0) & ~failed),
            cmd.valid.eq(granted),
            cmd.payload.eq(splitter.o_iteration),
            self.o_issued.eq(cmd.valid & cmd.ready),
        ]
        m.d.sync += self.unit.halt.eq(self.i_halt)      # reaches far into the unit
        m.d.sync += granted.eq(self.o_can_start & in_work.w_rdy & ~self.o_issued
                             & ~self.i_stop)
        with m.If(self.o_issued):
            m.d.comb += self.o_take.eq(header["wait"])

        # -- in work -----------------------------------------------------------------------------
        m.d.comb += [
            in_work.w_data.eq(Cat(header["signal"], head.index, ~splitter.o_more)),
            in_work.w_en.eq(self.o_issued),
            in_work.r_en.eq(self.unit.done),
            self.o_done.eq(self.unit.done & in_work.r_rdy),
            self.o_retired.eq(self.o_done & in_work.r_data[-1]),
            self.o_error.eq(self.unit.error),
            self.o_record.code.eq(self.unit.error_info.code),
            self.o_record.unit.eq(self.unit_number),
            self.o_record.index.eq(in_work.r_data[len(UNITS):-1]),
            self.o_record.addr.eq(self.unit.error_info.addr),
            self.o_ended.eq(failed | ~in_work.r_rdy),
        ]
        with m.If(self.o_done):
            m.d.comb += self.o_give.eq(in_work.r_data[:len(UNITS)])
        with m.If(self.unit.error):
            m.d.sync += failed.eq(1)

        m.d.comb += [
            self.o_view.next_index.eq(head.index),
            self.o_view.working.eq(in_work.r_rdy),
            self.o_view.oldest_index.eq(self.o_record.index),
            self.o_view.memory.eq(self.unit.wait_memory),
        ]
        m.d.sync += [
            self.o_view.queued.eq(head_valid),
            self.o_view.lacks.eq(lacks & head_valid.replicate(len(UNITS))),
        ]
        return m
