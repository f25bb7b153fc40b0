"""The instruction that a unit works from, in a register."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..spec import isa
from .unit_interface import INSTRUCTION_SHAPE

__all__ = ["InstructionRegister"]


class InstructionRegister(wiring.Component):
    """Holds one instruction for its unit and knows beforehand which one it is.

    So neither the tokens nor the opcode are on the way to what the instruction sets, and the
    unit's ``ready`` is not on the way back to the sequencer's queue. One instruction every two
    cycles.

    Parameters
    ----------
    names : sequence of :class:`str`
        Instructions to tell apart.

    Members
    -------
    i : :py:`In(stream.Signature(256))`
        The unit's ``cmd``.
    i_halt : :py:`In(1)`
        Take nothing.
    o : :py:`Out(stream.Signature(256))`
        The instruction that is held, from the cycle after it was taken.
    o_is : :py:`Out(data.StructLayout({name: 1}))`
        Which of ``names`` it is; none for any other instruction.
    """

    LATENCY = 1         # from i.valid to o.valid, in cycles

    def __init__(self, names):
        self.names = tuple(names)
        super().__init__({
            "i": In(stream.Signature(INSTRUCTION_SHAPE)),
            "i_halt": In(1),
            "o": Out(stream.Signature(INSTRUCTION_SHAPE)),
            "o_is": Out(data.StructLayout(dict.fromkeys(self.names, 1))),
        })

    def elaborate(self, platform):
        m = Module()
        # the opposite of o.valid, on which all bits of the instruction hang
        empty = Signal(init=1)
        m.d.comb += self.i.ready.eq(empty & ~self.i_halt)
        with m.If(~self.o.valid):
            m.d.sync += [
                self.o.valid.eq(self.i.valid & self.i.ready),
                empty.eq(~(self.i.valid & self.i.ready)),
                self.o.payload.eq(self.i.payload),
                *(self.o_is[name].eq(self.i.payload[:8] == isa.BY_NAME[name].opcode)
                  for name in self.names),
            ]
        with m.Elif(self.o.ready):
            m.d.sync += [self.o.valid.eq(0), empty.eq(1)]
        return m
