"""Scratchpad and what moves its bytes: a pointer and a shift register."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..vendor.spram import Spram
from .microinstruction import Operation
from .ports import OperationPort

__all__ = ["ByteUnit"]

POINTER_BITS = 16


class ByteUnit(wiring.Component):
    """Moves a byte a cycle between scratchpad, or weights, and T.

    READ_BYTES, WRITE_BYTES and VECTOR begin, and the core goes on; the next operation on P or T
    waits for their end. A VECTOR may follow another after four cycles.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`

    Members
    -------
    port : :py:`In(OperationPort())`
    i_beat : :py:`In(32)`
        What TAKE_BEAT takes.
    i_to_weights : :py:`In(1)`
        Bytes are written to the weights.
    o_t : :py:`Out(32)`, ``o_strobes`` : :py:`Out(4)`
        T, and which of its bytes READ_BYTES has read.
    o_busy : :py:`Out(1)`
        Bytes are on their way.
    o_byte : :py:`Out(8)`, ``o_byte_valid`` : :py:`Out(1)`, ``o_byte_index`` : :py:`Out(2)`
        A byte of a vector.
    o_weight_addr : :py:`Out(POINTER_BITS)`, ``o_weight_en`` : :py:`Out(1)`
        ``o_t[:8]`` is written to this byte of the weights.
    """

    def __init__(self, config):
        self.config = config
        super().__init__({
            "port": In(OperationPort()),
            "i_beat": In(32),
            "i_to_weights": In(1),
            "o_t": Out(32), "o_strobes": Out(4), "o_busy": Out(1),
            "o_byte": Out(8), "o_byte_valid": Out(1), "o_byte_index": Out(2),
            "o_weight_addr": Out(POINTER_BITS), "o_weight_en": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        port = self.port
        op, go = port.op, port.go
        t, strobes = self.o_t, self.o_strobes

        pointer = Signal(POINTER_BITS)
        left = Signal(3)
        writes = Signal()
        vector = Signal()
        moving = Signal()
        m.d.comb += moving.eq(left != 0)

        # -- one byte -----------------------------------------------------------------------------
        writes_word = Signal()
        m.d.comb += [
            writes_word.eq(writes & ~self.i_to_weights),
            self.o_weight_en.eq(moving & writes & self.i_to_weights),
            self.o_weight_addr.eq(pointer),
        ]
        parts = []
        chips = max(1, self.config.spad_bytes // (2 * Spram.WORDS))
        form = "ice40" if self.config.multiplier == "ice40" else "portable"
        for number in range(chips):
            m.submodules[f"spram{number}"] = part = Spram(form)
            here = pointer[15] == number if chips > 1 else 1
            m.d.comb += [
                part.i_en.eq(moving & (~writes | writes_word) & here),
                part.i_write.eq(Cat(writes_word & ~pointer[0], writes_word & pointer[0])),
                part.i_addr.eq(pointer[1:15]),
                part.i_data.eq(Cat(t[:8], t[:8])),
            ]
            parts.append(part.o_data)
        read_valid = Signal()
        read_half = Signal()
        read_part = Signal()
        m.d.sync += [
            read_valid.eq(moving & ~writes),
            read_half.eq(pointer[0]),
            read_part.eq(pointer[15]),
            self.o_byte_index.eq(-left),
        ]
        word = Signal(16)
        m.d.comb += [
            word.eq(Array(parts)[read_part] if chips > 1 else parts[0]),
            self.o_byte.eq(word.word_select(read_half, 8)),
            self.o_byte_valid.eq(read_valid & vector),
        ]

        # -- pointer, count -----------------------------------------------------------------------
        begins = Signal()
        last = Signal()
        m.d.comb += [
            begins.eq(go & ((op == Operation.READ_BYTES) | (op == Operation.WRITE_BYTES)
                            | (op == Operation.VECTOR))),
            last.eq(left == 1),
        ]
        jumps = Signal()
        step = Signal(POINTER_BITS)
        m.d.comb += [
            jumps.eq(go & (op == Operation.VECTOR)),
            step.eq(Mux(jumps, port.r[:POINTER_BITS], 1)),
        ]
        with m.If(go & (op == Operation.POINTER)):
            m.d.sync += pointer.eq(port.a)
        # the last byte of a vector leaves P where the next VECTOR moves it on
        with m.Elif((moving & ~(vector & last)) | jumps):
            m.d.sync += pointer.eq(pointer + step)
        with m.If(moving):
            m.d.sync += left.eq(left - 1)
        with m.If(begins):
            m.d.sync += [
                left.eq(Mux(op == Operation.VECTOR, 4, port.count[:3])),
                writes.eq(op == Operation.WRITE_BYTES),
                vector.eq(op == Operation.VECTOR),
            ]

        # -- shift register ----------------------------------------------------------------------
        with m.If((moving & writes) | (port.step & (op == Operation.ROTATE))):
            m.d.sync += [t.eq(t.rotate_right(8)), strobes.eq(strobes.rotate_right(1))]
        with m.If(read_valid & ~vector):
            m.d.sync += [t.eq(Cat(t[8:], self.o_byte)), strobes.eq(Cat(strobes[1:], 1))]
        with m.If(go & (op == Operation.READ_BYTES)):
            m.d.sync += strobes.eq(0)
        with m.If(go & (op == Operation.SHIFTER)):
            m.d.sync += t.eq(port.a)
        with m.If(go & (op == Operation.TAKE_BEAT)):
            m.d.sync += t.eq(self.i_beat)

        # -- what waits --------------------------------------------------------------------------
        m.d.comb += self.o_busy.eq(moving | read_valid)
        with m.Switch(op):
            with m.Case(Operation.POINTER, Operation.READ_BYTES, Operation.WRITE_BYTES,
                        Operation.SHIFTER, Operation.ROTATE, Operation.TAKE_BEAT,
                        Operation.WRITE):
                m.d.comb += port.stall.eq(self.o_busy)
            with m.Case(Operation.VECTOR):
                m.d.comb += port.stall.eq(Mux(vector, moving & ~last, self.o_busy))
        return m
