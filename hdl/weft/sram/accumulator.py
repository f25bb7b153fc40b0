"""Accumulator memory: one read-modify-write of a whole row per cycle, and a read port."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from .ports import AccOp, AccReadPort, AccUpdatePort

__all__ = ["AccumulatorMemory"]


class AccumulatorMemory(wiring.Component):
    """Memory of ``config.acc_rows`` rows of ``config.cols`` int32.

    The top bit of a row index selects one of two halves. The memory accepts one update of any row
    per cycle: write, add or maximum, as int32 modulo 2^32. Updates of the same row must be at least
    ``UPDATE_LATENCY`` cycles apart. A read is stalled in cycles with an update in the same half, so
    one half can be filled while the other is drained. The data of a read arrives ``READ_LATENCY``
    cycles after the read is accepted, and contains all updates made at least ``UPDATE_LATENCY``
    cycles before it was accepted. A row with a more recent update reads as undefined.

    Parameters
    ----------
    config : :class:`Config`
        Rows, columns and the width of partial sums.

    Members
    -------
    update : :py:`In(AccUpdatePort(...))`
        Updates from the array. They are not allowed while ``o_clearing`` is high.
    read : :py:`In(AccReadPort(...))`
        Reads of VECTOR.
    o_conflict_read : :py:`Out(1)`
        The read request is stalled in this cycle.
    i_clear : :py:`In(1)`
        Set all rows to zero, from the next cycle on, one row of each half per cycle. The clear
        follows all earlier updates.
    o_clearing : :py:`Out(1)`
        A clear is in progress; reads are stalled.
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
        """Width of a row index in bits."""
        return self.config.acc_addr_width

    @property
    def depth(self):
        """Number of rows of one half."""
        return self.config.acc_rows // 2

    def elaborate(self, platform):
        m = Module()
        update, read = self.update, self.read
        update_half, read_half = update.row[-1], read.req.payload[-1]
        m.d.comb += [
            read.req.ready.eq(~self.o_clearing & ~(update.en & (update_half == read_half))),
            self.o_conflict_read.eq(read.req.valid & ~read.req.ready),
        ]

        # stages: s1 addresses the rows, s3 has their contents, s4 writes the update
        stage = data.StructLayout({
            "update": 1, "is_add": 1, "is_max": 1,       # neither means write
            "row": self.row_width, "data": update.data.shape(),
            "read": 1, "read_half": 1,
        })
        s1, s2, s3 = Signal(stage), Signal(stage), Signal(stage)
        m.d.sync += [
            s1.update.eq(update.en), s1.is_add.eq(update.op == AccOp.ADD),
            s1.is_max.eq(update.op == AccOp.MAX), s1.row.eq(update.row),
            s1.data.eq(update.data),
            s1.read.eq(read.req.valid & read.req.ready), s1.read_half.eq(read_half),
            s2.eq(s1),
            s3.eq(s2),
        ]

        row_shape = data.ArrayLayout(signed(32), self.config.cols)
        s4_row = Signal(range(self.depth))
        s4_data = Signal(row_shape)
        s3_old, s3_read_data = Signal(row_shape), Signal(row_shape)
        contents = Signal(data.ArrayLayout(row_shape, 2))
        for half in range(2):
            # the read of a row that is written in the same cycle is undefined, which saves logic
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
                contents[half].eq(read_port.data),
            ]
            m.d.sync += [
                s1_row.eq(Mux(update.en & (update_half == half), update.row, read.req.payload)),
                s4_en.eq((s3.update & (s3.row[-1] == half)) | self.o_clearing),
            ]

        # output registers, because the block RAM alone takes most of a short clock period
        m.d.sync += [s3_old.eq(contents[s2.row[-1]]), s3_read_data.eq(contents[s2.read_half])]

        clear_row = self._clear(m)
        m.d.sync += s4_row.eq(Mux(self.o_clearing, clear_row, s3.row))
        for column in range(self.config.cols):
            old, operand = s3_old[column], s3.data[column]
            # A separate signal, so that each bit of s4_data depends on five inputs and not on six.
            # The comparison is the sign of the difference, because for `<` synthesis adds logic
            # beside the carry chain.
            keeps_old = Signal(name=f"keeps_old_{column}")
            m.d.comb += keeps_old.eq(s3.is_max & (operand - old)[-1])
            m.d.sync += s4_data[column].eq(Mux(
                self.o_clearing, 0, Mux(s3.is_add, old + operand, Mux(keeps_old, old, operand))))
        m.d.comb += [read.valid.eq(s3.read), read.data.eq(s3_read_data)]
        return m

    def _clear(self, m):
        """Add the clear sequence and return the row that is cleared in this cycle."""
        # The first UPDATE_LATENCY rows are cleared twice, because earlier updates may be written in
        # the cycles in which they are cleared first.
        step = Signal(range(self.depth + self.UPDATE_LATENCY), name="clear_step")
        with m.If(self.o_clearing):
            m.d.sync += step.eq(step + 1)
            with m.If(step == self.depth + self.UPDATE_LATENCY - 1):
                m.d.sync += [step.eq(0), self.o_clearing.eq(0)]
        with m.Elif(self.i_clear):
            m.d.sync += self.o_clearing.eq(1)
        return step[:exact_log2(self.depth)]
