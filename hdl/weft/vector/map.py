"""Reader of MAP and SOFTMAX, which looks up bytes of the scratchpad in tables of int32."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, fifo, wiring
from amaranth.lib.wiring import In, Out

from ..control.instruction_layout import instruction_layout
from ..control.unit_interface import INSTRUCTION_SHAPE
from ..spec.isa import MapOp
from ..sram.ports import ReadPort
from .drain import Step
from .row_addresses import RowAddressGenerator
from .tables import Tables

__all__ = ["MAP_READING", "MapReader", "Reading", "StepFlags"]

IN_FLIGHT = 16          # outstanding reads

Reading = data.StructLayout({"pause": 1, "repeat": 1, "emit": 1, "offset": 8})
"""Parameters of one reading of a row. ``pause``: wait for ``i_next`` after the reading. ``repeat``:
the next reading is of the same row. ``emit``: send the steps to the lanes. ``offset`` is added to
each byte, and the sum modulo 256 is the index of its entry."""

MAP_READING = {"pause": 0, "repeat": 0, "emit": 1, "offset": 0x80}
"""Parameters of all readings of MAP. The offset is 128, because entry 0 is for byte -128."""

StepFlags = data.StructLayout({"valid": 1, "ends_reading": 1, "ends_all": 1})
"""Flags that accompany the data of a step: the data is ``valid``, the step is the last one of a
reading, and the step is the last one of the instruction's last reading."""


