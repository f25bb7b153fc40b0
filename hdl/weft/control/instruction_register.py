"""Register for the current instruction of a unit."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..spec import isa
from .unit_interface import INSTRUCTION_SHAPE

__all__ = ["InstructionRegister"]


class InstructionRegister(wiring.Component):
    """Register for one instruction and its decoded opcode, between the sequencer and a unit.

    The register breaks two timing paths: from token check and opcode decoding to the logic that the
    instruction controls, and from the unit's ``ready`` to the sequencer's queue. The throughput is
    one instruction per two cycles.

    Parameters
    ----------
    names : sequence of :class:`str`
        Instructions to decode.

    Members
    -------
    i : :py:`In(stream.Signature(256))`
        Port ``cmd`` of the unit.
    i_halt : :py:`In(1)`
        Accept no instruction.
    o : :py:`Out(stream.Signature(256))`
        The stored instruction, valid from the cycle after its acceptance.
    o_is : :py:`Out(data.StructLayout({name: 1}))`
        One-hot opcode of the stored instruction; zero if it is not in ``names``.
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
        # complement of o.valid, whose fan-out includes the clock enable of all instruction bits
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
