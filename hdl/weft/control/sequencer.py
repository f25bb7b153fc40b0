"""Issue of validated instructions to the four units, as tokens become available."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..spec import isa
from ..spec.config import UNITS
from .layouts import ERROR_RECORD, UNIT_STATUS, VALID_INSTRUCTION
from .token_counters import TokenCounters
from .unit_interface import UnitSignature
from .unit_queue import UnitQueue

__all__ = ["Sequencer"]


class Sequencer(wiring.Component):
    """Instruction queues of the four units and the token counters between them.

    Instructions enter the queues of their units in program order: a full queue stalls all later
    instructions. The instructions of a unit start and complete in order. An instruction starts when
    it is the next one of its unit, the unit is ready, and a token of every unit in its field
    ``wait`` is available.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`

    Members
    -------
    i : :py:`In(stream.Signature(VALID_INSTRUCTION))`
        Validated instructions of all units, in program order.
    load, matmul, vector, store : :py:`Out(UnitSignature())`
    i_clear : :py:`In(1)`
        A program begins: zero the token counters and ``o_pc``.
    i_stop : :py:`In(1)`
        Issue no instruction in the next cycle.
    i_halt : :py:`In(1)`
        LOAD and STORE start no further burst.
    o_error : :py:`Out(1)`, ``o_record`` : :py:`Out(ERROR_RECORD)`
        High for one cycle: a unit has reported an error, or a token counter has overflowed. If
        errors coincide, the record is that of the unit with the lowest number.
    o_retired_count : :py:`Out(3)`
        Number of instructions that completed two cycles earlier. If a completion causes an error,
        ``o_error`` is high in the cycle in which the completion is counted, or earlier.
    o_iteration_count : :py:`Out(3)`
        The same number, but with every iteration of an instruction with ``each`` counted.
    o_progress : :py:`Out(1)`
        An instruction was queued, issued or completed in the previous cycle.
    o_can_start : :py:`Out(1)`
        In the previous cycle, the tokens of the next instruction were available in at least one
        unit.
    o_quiescent : :py:`Out(4)`
        Units that have failed or have no instruction in progress: none will complete.
    o_unit_status : :py:`Out(ArrayLayout(UNIT_STATUS, 4))`
        State of each unit and its queue.
    o_pc : :py:`Out(32)`
        Number of instructions that have entered the queues since ``i_clear``.
    """

    def __init__(self, config):
        self.config = config
        super().__init__({
            "i": In(stream.Signature(VALID_INSTRUCTION)),
            **{unit.lower(): Out(UnitSignature()) for unit in UNITS},
            "i_clear": In(1),
            "i_stop": In(1),
            "i_halt": In(1),
            "o_error": Out(1),
            "o_record": Out(ERROR_RECORD),
            "o_retired_count": Out(len(UNITS).bit_length()),
            "o_iteration_count": Out(len(UNITS).bit_length()),
            "o_progress": Out(1),
            "o_can_start": Out(1),
            "o_quiescent": Out(len(UNITS)),
            "o_unit_status": Out(data.ArrayLayout(UNIT_STATUS, len(UNITS))),
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
                self.o_quiescent[number].eq(queue.o_quiescent),
                self.o_unit_status[number].eq(queue.o_status),
            ]
            # MATMUL and VECTOR have no bus transfers and complete what they have started
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
        # the address space has room for 2 ** (addr_width - 5) instructions of 32 bytes
        pc = Signal(self.config.addr_width - 4)
        m.d.comb += self.o_pc.eq(pc)
        with m.If(self.i_clear):
            m.d.sync += pc.eq(0)
        with m.Elif(queued):
            m.d.sync += pc.eq(pc + 1)

        # registered, so that this logic is not on the path from a token to the issue of its waiter
        done = [queue.o_done for queue in queues]
        issued = [queue.o_issued for queue in queues]
        retired = [queue.o_retired for queue in queues]
        retired_count = Signal.like(self.o_retired_count)
        iteration_count = Signal.like(self.o_iteration_count)
        overflow, failed = Signal(len(UNITS)), Signal(len(UNITS))
        m.d.sync += [
            retired_count.eq((retired[0] + retired[1]) + (retired[2] + retired[3])),
            self.o_retired_count.eq(retired_count),
            iteration_count.eq((done[0] + done[1]) + (done[2] + done[3])),
            self.o_iteration_count.eq(iteration_count),
            overflow.eq(tokens.o_overflow),
            failed.eq(Cat(queue.o_error for queue in queues)),
            self.o_progress.eq(queued | done[0] | done[1] | done[2] | done[3]
                               | issued[0] | issued[1] | issued[2] | issued[3]),
            self.o_can_start.eq(queues[0].o_can_start | queues[1].o_can_start
                                | queues[2].o_can_start | queues[3].o_can_start),
            self.o_error.eq(overflow.any() | failed.any()),
        ]
        # a unit's error_info is stable after its error
        for number, queue in reversed(list(enumerate(queues))):
            done_index = Signal(32, name=f"done_index{number}")
            m.d.sync += done_index.eq(queue.o_record.index)
            with m.If(overflow[number] | failed[number]):
                m.d.sync += [self.o_record.unit.eq(number), self.o_record.index.eq(done_index)]
                with m.If(failed[number]):
                    m.d.sync += [self.o_record.code.eq(queue.o_record.code),
                                 self.o_record.addr.eq(queue.o_record.addr)]
                with m.Else():
                    m.d.sync += [self.o_record.code.eq(isa.ErrorCode.TOKEN_OVERFLOW),
                                 self.o_record.addr.eq(0)]
        return m
