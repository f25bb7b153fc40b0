"""The accumulators: a read-modify-write of a whole row a cycle, and a reader beside it."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from .ports import AccOp, AccReadPort, AccUpdatePort

__all__ = ["AccumulatorMemory"]


class AccumulatorMemory(wiring.Component):
    """``config.acc_rows`` rows of ``config.cols`` int32 each, in two halves by the top row bit.

    Takes one update a cycle, of any row: write, add or maximum, as int32 modulo 2^32. Updates
    of one row are at least ``UPDATE_LATENCY`` cycles apart. A read waits in cycles in which an
    update is made in its half, so that filling one half and draining the other go on side by
    side. It is answered ``READ_LATENCY`` cycles after it was accepted. It sees all updates
    made ``UPDATE_LATENCY`` or more cycles before that; a row with a later one reads as anything.

    Parameters
    ----------
    config : :class:`Config`
        Rows, columns and the width of partial sums.

    Members
    -------
    update : :py:`In(AccUpdatePort(...))`
        From the array. Not allowed while ``o_clearing`` is high.
    read : :py:`In(AccReadPort(...))`
        For VECTOR.
    o_conflict_read : :py:`Out(1)`
        The read request is refused in this cycle.
    i_clear : :py:`In(1)`
        Set all rows to zero, from the next cycle on, one row of each half a cycle. Comes after
        all updates made before it.
    o_clearing : :py:`Out(1)`
        That is going on; reads are refused.
    """

    READ_LATENCY = 3
    UPDATE_LATENCY = 4

    def __init__(self, config):
        self.config = config
        super().__init__({
            "update": In(AccUpdatePort(row_width=self.row_width, sum_width=config.sum_width,
                                       cols=config.cols)),
            "read": In(AccReadPort(row_width=self.row_width, cols=config.cols)),
            "o_conflict_read": Out(1),
            "i_clear": In(1),
            "o_clearing": Out(1),
        })

    @property
    def row_width(self):
        """Bits of a row number."""
        return self.config.acc_addr_width

    @property
    def depth(self):
        """Rows of one half."""
        return self.config.acc_rows // 2

    def elaborate(self, platform):
        m = Module()
        update, read = self.update, self.read
        update_half, read_half = update.row[-1], read.req.payload[-1]
        m.d.comb += [
            read.req.ready.eq(~self.o_clearing & ~(update.en & (update_half == read_half))),
            self.o_conflict_read.eq(read.req.valid & ~read.req.ready),
        ]

        # s1: rows are looked up; s3: their contents are there; s4: the update is written
        stage = data.StructLayout({
            "update": 1, "adds": 1, "keeps_larger": 1,      # or writes
            "row": self.row_width, "data": update.data.shape(),
            "read": 1, "read_half": 1,
        })
        s1, s2, s3 = Signal(stage), Signal(stage), Signal(stage)
        m.d.sync += [
            s1.update.eq(update.en), s1.adds.eq(update.op == AccOp.ADD),
            s1.keeps_larger.eq(update.op == AccOp.MAX), s1.row.eq(update.row),
            s1.data.eq(update.data),
            s1.read.eq(read.req.valid & read.req.ready), s1.read_half.eq(read_half),
            s2.eq(s1),
            s3.eq(s2),
        ]

        row_shape = data.ArrayLayout(signed(32), self.config.cols)
        s4_row = Signal(range(self.depth))
        s4_data = Signal(row_shape)
        s3_old, s3_answer = Signal(row_shape), Signal(row_shape)
        found = Signal(data.ArrayLayout(row_shape, 2))
        for half in range(2):
            # the attribute spares the logic that would define a read of a row being written
            m.submodules[f"half_{half}"] = rows = memory.Memory(
                shape=row_shape, depth=self.depth, init=[], attrs={"no_rw_check": 1})
            read_port, write_port = rows.read_port(), rows.write_port()
            s1_row = Signal(range(self.depth), name=f"s1_row_{half}")
            s4_en = Signal(name=f"s4_en_{half}")
            m.d.comb += [
                read_port.addr.eq(s1_row),
                write_port.en.eq(s4_en),
                write_port.addr.eq(s4_row),
                write_port.data.eq(s4_data),
                found[half].eq(read_port.data),
            ]
            m.d.sync += [
                s1_row.eq(Mux(update.en & (update_half == half), update.row, read.req.payload)),
                s4_en.eq((s3.update & (s3.row[-1] == half)) | self.o_clearing),
            ]

        # the second register: a block RAM's own output takes most of a fast cycle
        m.d.sync += [s3_old.eq(found[s2.row[-1]]), s3_answer.eq(found[s2.read_half])]

        clear_row = self._clear(m)
        m.d.sync += s4_row.eq(Mux(self.o_clearing, clear_row, s3.row))
        for column in range(self.config.cols):
            old, operand = s3_old[column], s3.data[column]
            # a wire of its own, so that a bit is a function of five and not of six; the sign of a
            # difference, because synthesis makes more than a chain of carries out of a comparison
            stays = Signal(name=f"stays_{column}")
            m.d.comb += stays.eq(s3.keeps_larger & (operand - old)[-1])
            m.d.sync += s4_data[column].eq(Mux(
                self.o_clearing, 0, Mux(s3.adds, old + operand, Mux(stays, old, operand))))
        m.d.comb += [read.valid.eq(s3.read), read.data.eq(s3_answer)]
        return m

    def _clear(self, m):
        # The first rows are cleared twice: while the first UPDATE_LATENCY are, updates made just
        # before may still be written.
        step = Signal(range(self.depth + self.UPDATE_LATENCY), name="clear_step")
        with m.If(self.o_clearing):
            m.d.sync += step.eq(step + 1)
            with m.If(step == self.depth + self.UPDATE_LATENCY - 1):
                m.d.sync += [step.eq(0), self.o_clearing.eq(0)]
        with m.Elif(self.i_clear):
            m.d.sync += self.o_clearing.eq(1)
        return step[:exact_log2(self.depth)]