class MapReader(wiring.Component):
    """Reader that looks up the bytes of rows in the tables, and sends the results to the lanes.

    One step is read per cycle, or one per two cycles with two operands. A step is read only if the
    output queue has space for it. ``i_reading`` must not change from the start of a reading of a
    row until its last data has arrived.

    Parameters
    ----------
    config : :class:`Config`

    Members
    -------
    i_start : :py:`In(1)`
        Start the instruction in ``i_instruction``. Not allowed while ``o_busy`` is high.
    i_instruction : :py:`In(256)`
        A validated MAP or SOFTMAX.
    i_settings : :py:`In(1)`
        Index of the settings for the steps of this instruction.
    o_busy : :py:`Out(1)`
        High from the cycle after ``i_start`` to the cycle in which the last data arrives.
    i_reading : :py:`In(Reading)`
        Parameters of the current reading.
    i_next : :py:`In(1)`
        Start the next reading after a pause.
    spad : :py:`Out(ReadPort(spad_addr_width, vector_lanes))`
        Reads of the operands.
    i_table_en, i_table_index, i_table_entry
        Write of an entry of :class:`Tables`.
    i_space : :py:`In(1)`
        The output queue has space for a step. A reservation affects this input two cycles later.
    o_reserve : :py:`Out(1)`
        Reserve an entry of the output queue for a step.
    o_index : :py:`Out(ArrayLayout(8, lanes))`, ``o_indexed`` : :py:`Out(StepFlags)`
        Indices of the entries of a step, one cycle after the data of the step.
    o_entries : :py:`Out(ArrayLayout(signed(32), lanes))`, ``o_looked_up`` : :py:`Out(StepFlags)`
        Entries of a step, ``Tables.LATENCY`` cycles after their indices.
    o_step : :py:`Out(Step(config))`
        The step for the lanes, one cycle after ``o_looked_up``, if the reading has ``emit``.
    o_values : :py:`Out(ArrayLayout(signed(32), lanes))`
        Values of the step of the previous cycle.
    """

    def __init__(self, config):
        self.config = config
        lanes = config.vector_lanes
        super().__init__({
            "i_start": In(1),
            "i_instruction": In(INSTRUCTION_SHAPE),
            "i_settings": In(1),
            "o_busy": Out(1),
            "i_reading": In(Reading),
            "i_next": In(1),
            "spad": Out(ReadPort(config.spad_addr_width, lanes)),
            "i_table_en": In(1),
            "i_table_index": In(9),
            "i_table_entry": In(32),
            "i_space": In(1),
            "o_reserve": Out(1),
            "o_index": Out(data.ArrayLayout(8, lanes)),
            "o_indexed": Out(StepFlags),
            "o_entries": Out(data.ArrayLayout(signed(32), lanes)),
            "o_looked_up": Out(StepFlags),
            "o_step": Out(Step(config)),
            "o_values": Out(data.ArrayLayout(signed(32), lanes)),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.addresses = addresses = RowAddressGenerator(config)
        m.submodules.tables = tables = Tables(config.vector_lanes)
        tag_layout = data.StructLayout({"ends_step": 1, "ends_reading": 1, "ends_all": 1})
        m.submodules.tags = tags = fifo.SyncFIFO(width=tag_layout.size, depth=IN_FLIGHT)

        # the queue contains a tag for each read whose data is outstanding
        accept = Signal()
        retry = Signal()            # the request of the previous cycle was stalled
        may_request = Signal()
        tag_space = Signal()        # computed one cycle ahead, with an entry in reserve
        read = addresses.o.payload
        tag_in = Signal(tag_layout)
        m.d.comb += [
            addresses.i_start.eq(self.i_start),
            addresses.i_instruction.eq(self.i_instruction),
            addresses.i_pause.eq(self.i_reading.pause),
            addresses.i_repeat.eq(self.i_reading.repeat),
            addresses.i_next.eq(self.i_next),
            may_request.eq((tag_space & self.i_space) | retry),
            self.spad.req.valid.eq(addresses.o.valid & may_request),
            self.spad.req.payload.eq(read.addr),
            accept.eq(self.spad.req.valid & self.spad.req.ready),
            addresses.o.ready.eq(may_request & self.spad.req.ready),
            tag_in.ends_step.eq(read.ends_step),
            tag_in.ends_reading.eq(read.ends_reading),
            tag_in.ends_all.eq(read.ends_all),
            tags.w_en.eq(accept),
            tags.w_data.eq(tag_in),
            tags.r_en.eq(self.spad.valid),
        ]
        m.d.sync += [
            tag_space.eq(tags.level < IN_FLIGHT - 1),
            retry.eq(self.spad.req.valid & ~self.spad.req.ready),
            self.o_reserve.eq(accept & read.ends_step & self.i_reading.emit),
        ]

        # flags that accompany the data, which arrives in stage 0
        stage = data.StructLayout({
            "valid": 1, "ends_step": 1, "ends_reading": 1, "ends_all": 1, "emit": 1})
        at = [Signal(stage, name=f"s{age}") for age in range(3 + Tables.LATENCY)]
        tag = data.View(tag_layout, tags.r_data)
        m.d.comb += [
            at[0].valid.eq(self.spad.valid),
            at[0].ends_step.eq(tag.ends_step),
            at[0].ends_reading.eq(tag.ends_reading),
            at[0].ends_all.eq(tag.ends_all),
            at[0].emit.eq(self.i_reading.emit),
        ]
        m.d.sync += [later.eq(earlier) for earlier, later in zip(at, at[1:])]
        looked_up, leaves = at[1 + Tables.LATENCY:]
        with m.If(at[0].valid & at[0].ends_all):
            m.d.sync += self.o_busy.eq(0)
        for flags, source in ((self.o_indexed, at[1]), (self.o_looked_up, looked_up)):
            m.d.comb += [flags.valid.eq(source.valid),
                         flags.ends_reading.eq(source.ends_reading),
                         flags.ends_all.eq(source.ends_all)]

        settings, multiplies = Signal(), Signal()
        m.d.comb += [
            self.o_step.valid.eq(leaves.valid & leaves.ends_step & leaves.emit),
            self.o_step.map.eq(1),
            self.o_step.settings.eq(settings),
            tables.i_write_en.eq(self.i_table_en),
            tables.i_write_index.eq(self.i_table_index),
            tables.i_write_entry.eq(self.i_table_entry),
            tables.i_table.eq(addresses.o_two & at[1].ends_step),
            tables.i_index.eq(self.o_index),
            self.o_entries.eq(tables.o_entries),
        ]
        for lane in range(config.vector_lanes):
            m.d.sync += self.o_index[lane].eq(self.spad.data[lane] + self.i_reading.offset)
            self._combine(m, lane, addresses.o_two, looked_up, multiplies)

        new = data.View(instruction_layout("MAP"), self.i_instruction)
        with m.If(self.i_start):
            m.d.sync += [self.o_busy.eq(1), settings.eq(self.i_settings),
                         multiplies.eq(new.op == MapOp.MULTIPLY)]
        return m

    def _combine(self, m, lane, two, looked_up, multiplies):
        """Combine the entries of a lane into its value.

        Without a second operand, the entry is added to 0.
        """
        entry = self.o_entries[lane]
        # a and b are registers, because a multiplier is far from all other logic
        first, a, b, total, product = (
            Signal(signed(32), name=f"{name}_{lane}", reset_less=True)
            for name in ("first", "a", "b", "total", "product"))
        with m.If(~two):
            m.d.sync += first.eq(0)
        with m.Elif(looked_up.valid & ~looked_up.ends_step):
            m.d.sync += first.eq(entry)
        m.d.sync += [
            a.eq(first),
            b.eq(entry),
            total.eq(a + b),
            product.eq(a[:16].as_signed() * b[:16].as_signed()),
        ]
        m.d.comb += self.o_values[lane].eq(Mux(multiplies, product, total))
