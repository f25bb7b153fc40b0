"""Address generator of MATMUL: loops over kernel rows, chunks, rows of positions, positions."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..bus.register_slice import RegisterSlice
from ..control.instruction_layout import instruction_layout
from ..control.unit_interface import INSTRUCTION_SHAPE
from ..sram.ports import AccOp, ReadPort

__all__ = ["UPDATE_DISTANCE", "PositionLoops", "Tag"]

UPDATE_DISTANCE = 4
"""Minimum number of cycles between two updates of one accumulator row."""


class Tag(data.StructLayout):
    """Layout of the data that accompany a vector through the array.

    ``row`` is the accumulator row of its sums and ``op`` the operation that updates it. With
    ``lead``, the vector only fills the filters of a depthwise pass, and its sums are discarded.
    ``last`` marks the last vector of an instruction.
    """

    def __init__(self, config):
        super().__init__({
            "row": config.acc_addr_width,
            "op": AccOp,
            "lead": 1,
            "last": 1,
        })


def _request_layout(config):
    """Return the layout of a vector request.

    ``first`` marks the first vector of a tile; a ``depthwise`` vector enters the array at the top.
    """
    return data.StructLayout({
        "addr": config.spad_addr_width, "first": 1, "depthwise": 1,
        "tag": Tag(config)})


class _LoopRegisters:
    """Registers of the loops: fields of the instruction in progress, counters and addresses."""

    def __init__(self, config):
        width, row_width = config.spad_addr_width, config.acc_addr_width
        self.active = Signal()
        self.maximum, self.accumulate, self.hold = Signal(), Signal(), Signal()
        self.depthwise, self.apart = Signal(), Signal()
        self.acc_first = Signal(row_width)
        self.row_pitch, self.chunk_pitch, self.y_pitch, self.x_pitch = (
            Signal(width, name=f"{name}_pitch") for name in ("row", "chunk", "y", "x"))
        self.chunk_count, self.y_count = (
            Signal(16, name=f"{name}_count") for name in ("chunk", "y"))
        self.rows_left, self.chunks_left, self.ys_left = (
            Signal(16, name=f"{name}_left") for name in ("rows", "chunks", "ys"))
        # number of vectors of a row of positions; a valid x_count is at most acc_rows
        self.x_vectors, self.xs_left = (
            Signal(range(config.acc_rows + config.rows), name=name)
            for name in ("x_vectors", "xs_left"))
        self.lead, self.leads_left = (
            Signal(range(config.rows), name=name) for name in ("lead", "leads_left"))
        self.is_lead = Signal()
        self.row_addr, self.chunk_addr, self.y_addr, self.addr = (
            Signal(width, name=name) for name in ("row_addr", "chunk_addr", "y_addr", "addr"))
        self.acc_row = Signal(row_width)
        self.first_pass, self.first_vector = Signal(), Signal()

        # a flag beside each counter is high while the counter is 1, because four comparisons in
        # series are slow
        self.x_one, self.y_one, self.chunk_one, self.row_one = (
            Signal(name=f"{name}_one") for name in ("x", "y", "chunk", "row"))
        # the current vector is the last of its row of positions, chunk, kernel row, instruction
        self.x_last, self.y_last, self.chunk_last, self.row_last = (
            Signal(name=f"{name}_last") for name in ("x", "y", "chunk", "row"))


class PositionLoops(wiring.Component):
    """Generator of the vector requests of MATMUL instructions, one per cycle.

    In a depthwise pass, each row of positions begins with ``lead`` vectors whose sums are
    discarded. With ``apart``, each kernel row has accumulator rows of its own, which follow those
    of the previous kernel row.

    Parameters
    ----------
    config : :class:`Config`

    Members
    -------
    i : :py:`In(stream.Signature(256))`
        A validated MATMUL. The next one is accepted and stored while one is in progress.
    i_tile_ready : :py:`In(1)`
        The first vector of the next tile may be requested.
    spad : :py:`Out(ReadPort(spad_addr_width, rows))`
        Reads of the vectors. This component does not use the data.
    o_accept : :py:`Out(1)`
        A request was accepted in this cycle; ``o_first``, ``o_depthwise``, ``o_tag`` describe it.
    o_tile_start : :py:`Out(1)`
        The accepted request is that of the first vector of a tile: ``o_accept & o_first``.
    o_first : :py:`Out(1)`
        The vector is the first of its tile.
    o_depthwise : :py:`Out(1)`
        The vector enters the array from the top.
    o_tag : :py:`Out(Tag(config))`
        Tag of the vector.
    o_wait_weights : :py:`Out(1)`
        The next vector waits only for its tile.
    """

    def __init__(self, config):
        self.config = config
        self.addr_width = config.spad_addr_width
        self.row_width = config.acc_addr_width
        super().__init__({
            "i": In(stream.Signature(INSTRUCTION_SHAPE)),
            "i_tile_ready": In(1),
            "spad": Out(ReadPort(self.addr_width, config.rows)),
            "o_accept": Out(1),
            "o_tile_start": Out(1),
            "o_first": Out(1),
            "o_depthwise": Out(1),
            "o_tag": Out(Tag(config)),
            "o_wait_weights": Out(1),
        })

    def elaborate(self, platform):
        m = Module()

        # the next instruction is stored ahead, so that it starts without a bubble
        waiting = Signal()
        word = Signal(INSTRUCTION_SHAPE)
        start = Signal()
        m.d.comb += self.i.ready.eq(~waiting)
        with m.If(self.i.ready):
            m.d.sync += [waiting.eq(self.i.valid), word.eq(self.i.payload)]
        with m.If(start & waiting):
            m.d.sync += waiting.eq(0)

        loop = _LoopRegisters(self.config)
        m.d.comb += [
            loop.x_last.eq(loop.x_one),
            loop.y_last.eq(loop.x_last & loop.y_one),
            loop.chunk_last.eq(loop.y_last & loop.chunk_one),
            loop.row_last.eq(loop.chunk_last & loop.row_one),
        ]

        # The loops run ahead into a buffer, so that neither the scratchpad's ready nor the hazard
        # check is on the path to their counters.
        m.submodules.buffer = buffer = RegisterSlice(_request_layout(self.config))
        ahead = buffer.i.payload
        m.d.comb += [
            buffer.i.valid.eq(loop.active),
            ahead.addr.eq(loop.addr),
            ahead.first.eq(loop.first_vector),
            ahead.depthwise.eq(loop.depthwise),
            ahead.tag.row.eq(loop.acc_row),
            ahead.tag.lead.eq(loop.is_lead),
            ahead.tag.op.eq(Mux(loop.first_pass & ~loop.accumulate, AccOp.WRITE,
                                Mux(loop.maximum, AccOp.MAX, AccOp.ADD))),
            ahead.tag.last.eq(loop.row_last),
            start.eq(~loop.active | buffer.i.ready & loop.row_last),
        ]
        self._elaborate_requests(m, buffer)

        # The buffer's ready affects the clock enable of the loop registers, not their next values.
        # At the end of an instruction they load `word` even if no instruction waits there;
        # `active` then goes low.
        with m.If(~loop.active | buffer.i.ready):
            with m.If(~loop.active | loop.row_last):
                self._elaborate_start(m, loop, waiting, word)
            with m.Else():
                self._elaborate_advance(m, loop)
        return m

    def _elaborate_requests(self, m, buffer):
        """Request the vectors from the buffer, as far as accumulator rows and tiles permit."""
        request = buffer.o.payload
        # accumulator rows of the vectors of the last cycles, whose updates may be in progress
        recent = [Signal(self.row_width + 1, name=f"recent{age}")
                  for age in range(1, UPDATE_DISTANCE)]
        hazard = Signal()                   # stalls the next vector; computed one cycle ahead
        row, next_row = (Cat(tag.row, ~tag.lead) for tag in (request.tag, buffer.o_next.tag))
        may_request = buffer.o.valid & ~hazard & ~self.spad.conflict
        m.d.comb += [
            self.spad.req.payload.eq(request.addr),
            self.spad.req.valid.eq(may_request & (self.i_tile_ready | ~request.first)),
            self.o_accept.eq(self.spad.req.valid & self.spad.req.ready),
            buffer.o.ready.eq(self.o_accept),
            self.o_tile_start.eq(self.o_accept & request.first),
            self.o_first.eq(request.first),
            self.o_depthwise.eq(request.depthwise),
            self.o_wait_weights.eq(may_request & request.first & ~self.i_tile_ready),
            self.o_tag.eq(request.tag),
        ]
        # The distance between two updates is that between the grants of their reads. It equals the
        # distance between their requests unless a read is stalled, which `conflict` reports one
        # cycle later. `recent` is then stopped for one cycle as well. This is early enough: at most
        # one other read is ahead of a vector at its port, and no vector is requested in a cycle
        # with `conflict`.
        waiting_row = Mux(buffer.o.valid, row, next_row)
        m.d.sync += hazard.eq(Mux(
            self.o_accept,
            ~buffer.o_next.tag.lead & Cat(next_row == old for old in (row, *recent[:-1])).any(),
            waiting_row[-1] & (Cat(waiting_row == old for old in recent[:-1]).any()
                               | (self.spad.conflict & (waiting_row == recent[-1])))))
        with m.If(~self.spad.conflict):
            m.d.sync += recent[0].eq(Mux(self.o_accept, row, 0))
            m.d.sync += [older.eq(younger) for younger, older in zip(recent, recent[1:])]

    def _elaborate_start(self, m, loop, waiting, word):
        """Load the waiting instruction ``word`` into the loop registers."""
        fields = data.View(instruction_layout("MATMUL"), word)
        m.d.sync += [
            loop.active.eq(waiting), loop.maximum.eq(fields.maximum),
            loop.accumulate.eq(fields.accumulate),
            loop.hold.eq(fields.hold), loop.depthwise.eq(fields.depthwise),
            loop.apart.eq(fields.apart),
            loop.first_pass.eq(1), loop.first_vector.eq(1),
            loop.acc_first.eq(fields.acc_addr), loop.acc_row.eq(fields.acc_addr),
            loop.row_addr.eq(fields.act_addr), loop.chunk_addr.eq(fields.act_addr),
            loop.y_addr.eq(fields.act_addr), loop.addr.eq(fields.act_addr),
            loop.row_pitch.eq(fields.row_pitch), loop.chunk_pitch.eq(fields.chunk_pitch),
            loop.y_pitch.eq(fields.y_pitch), loop.x_pitch.eq(fields.x_pitch),
            loop.chunk_count.eq(fields.chunk_count), loop.y_count.eq(fields.y_count),
            loop.x_vectors.eq(fields.x_count + fields.lead),
            loop.xs_left.eq(fields.x_count + fields.lead),
            loop.lead.eq(fields.lead), loop.leads_left.eq(fields.lead),
            loop.is_lead.eq(fields.lead != 0),
            loop.rows_left.eq(fields.row_count), loop.chunks_left.eq(fields.chunk_count),
            loop.ys_left.eq(fields.y_count),
            loop.x_one.eq((fields.x_count == 1) & (fields.lead == 0)),
            loop.y_one.eq(fields.y_count == 1),
            loop.chunk_one.eq(fields.chunk_count == 1), loop.row_one.eq(fields.row_count == 1),
        ]

    def _elaborate_advance(self, m, loop):
        """Advance the loop registers to the next vector of the instruction."""
        width = self.addr_width
        m.d.sync += [
            loop.first_vector.eq(loop.y_last & ~loop.hold),
            loop.acc_row.eq(loop.acc_row + ~loop.is_lead),
            loop.leads_left.eq(loop.leads_left - loop.is_lead),
            loop.is_lead.eq(loop.leads_left > 1),
            loop.xs_left.eq(loop.xs_left - 1), loop.x_one.eq(loop.xs_left == 2),
            loop.addr.eq(loop.addr + loop.x_pitch),
        ]
        with m.If(loop.x_last):
            next_y = (loop.y_addr + loop.y_pitch)[:width]
            m.d.sync += [
                loop.xs_left.eq(loop.x_vectors), loop.x_one.eq(loop.x_vectors == 1),
                loop.ys_left.eq(loop.ys_left - 1), loop.y_one.eq(loop.ys_left == 2),
                loop.addr.eq(next_y), loop.y_addr.eq(next_y),
                loop.leads_left.eq(loop.lead), loop.is_lead.eq(loop.lead != 0),
            ]
        with m.If(loop.y_last):
            next_chunk = (loop.chunk_addr + loop.chunk_pitch)[:width]
            # the next pass begins a kernel row that has accumulator rows of its own
            new_accs = loop.apart & loop.chunk_one
            m.d.sync += [
                loop.ys_left.eq(loop.y_count), loop.y_one.eq(loop.y_count == 1),
                loop.chunks_left.eq(loop.chunks_left - 1), loop.chunk_one.eq(loop.chunks_left == 2),
                loop.first_pass.eq(new_accs), loop.addr.eq(next_chunk), loop.y_addr.eq(next_chunk),
                loop.chunk_addr.eq(next_chunk),
            ]
            with m.If(new_accs):
                m.d.sync += loop.acc_first.eq(loop.acc_row + 1)
            with m.Else():
                m.d.sync += loop.acc_row.eq(loop.acc_first)
        with m.If(loop.chunk_last):
            next_row = (loop.row_addr + loop.row_pitch)[:width]
            m.d.sync += [
                loop.chunks_left.eq(loop.chunk_count), loop.chunk_one.eq(loop.chunk_count == 1),
                loop.rows_left.eq(loop.rows_left - 1), loop.row_one.eq(loop.rows_left == 2),
                loop.addr.eq(next_row), loop.y_addr.eq(next_row), loop.chunk_addr.eq(next_row),
                loop.row_addr.eq(next_row),
            ]
