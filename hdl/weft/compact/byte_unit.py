"""Byte unit of the serial engine: scratchpad, pointer P and shift register T."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..vendor.spram import Spram
from .microinstruction import Operation
from .ports import OperationPort

__all__ = ["ByteUnit"]

POINTER_BITS = 16


class ByteUnit(wiring.Component):
    """Scratchpad with a pointer P and a shift register T, which transfers one byte per cycle.

    READ_BYTES, WRITE_BYTES and VECTOR run in the background while the core continues; the next
    operation that uses P or T is stalled until they end. The throughput of VECTOR is one vector per
    four cycles.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`

    Members
    -------
    port : :py:`In(OperationPort())`
        Operations from the core.
    i_beat : :py:`In(32)`
        Read data of the bus, for ACCEPT_BEAT.
    i_to_weights : :py:`In(1)`
        WRITE_BYTES writes the weight buffer instead of the scratchpad.
    o_t : :py:`Out(32)`, ``o_strobes`` : :py:`Out(4)`
        T, and a bit for each of its bytes that READ_BYTES has filled.
    o_busy : :py:`Out(1)`
        Bytes are in flight.
    o_byte : :py:`Out(8)`, ``o_byte_valid`` : :py:`Out(1)`, ``o_byte_index`` : :py:`Out(2)`
        A byte of a vector, its valid bit, and its index in the vector.
    o_weight_addr : :py:`Out(POINTER_BITS)`, ``o_weight_en`` : :py:`Out(1)`
        Byte address and write enable of the weight buffer, for the byte ``o_t[:8]``.
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
        remaining = Signal(3)
        writes = Signal()
        vector = Signal()
        moving = Signal()
        m.d.comb += moving.eq(remaining != 0)

        # -- memory access, one byte per cycle -------------------------------------------------
        writes_word = Signal()
        m.d.comb += [
            writes_word.eq(writes & ~self.i_to_weights),
            self.o_weight_en.eq(moving & writes & self.i_to_weights),
            self.o_weight_addr.eq(pointer),
        ]
        spram_data = []
        chips = max(1, self.config.spad_bytes // (2 * Spram.WORDS))
        form = "ice40" if self.config.multiplier == "ice40" else "portable"
        for number in range(chips):
            m.submodules[f"spram{number}"] = spram = Spram(form)
            selected = pointer[15] == number if chips > 1 else 1
            m.d.comb += [
                spram.i_en.eq(moving & (~writes | writes_word) & selected),
                spram.i_write.eq(Cat(writes_word & ~pointer[0], writes_word & pointer[0])),
                spram.i_addr.eq(pointer[1:15]),
                spram.i_data.eq(Cat(t[:8], t[:8])),
            ]
            spram_data.append(spram.o_data)
        read_valid = Signal()
        read_half = Signal()
        read_chip = Signal()
        m.d.sync += [
            read_valid.eq(moving & ~writes),
            read_half.eq(pointer[0]),
            read_chip.eq(pointer[15]),
            self.o_byte_index.eq(-remaining),
        ]
        word = Signal(16)
        m.d.comb += [
            word.eq(Array(spram_data)[read_chip] if chips > 1 else spram_data[0]),
            self.o_byte.eq(word.word_select(read_half, 8)),
            self.o_byte_valid.eq(read_valid & vector),
        ]

        # -- pointer and count of bytes --------------------------------------------------------
        starts = Signal()
        last = Signal()
        m.d.comb += [
            starts.eq(go & ((op == Operation.READ_BYTES) | (op == Operation.WRITE_BYTES)
                            | (op == Operation.VECTOR))),
            last.eq(remaining == 1),
        ]
        starts_vector = Signal()
        step = Signal(POINTER_BITS)
        m.d.comb += [
            starts_vector.eq(go & (op == Operation.VECTOR)),
            step.eq(Mux(starts_vector, port.r[:POINTER_BITS], 1)),
        ]
        with m.If(go & (op == Operation.SET_POINTER)):
            m.d.sync += pointer.eq(port.a)
        # P stays at the last byte of a vector, and the next VECTOR adds its step to that address
        with m.Elif((moving & ~(vector & last)) | starts_vector):
            m.d.sync += pointer.eq(pointer + step)
        with m.If(moving):
            m.d.sync += remaining.eq(remaining - 1)
        with m.If(starts):
            m.d.sync += [
                remaining.eq(Mux(op == Operation.VECTOR, 4, port.count[:3])),
                writes.eq(op == Operation.WRITE_BYTES),
                vector.eq(op == Operation.VECTOR),
            ]

        # -- shift register --------------------------------------------------------------------
        with m.If((moving & writes) | (port.step & (op == Operation.ROTATE))):
            m.d.sync += [t.eq(t.rotate_right(8)), strobes.eq(strobes.rotate_right(1))]
        with m.If(read_valid & ~vector):
            m.d.sync += [t.eq(Cat(t[8:], self.o_byte)), strobes.eq(Cat(strobes[1:], 1))]
        with m.If(go & (op == Operation.READ_BYTES)):
            m.d.sync += strobes.eq(0)
        with m.If(go & (op == Operation.SET_SHIFTER)):
            m.d.sync += t.eq(port.a)
        with m.If(go & (op == Operation.ACCEPT_BEAT)):
            m.d.sync += t.eq(self.i_beat)

        # -- stalls ----------------------------------------------------------------------------
        m.d.comb += self.o_busy.eq(moving | read_valid)
        with m.Switch(op):
            with m.Case(Operation.SET_POINTER, Operation.READ_BYTES, Operation.WRITE_BYTES,
                        Operation.SET_SHIFTER, Operation.ROTATE, Operation.ACCEPT_BEAT,
                        Operation.WRITE):
                m.d.comb += port.stall.eq(self.o_busy)
            with m.Case(Operation.VECTOR):
                m.d.comb += port.stall.eq(Mux(vector, moving & ~last, self.o_busy))
        return m
