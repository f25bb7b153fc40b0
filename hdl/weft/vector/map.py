"""The reading side of MAP and SOFTMAX: bytes of the scratchpad in, int32 for the lanes out."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, fifo, wiring
from amaranth.lib.wiring import In, Out

from ..control.instruction_layout import instruction_layout
from ..control.unit_interface import INSTRUCTION_SHAPE
from ..spec.isa import MapOp
from ..sram.ports import ReadPort
from .drain import Step
from .row_addresses import RowWalk
from .tables import Tables

__all__ = ["MAP_PASS", "MapReader", "Pass", "Passed"]

IN_FLIGHT = 16          # reads between their request and their answer

Pass = data.StructLayout({"pause": 1, "again": 1, "emit": 1, "offset": 8})
"""How a row is read: stop behind it, read it again then, send its steps to the lanes, and what to
add to each byte to get the number of its entry."""

MAP_PASS = {"pause": 0, "again": 0, "emit": 1, "offset": 0x80}
"""How MAP reads its rows: entry 0 is that of byte -128."""

Passed = data.StructLayout({"valid": 1, "last": 1, "end": 1})
"""``valid``: a step of a pass; ``last``: its last one, and ``end``: of the last pass of all."""


class MapReader(wiring.Component):
    """Reads rows, looks their bytes up, and sends what the lanes are to requantise.

    A step is read every cycle, with two operands every second one. A step is only sent on when
    the output queue has room for it. ``i_pass`` must hold still from the start of a pass to its
    last answer.

    Parameters
    ----------
    config : :class:`Config`

    Members
    -------
    i_start : :py:`In(1)`
        Start the instruction in ``i_instruction``. Not allowed while ``o_busy`` is high.
    i_instruction : :py:`In(256)`
        A validated MAP or SOFTMAX.
    i_slot : :py:`In(1)`
    o_busy : :py:`Out(1)`
        From the cycle after ``i_start`` to that of the last answer.
    i_pass : :py:`In(Pass)`, ``i_next`` : :py:`In(1)`
        How to read a row; read the next after a pause.
    spad : :py:`Out(ReadPort(spad_addr_width, vector_lanes))`
    i_table_en, i_table_index, i_table_entry
        As in :class:`Tables`.
    i_room : :py:`In(1)`
        The output queue has room. What is taken counts two cycles later.
    o_take : :py:`Out(1)`
        Some of it is taken: a step is on its way.
    o_index : :py:`Out(ArrayLayout(8, lanes))`, ``o_indexed`` : :py:`Out(Passed)`
        The numbers of a step's entries, one cycle after the answer; of every pass.
    o_entries : :py:`Out(ArrayLayout(signed(32), lanes))`, ``o_looked_up`` : :py:`Out(Passed)`
        The entries, ``Tables.LATENCY`` cycles later.
    o_step : :py:`Out(Step(config))`
        One cycle after ``o_looked_up``, if the step goes to the lanes.
    o_values : :py:`Out(ArrayLayout(signed(32), lanes))`
        The values of the step of one cycle ago.
    """

    def __init__(self, config):
        self.config = config
        lanes = config.vector_lanes
        super().__init__({
            "i_start": In(1),
            "i_instruction": In(INSTRUCTION_SHAPE),
            "i_slot": In(1),
            "o_busy": Out(1),
            "i_pass": In(Pass),
            "i_next": In(1),
            "spad": Out(ReadPort(config.spad_addr_width, lanes)),
            "i_table_en": In(1),
            "i_table_index": In(9),
            "i_table_entry": In(32),
            "i_room": In(1),
            "o_take": Out(1),
            "o_index": Out(data.ArrayLayout(8, lanes)),
            "o_indexed": Out(Passed),
            "o_entries": Out(data.ArrayLayout(signed(32), lanes)),
            "o_looked_up": Out(Passed),
            "o_step": Out(Step(config)),
            "o_values": Out(data.ArrayLayout(signed(32), lanes)),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.walk = walk = RowWalk(config)
        m.submodules.tables = tables = Tables(config.vector_lanes)
        tag_layout = data.StructLayout({"whole": 1, "last": 1, "end": 1})
        m.submodules.tags = tags = fifo.SyncFIFO(width=tag_layout.size, depth=IN_FLIGHT)

        # requests, and beside each what its answer will be
        accept = Signal()
        asked = Signal()            # in the cycle before, and put off: asked for once more
        may_ask = Signal()
        tag_room = Signal()         # in the cycle before, for this one's, too
        place = walk.o.payload
        tag_in = Signal(tag_layout)
        m.d.comb += [
            walk.i_start.eq(self.i_start),
            walk.i_instruction.eq(self.i_instruction),
            walk.i_pause.eq(self.i_pass.pause),
            walk.i_again.eq(self.i_pass.again),
            walk.i_next.eq(self.i_next),
            may_ask.eq((tag_room & self.i_room) | asked),
            self.spad.req.valid.eq(walk.o.valid & may_ask),
            self.spad.req.payload.eq(place.addr),
            accept.eq(self.spad.req.valid & self.spad.req.ready),
            walk.o.ready.eq(may_ask & self.spad.req.ready),
            tag_in.whole.eq(place.whole),
            tag_in.last.eq(place.last),
            tag_in.end.eq(place.end),
            tags.w_en.eq(accept),
            tags.w_data.eq(tag_in),
            tags.r_en.eq(self.spad.valid),
        ]
        m.d.sync += [
            tag_room.eq(tags.level < IN_FLIGHT - 1),
            asked.eq(self.spad.req.valid & ~self.spad.req.ready),
            self.o_take.eq(accept & place.whole & self.i_pass.emit),
        ]

        # what travels beside the data; stage 0 is the answer
        stage = data.StructLayout({"valid": 1, "whole": 1, "last": 1, "end": 1, "emit": 1})
        at = [Signal(stage, name=f"s{age}") for age in range(3 + Tables.LATENCY)]
        answer = data.View(tag_layout, tags.r_data)
        m.d.comb += [
            at[0].valid.eq(self.spad.valid),
            at[0].whole.eq(answer.whole),
            at[0].last.eq(answer.last),
            at[0].end.eq(answer.end),
            at[0].emit.eq(self.i_pass.emit),
        ]
        m.d.sync += [younger.eq(older) for older, younger in zip(at, at[1:])]
        looked_up, leaves = at[1 + Tables.LATENCY:]
        with m.If(at[0].valid & at[0].end):
            m.d.sync += self.o_busy.eq(0)
        for passed, where in ((self.o_indexed, at[1]), (self.o_looked_up, looked_up)):
            m.d.comb += [passed.valid.eq(where.valid), passed.last.eq(where.last),
                         passed.end.eq(where.end)]

        slot, multiplies = Signal(), Signal()
        m.d.comb += [
            self.o_step.valid.eq(leaves.valid & leaves.whole & leaves.emit),
            self.o_step.map.eq(1),
            self.o_step.slot.eq(slot),
            tables.i_write_en.eq(self.i_table_en),
            tables.i_write_index.eq(self.i_table_index),
            tables.i_write_entry.eq(self.i_table_entry),
            tables.i_table.eq(walk.o_two & at[1].whole),
            tables.i_index.eq(self.o_index),
            self.o_entries.eq(tables.o_entries),
        ]
        for lane in range(config.vector_lanes):
            m.d.sync += self.o_index[lane].eq(self.spad.data[lane] + self.i_pass.offset)
            self._combine(m, lane, walk.o_two, looked_up, multiplies)

        new = data.View(instruction_layout("MAP"), self.i_instruction)
        with m.If(self.i_start):
            m.d.sync += [self.o_busy.eq(1), slot.eq(self.i_slot),
                         multiplies.eq(new.op == MapOp.MULTIPLY)]
        return m

    def _combine(self, m, lane, two, looked_up, multiplies):
        """The first operand waits for the other; alone it is a sum with zero."""
        entry = self.o_entries[lane]
        # a and b, because a multiplier is far from everything
        first, a, b, total, product = (
            Signal(signed(32), name=f"{name}_{lane}", reset_less=True)
            for name in ("first", "a", "b", "total", "product"))
        with m.If(~two):
            m.d.sync += first.eq(0)
        with m.Elif(looked_up.valid & ~looked_up.whole):
            m.d.sync += first.eq(entry)
        m.d.sync += [
            a.eq(first),
            b.eq(entry),
            total.eq(a + b),
            product.eq(a[:16].as_signed() * b[:16].as_signed()),
        ]
        m.d.comb += self.o_values[lane].eq(Mux(multiplies, product, total))
