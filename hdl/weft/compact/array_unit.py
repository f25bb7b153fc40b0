"""Array unit of the serial engine: multipliers, weight buffer, accumulators and tables."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from ..vendor.multiplier_pair import MultiplierPair
from .byte_unit import POINTER_BITS
from .microinstruction import Operation
from .ports import OperationPort

__all__ = ["MODE", "SIDE", "TABLE_WORDS", "ArrayUnit"]

SIDE = 4
"""Rows and columns of the array."""

TABLE_WORDS = 512
"""Words of tables A and B, which follow the accumulators in the same memory."""

MODE = data.StructLayout({
    "add": 1,           # add results to the accumulators
    "maximum": 1,       # without add: store the maximum of result and accumulator
    "to_weights": 1,    # WRITE_BYTES writes the weight buffer
    "depthwise": 1,     # each column multiplies its own byte of the vector
    "blank": 3,         # number of lines, from the first of a tile, that are replaced by zeros
})
"""Layout of A for the operation SET_MODE. Without ``add`` and ``maximum``, results overwrite."""


class ArrayUnit(wiring.Component):
    """Weight-stationary 4 x 4 array that accepts one byte per cycle.

    LOAD_WEIGHTS loads a tile into the operand registers of the multipliers. The bytes of a VECTOR
    enter the operand registers of rows 0 to 3, one per cycle. After the last byte, the 16 products
    are added up in each column, the four sums are combined with the four accumulator words from Q
    on, and Q advances by 4. The throughput is one vector per four cycles.

    In depthwise mode, the bytes of a VECTOR enter the row that SET_TAP selects, one byte per
    column, and the row number then decreases by one. The products are added up after the vector
    that enters row 0.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`

    Members
    -------
    port : :py:`In(OperationPort())`
        Operations from the core.
    i_byte : :py:`In(8)`, ``i_byte_valid`` : :py:`In(1)`, ``i_byte_index`` : :py:`In(2)`
        Bytes of a vector from :class:`weft.compact.byte_unit.ByteUnit`.
    i_moving : :py:`In(1)`
        The byte unit is busy.
    i_weight_addr : :py:`In(16)`, ``i_weight_data`` : :py:`In(8)`, ``i_weight_en`` : :py:`In(1)`
        Write port of the weight buffer: byte address, byte, write enable.
    o_to_weights : :py:`Out(1)`
        Field ``to_weights`` of the mode.
    o_word : :py:`Out(32)`
        The accumulator word at Q.
    o_busy : :py:`Out(1)`
        A vector is in flight.
    """

    def __init__(self, config):
        self.config = config
        super().__init__({
            "port": In(OperationPort()),
            "i_byte": In(8), "i_byte_valid": In(1), "i_byte_index": In(2),
            "i_moving": In(1),
            "i_weight_addr": In(POINTER_BITS), "i_weight_data": In(8), "i_weight_en": In(1),
            "o_to_weights": Out(1), "o_word": Out(32), "o_busy": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        port = self.port
        op, go = port.op, port.go
        mode = Signal(MODE)
        tap = Signal(range(SIDE))
        m.d.comb += self.o_to_weights.eq(mode.to_weights)
        with m.If(go & (op == Operation.SET_MODE)):
            m.d.sync += mode.eq(port.a)

        line, line_row, line_valid = self._weights(m, mode)

        # -- multipliers: one for each pair of columns of a row --------------------------------
        previous_byte = Signal(8)
        with m.If(self.i_byte_valid):
            m.d.sync += previous_byte.eq(self.i_byte)
        products = [[] for _ in range(SIDE)]
        for row in range(SIDE):
            for pair in range(SIDE // 2):
                m.submodules[f"mult_{row}_{pair}"] = mult = MultiplierPair(
                    "ice40" if self.config.multiplier == "ice40" else "portable")
                enabled = Mux(mode.depthwise,
                          (tap == row) & (self.i_byte_index == 2 * pair + 1),
                          self.i_byte_index == row)
                m.d.comb += [
                    mult.i_act.eq(Cat(Mux(mode.depthwise, previous_byte, self.i_byte),
                                      self.i_byte)),
                    mult.i_act_en.eq(self.i_byte_valid & enabled),
                    mult.i_wgt.eq(line[16 * pair:16 * pair + 16]),
                    mult.i_wgt_en.eq(line_valid & (line_row == row)),
                ]
                products[2 * pair].append(mult.o_low)
                products[2 * pair + 1].append(mult.o_high)

        # -- sums by column, two cycles after the last byte ------------------------------------
        last = Signal()
        m.d.comb += last.eq(self.i_byte_valid & (self.i_byte_index == SIDE - 1))
        with m.If(go & (op == Operation.SET_TAP)):
            m.d.sync += tap.eq(port.r[:2])
        with m.Elif(last):
            m.d.sync += tap.eq(tap - 1)
        s1_valid = Signal()
        s2_valid = Signal()
        m.d.sync += [
            s1_valid.eq(last & (~mode.depthwise | (tap == 0))),
            s2_valid.eq(s1_valid),
        ]
        sums = [Signal(signed(16 + 2), reset_less=True, name=f"sum_{col}") for col in range(SIDE)]
        with m.If(s2_valid):
            m.d.sync += [total.eq((terms[0] + terms[1]) + (terms[2] + terms[3]))
                         for total, terms in zip(sums, products)]
        with m.Else():
            m.d.sync += [total.eq(following) for total, following in zip(sums, sums[1:])]

        self._accumulate(m, mode, sums[0], s2_valid)
        combining = Signal()
        m.d.comb += combining.eq(s1_valid | s2_valid)
        with m.If(combining | self.i_moving):
            m.d.comb += self.o_busy.eq(1)
        with m.Switch(op):
            with m.Case(Operation.SET_ACC_ADDR, Operation.STORE_ACC, Operation.NEXT_ACC,
                        Operation.SET_MODE, Operation.LOAD_WEIGHTS, Operation.SET_TILE):
                m.d.comb += port.stall.eq(self.o_busy)
            with m.Case(Operation.SET_TAP):
                m.d.comb += port.stall.eq(self.i_moving)
        return m

    def _weights(self, m, mode):
        """Add the weight buffer, which LOAD_WEIGHTS reads.

        Return the line that was read, the array row that it belongs to, and a valid bit.
        """
        port = self.port
        depth = self.config.wgt_bytes // SIDE
        tile = Signal(range(depth))
        lanes = []
        for lane in range(SIDE):
            m.submodules[f"weights{lane}"] = lane_memory = memory.Memory(
                shape=8, depth=depth, init=[], attrs={"no_rw_check": 1})
            read, write = lane_memory.read_port(), lane_memory.write_port()
            lanes.append(read.data)
            m.d.comb += [
                read.addr.eq(tile),
                write.addr.eq(self.i_weight_addr[2:]),
                write.data.eq(self.i_weight_data),
                write.en.eq(self.i_weight_en & (self.i_weight_addr[:2] == lane)),
            ]
        reads = Signal()
        row = Signal(range(SIDE))
        not_blank = Signal()
        m.d.comb += reads.eq(port.step & (port.op == Operation.LOAD_WEIGHTS))
        with m.If(port.go & (port.op == Operation.SET_TILE)):
            m.d.sync += tile.eq(port.a)
        with m.Elif(reads):
            m.d.sync += tile.eq(tile + 1)
        valid = Signal()
        m.d.sync += [
            valid.eq(reads),
            row.eq(port.count - 1),     # the first line of a tile belongs to the last row
            not_blank.eq(port.count + mode.blank <= SIDE),
        ]
        return Mux(not_blank, Cat(lanes), 0), row, valid

    def _accumulate(self, m, mode, total, start):
        """Add the accumulators, and combine four words from Q on with four values of ``total``.

        ``total`` presents one value per cycle in the four cycles after ``start``.
        """
        port = self.port
        op, go = port.op, port.go
        depth = self.config.acc_rows * SIDE + TABLE_WORDS
        m.submodules.accumulators = words = memory.Memory(
            shape=32, depth=1 << (depth - 1).bit_length(), init=[], attrs={"no_rw_check": 1})
        read, write = words.read_port(), words.write_port()
        q = Signal(range(depth))
        remaining = Signal(range(SIDE))
        reads = Signal()
        m.d.comb += [reads.eq(start | (remaining != 0)), read.addr.eq(q), self.o_word.eq(read.data)]
        with m.If(start):
            m.d.sync += remaining.eq(SIDE - 1)
        with m.Elif(remaining != 0):
            m.d.sync += remaining.eq(remaining - 1)
        with m.If(go & (op == Operation.SET_ACC_ADDR)):
            m.d.sync += q.eq(port.a)
        with m.Elif(reads | (go & ((op == Operation.NEXT_ACC) | (op == Operation.STORE_ACC)))):
            m.d.sync += q.eq(q + 1)

        combines = Signal()
        target = Signal.like(q)
        m.d.sync += [combines.eq(reads), target.eq(q)]
        old = Signal(signed(32))
        new = Signal(signed(32))
        greater = Signal()
        m.d.comb += [old.eq(read.data), greater.eq(old > total), new.eq(total)]
        with m.If(mode.add):
            m.d.comb += new.eq(old + total)
        with m.Elif(mode.maximum & greater):
            m.d.comb += new.eq(old)
        stores = go & (op == Operation.STORE_ACC)
        m.d.comb += [
            write.addr.eq(Mux(combines, target, q)),
            write.data.eq(Mux(combines, new, port.a)),
            write.en.eq(combines | stores),
        ]
        with m.If(reads | combines):
            m.d.comb += self.o_busy.eq(1)
