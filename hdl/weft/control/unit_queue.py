"""Queue of one unit's instructions: waiting, next to be issued, and in progress."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from ..spec import isa
from ..spec.config import UNITS
from .instruction_layout import bit_runs
from .iteration_splitter import IterationSplitter
from .layouts import ERROR_RECORD, UNIT_STATUS, VALID_INSTRUCTION
from .unit_interface import INSTRUCTION_SHAPE, UnitSignature

__all__ = ["UnitQueue"]


def _used_bits(config, unit):
    """Return the bits that belong to a field of any instruction of ``unit``, ascending."""
    used = 0
    for instruction in isa.instructions(config):
        if instruction.unit == unit:
            used |= ~instruction.reserved_mask
    return [bit for bit in range(INSTRUCTION_SHAPE) if used >> bit & 1]


class UnitQueue(wiring.Component):
    """Instruction queue of a unit, which issues instructions when their tokens are available.

    The next instruction is in a register, and so is the decision to issue it: the tokens are
    checked in one cycle, and the instruction is issued in the next one. A unit accepts at most one
    instruction every two cycles. At most ``MAX_IN_PROGRESS`` instructions are in progress.

    The iterations of an instruction with ``each`` are issued one at a time. Each of them takes and
    gives tokens and counts as one instruction in progress. All have the index of the instruction.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        ``queue_depth`` instructions fit into the queue behind the next one.
    unit : :class:`int`
        Number of the unit.

    Members
    -------
    i : :py:`In(stream.Signature(VALID_INSTRUCTION))`
    unit : :py:`Out(UnitSignature())`
    i_available : :py:`In(4)`
        Units from which a token for this unit is available.
    o_take : :py:`Out(4)`
        Units from which the instruction that is issued in this cycle takes a token.
    o_give : :py:`Out(4)`
        Units to which the instruction that completes in this cycle gives a token.
    i_stop : :py:`In(1)`
        Issue no instruction in the next cycle.
    i_halt : :py:`In(1)`
        Value of the unit's ``halt`` in the next cycle.
    o_done : :py:`Out(1)`
        An instruction or iteration completes.
    o_retired : :py:`Out(1)`
        With ``o_done``: the instruction has no further iteration.
    o_error : :py:`Out(1)`, ``o_record`` : :py:`Out(ERROR_RECORD)`
        The unit reports an error in this cycle. ``o_record.index`` is also valid with ``o_done``.
    o_issued : :py:`Out(1)`
        An instruction or iteration is issued in this cycle.
    o_can_start : :py:`Out(1)`
        The tokens of the next instruction are available, and the unit has not failed.
    o_quiescent : :py:`Out(1)`
        The unit has failed or has no instruction in progress: none will complete.
    o_status : :py:`Out(UNIT_STATUS)`
        ``queued`` and ``missing_tokens`` are those of the previous cycle.
    """

    MAX_IN_PROGRESS = 16

    def __init__(self, config, unit):
        self.config = config
        self.unit_number = unit
        super().__init__({
            "i": In(stream.Signature(VALID_INSTRUCTION)),
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
            "o_quiescent": Out(1),
            "o_status": Out(UNIT_STATUS),
        })

    def elaborate(self, platform):
        m = Module()
        cmd = self.unit.cmd
        bits = _used_bits(self.config, self.unit_number)
        entry = data.StructLayout({"bits": len(bits), "index": 32})

        # -- queue -------------------------------------------------------------------------------
        m.submodules.queue = queue = SyncFIFO(width=entry.size, depth=self.config.queue_depth)
        m.d.comb += [
            queue.w_data.eq(Cat(*(self.i.payload.word[run] for run in bit_runs(bits)),
                                self.i.payload.index)),
            queue.w_en.eq(self.i.valid & self.i.ready),
        ]
        # ready is a register because the path back to the fetcher starts here. It rises one cycle
        # after an entry is freed; meanwhile the queue has depth - 1 instructions for the unit.
        depth = self.config.queue_depth
        m.d.sync += self.i.ready.eq((queue.w_level != depth)
                                    & ~(queue.w_en & (queue.w_level == depth - 1)))

        # -- next instruction --------------------------------------------------------------------
        head = Signal(entry)
        head_valid = Signal()
        word = Signal(INSTRUCTION_SHAPE)
        # An instruction with further iterations stays at the head; when an iteration is issued,
        # splitter.o_rest replaces it. The registers of o_rest are valid by then, because every
        # instruction is at the head for at least two cycles.
        m.submodules.splitter = splitter = IterationSplitter(self.config, self.unit_number)
        advance = Signal()
        taken = Signal()
        m.d.comb += [
            Cat(*(word[run] for run in bit_runs(bits))).eq(head.bits),
            splitter.i_word.eq(word),
            splitter.i_valid.eq(head_valid),
            advance.eq(~head_valid | self.o_issued),
            queue.r_en.eq(taken),
        ]
        # can be registered: the queue is not read again in the next cycle
        m.d.sync += taken.eq(advance & ~splitter.o_more & queue.r_rdy)
        with m.If(advance):
            with m.If(splitter.o_more):
                m.d.sync += [
                    head.bits[bits.index(run.start):bits.index(run.stop - 1) + 1].eq(
                        splitter.o_rest[run]) for run in bit_runs(splitter.changing)]
            with m.Else():
                m.d.sync += [head.eq(queue.r_data), head_valid.eq(queue.r_rdy)]
        header = {name: word[field.offset:field.offset + field.width]
                  for name, field in ((name, isa.INSTRUCTIONS[0].field(name))
                                      for name in ("wait", "signal"))}
        missing = Signal(len(UNITS))
        failed = Signal()
        # Tokens are available since the previous cycle. Nothing else takes this unit's tokens.
        granted = Signal()
        m.submodules.in_progress = in_progress = SyncFIFO(
            width=33 + len(UNITS), depth=self.MAX_IN_PROGRESS)
        m.d.comb += [
            missing.eq(header["wait"] & ~self.i_available),
            self.o_can_start.eq(head_valid & (missing == 0) & ~failed),
            cmd.valid.eq(granted),
            cmd.payload.eq(splitter.o_iteration),
            self.o_issued.eq(cmd.valid & cmd.ready),
        ]
        m.d.sync += self.unit.halt.eq(self.i_halt)      # registered for its fan-out in the unit
        m.d.sync += granted.eq(self.o_can_start & in_progress.w_rdy & ~self.o_issued
                             & ~self.i_stop)
        with m.If(self.o_issued):
            m.d.comb += self.o_take.eq(header["wait"])

        # -- in progress -------------------------------------------------------------------------
        m.d.comb += [
            in_progress.w_data.eq(Cat(header["signal"], head.index, ~splitter.o_more)),
            in_progress.w_en.eq(self.o_issued),
            in_progress.r_en.eq(self.unit.done),
            self.o_done.eq(self.unit.done & in_progress.r_rdy),
            self.o_retired.eq(self.o_done & in_progress.r_data[-1]),
            self.o_error.eq(self.unit.error),
            self.o_record.code.eq(self.unit.error_info.code),
            self.o_record.unit.eq(self.unit_number),
            self.o_record.index.eq(in_progress.r_data[len(UNITS):-1]),
            self.o_record.addr.eq(self.unit.error_info.addr),
            self.o_quiescent.eq(failed | ~in_progress.r_rdy),
        ]
        with m.If(self.o_done):
            m.d.comb += self.o_give.eq(in_progress.r_data[:len(UNITS)])
        with m.If(self.unit.error):
            m.d.sync += failed.eq(1)

        m.d.comb += [
            self.o_status.next_index.eq(head.index),
            self.o_status.busy.eq(in_progress.r_rdy),
            self.o_status.oldest_index.eq(self.o_record.index),
            self.o_status.wait_memory.eq(self.unit.wait_memory),
        ]
        m.d.sync += [
            self.o_status.queued.eq(head_valid),
            self.o_status.missing_tokens.eq(missing & head_valid.replicate(len(UNITS))),
        ]
        return m
