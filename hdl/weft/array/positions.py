"""The loops of MATMUL: kernel rows, chunks, then rows of positions and positions."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..bus.slice import RegisterSlice
from ..control.instruction_layout import instruction_layout
from ..control.unit_interface import INSTRUCTION_SHAPE
from ..sram.ports import AccOp, ReadPort

__all__ = ["UPDATE_DISTANCE", "PositionLoops", "Tag"]

UPDATE_DISTANCE = 4
"""Least number of cycles between two updates of one accumulator row."""


class Tag(data.StructLayout):
    """What travels with a vector: accumulator row, operation, last vector of its instruction.

    With ``lead`` set the vector only fills the filters of a depthwise pass: its sums are dropped.
    """

    def __init__(self, config):
        super().__init__({
            "row": (config.acc_rows - 1).bit_length(),
            "op": AccOp,
            "lead": 1,
            "last": 1,
        })


def _request(config):
    """A vector on its way: address, first of its tile, depthwise, tag."""
    return data.StructLayout({
        "addr": (config.spad_bytes - 1).bit_length(), "first": 1, "depthwise": 1,
        "tag": Tag(config)})


class PositionLoops(wiring.Component):
    """Requests the vectors of MATMUL instructions, one a cycle.

    In a depthwise pass each row of positions begins with ``lead`` vectors that have no position.
    With ``apart``, accumulator rows go on from kernel row to kernel row.

    Parameters
    ----------
    config : :class:`Config`

    Members
    -------
    i : :py:`In(stream.Signature(256))`
        A validated MATMUL; one waits while another is in work.
    i_tile_ready : :py:`In(1)`
        The first vector of a tile may be requested.
    spad : :py:`Out(ReadPort(spad_addr_width, rows))`
        Its data is not used.
    o_accept : :py:`Out(1)`
        A vector was asked for in this cycle; ``o_first``, ``o_depthwise``, ``o_tag`` describe it.
    o_claim : :py:`Out(1)`
        And it is the first of its tile.
    o_first : :py:`Out(1)`
        It is the first of its tile.
    o_depthwise : :py:`Out(1)`
        It is for the array's top.
    o_tag : :py:`Out(Tag(config))`
    o_wait_weights : :py:`Out(1)`
        Only the tile is missing.
    """

    def __init__(self, config):
        self.config = config
        self.addr_width = (config.spad_bytes - 1).bit_length()
        self.row_width = (config.acc_rows - 1).bit_length()
        super().__init__({
            "i": In(stream.Signature(INSTRUCTION_SHAPE)),
            "i_tile_ready": In(1),
            "spad": Out(ReadPort(self.addr_width, config.rows)),
            "o_accept": Out(1),
            "o_claim": Out(1),
            "o_first": Out(1),
            "o_depthwise": Out(1),
            "o_tag": Out(Tag(config)),
            "o_wait_weights": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        layout = instruction_layout("MATMUL")
        width = self.addr_width

        # one instruction waits, so that the loops go from one to the next without a bubble
        waiting = Signal()
        word = Signal(INSTRUCTION_SHAPE)
        held = data.View(layout, word)
        active = Signal()
        take = Signal()
        m.d.comb += self.i.ready.eq(~waiting)
        with m.If(self.i.ready):
            m.d.sync += [waiting.eq(self.i.valid), word.eq(self.i.payload)]
        with m.If(take & waiting):
            m.d.sync += waiting.eq(0)

        maximum, accumulate, hold, depthwise = Signal(), Signal(), Signal(), Signal()
        apart = Signal()
        acc_first = Signal(self.row_width)
        row_pitch, chunk_pitch, y_pitch, x_pitch = (
            Signal(width, name=f"{name}_pitch") for name in ("row", "chunk", "y", "x"))
        chunk_count, y_count = (Signal(16, name=f"{name}_count") for name in ("chunk", "y"))
        rows_left, chunks_left, ys_left = (
            Signal(16, name=f"{name}_left") for name in ("rows", "chunks", "ys"))
        # vectors of a row of positions; a valid x_count is at most acc_rows
        x_vectors, xs_left = (Signal(range(self.config.acc_rows + self.config.rows), name=name)
                              for name in ("x_vectors", "xs_left"))
        lead, leads_left = (Signal(range(self.config.rows), name=name)
                            for name in ("lead", "leads_left"))
        is_lead = Signal()
        row_addr, chunk_addr, y_addr, addr = (
            Signal(width, name=name) for name in ("row_addr", "chunk_addr", "y_addr", "addr"))
        acc_row = Signal(self.row_width)
        first_pass, first_vector = Signal(), Signal()

        # whether a counter is at 1 is kept beside it: four comparisons in a row are slow
        x_one, y_one, chunk_one, row_one = (
            Signal(name=f"{name}_one") for name in ("x", "y", "chunk", "row"))
        x_last, y_last, chunk_last, row_last = (
            Signal(name=f"{name}_last") for name in ("x", "y", "chunk", "row"))
        m.d.comb += [
            x_last.eq(x_one),
            y_last.eq(x_last & y_one),
            chunk_last.eq(y_last & chunk_one),
            row_last.eq(chunk_last & row_one),
        ]

        # the loops run into a buffer, so that neither the scratchpad's ready nor the checks below
        # are on the way to all their counters
        m.submodules.buffer = buffer = RegisterSlice(_request(self.config))
        ahead, request = buffer.i.payload, buffer.o.payload
        m.d.comb += [
            buffer.i.valid.eq(active),
            ahead.addr.eq(addr),
            ahead.first.eq(first_vector),
            ahead.depthwise.eq(depthwise),
            ahead.tag.row.eq(acc_row),
            ahead.tag.lead.eq(is_lead),
            ahead.tag.op.eq(Mux(first_pass & ~accumulate, AccOp.WRITE,
                                Mux(maximum, AccOp.MAX, AccOp.ADD))),
            ahead.tag.last.eq(row_last),
            take.eq(~active | buffer.i.ready & row_last),
        ]

        # an accumulator row is not touched again before its update is through
        recent = [Signal(self.row_width + 1, name=f"recent{age}")
                  for age in range(1, UPDATE_DISTANCE)]
        clash = Signal()                    # known a cycle before
        now, after = (Cat(tag.row, ~tag.lead) for tag in (request.tag, buffer.o_next.tag))
        may_request = buffer.o.valid & ~clash & ~self.spad.conflict
        m.d.comb += [
            self.spad.req.payload.eq(request.addr),
            self.spad.req.valid.eq(may_request & (self.i_tile_ready | ~request.first)),
            self.o_accept.eq(self.spad.req.valid & self.spad.req.ready),
            buffer.o.ready.eq(self.o_accept),
            self.o_claim.eq(self.o_accept & request.first),
            self.o_first.eq(request.first),
            self.o_depthwise.eq(request.depthwise),
            self.o_wait_weights.eq(may_request & request.first & ~self.i_tile_ready),
            self.o_tag.eq(request.tag),
        ]
        # Vectors go as far apart as they were asked for, unless one is put off. Then time stands
        # still here, too, a cycle later: in time, as a vector is behind one other at most at its
        # port, and none is asked for in such a cycle.
        then = Mux(buffer.o.valid, now, after)
        m.d.sync += clash.eq(Mux(
            self.o_accept,
            ~buffer.o_next.tag.lead & Cat(after == row for row in (now, *recent[:-1])).any(),
            then[-1] & (Cat(then == row for row in recent[:-1]).any()
                        | (self.spad.conflict & (then == recent[-1])))))
        with m.If(~self.spad.conflict):
            m.d.sync += recent[0].eq(Mux(self.o_accept, now, 0))
            m.d.sync += [younger.eq(older) for older, younger in zip(recent, recent[1:])]

        # What comes next is chosen without a look at the buffer: at the end of an instruction the
        # one that waits is taken, and ``waiting`` only decides what that means.
        with m.If(~active | buffer.i.ready):
            with m.If(~active | row_last):
                m.d.sync += [
                    active.eq(waiting), maximum.eq(held.maximum), accumulate.eq(held.accumulate),
                    hold.eq(held.hold), depthwise.eq(held.depthwise), apart.eq(held.apart),
                    first_pass.eq(1), first_vector.eq(1),
                    acc_first.eq(held.acc_addr), acc_row.eq(held.acc_addr),
                    row_addr.eq(held.act_addr), chunk_addr.eq(held.act_addr),
                    y_addr.eq(held.act_addr), addr.eq(held.act_addr),
                    row_pitch.eq(held.row_pitch), chunk_pitch.eq(held.chunk_pitch),
                    y_pitch.eq(held.y_pitch), x_pitch.eq(held.x_pitch),
                    chunk_count.eq(held.chunk_count), y_count.eq(held.y_count),
                    x_vectors.eq(held.x_count + held.lead), xs_left.eq(held.x_count + held.lead),
                    lead.eq(held.lead), leads_left.eq(held.lead), is_lead.eq(held.lead != 0),
                    rows_left.eq(held.row_count), chunks_left.eq(held.chunk_count),
                    ys_left.eq(held.y_count),
                    x_one.eq((held.x_count == 1) & (held.lead == 0)), y_one.eq(held.y_count == 1),
                    chunk_one.eq(held.chunk_count == 1), row_one.eq(held.row_count == 1),
                ]
            with m.Else():
                m.d.sync += [
                    first_vector.eq(y_last & ~hold),
                    acc_row.eq(acc_row + ~is_lead),
                    leads_left.eq(leads_left - is_lead),
                    is_lead.eq(leads_left > 1),
                    xs_left.eq(xs_left - 1), x_one.eq(xs_left == 2),
                    addr.eq(addr + x_pitch),
                ]
                with m.If(x_last):
                    next_y = (y_addr + y_pitch)[:width]
                    m.d.sync += [xs_left.eq(x_vectors), x_one.eq(x_vectors == 1),
                                 ys_left.eq(ys_left - 1), y_one.eq(ys_left == 2), addr.eq(next_y),
                                 y_addr.eq(next_y), leads_left.eq(lead), is_lead.eq(lead != 0)]
                with m.If(y_last):
                    next_chunk = (chunk_addr + chunk_pitch)[:width]
                    goes_on = apart & chunk_one         # to the accumulators of a kernel row
                    m.d.sync += [
                        ys_left.eq(y_count), y_one.eq(y_count == 1),
                        chunks_left.eq(chunks_left - 1), chunk_one.eq(chunks_left == 2),
                        first_pass.eq(goes_on), addr.eq(next_chunk), y_addr.eq(next_chunk),
                        chunk_addr.eq(next_chunk),
                    ]
                    with m.If(goes_on):
                        m.d.sync += acc_first.eq(acc_row + 1)
                    with m.Else():
                        m.d.sync += acc_row.eq(acc_first)
                with m.If(chunk_last):
                    next_row = (row_addr + row_pitch)[:width]
                    m.d.sync += [
                        chunks_left.eq(chunk_count), chunk_one.eq(chunk_count == 1),
                        rows_left.eq(rows_left - 1), row_one.eq(rows_left == 2), addr.eq(next_row),
                        y_addr.eq(next_row), chunk_addr.eq(next_row), row_addr.eq(next_row),
                    ]
        return m
