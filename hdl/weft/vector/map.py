"""Reader of MAP and SOFTMAX: looks bytes of the scratchpad up in tables of int32."""

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
"""Parameters of a reading of a row: ``pause`` after it, ``repeat`` the row afterwards, ``emit``
its steps to the lanes, and add ``offset`` to each byte to obtain the index of its entry."""

MAP_READING = {"pause": 0, "repeat": 0, "emit": 1, "offset": 0x80}
"""Reading of rows by MAP: entry 0 belongs to byte -128."""

StepFlags = data.StructLayout({"valid": 1, "ends_reading": 1, "ends_all": 1})
"""Flags beside the data of a step: there is one (``valid``), it is the last of a reading of a row,
and it is the last of the instruction's last reading."""


class MapReader(wiring.Component):
    """Reader that looks the bytes of rows up and sends the results to the lanes.

    A step is read every cycle, with two operands every second cycle. A step is sent to the lanes
    only if the output queue has space for it. ``i_reading`` must not change from the start of a
    reading of a row until its last data has arrived.

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
        Settings that the steps of this instruction select.
    o_busy : :py:`Out(1)`
        From the cycle after ``i_start`` to that of the last data.
    i_reading : :py:`In(Reading)`, ``i_next`` : :py:`In(1)`
        Parameters of the reading; start the next reading after a pause.
    spad : :py:`Out(ReadPort(spad_addr_width, vector_lanes))`
    i_table_en, i_table_index, i_table_entry
        An entry for :class:`Tables`.
    i_space : :py:`In(1)`
        The output queue has space. A reservation is included two cycles later.
    o_reserve : :py:`Out(1)`
        Reserve an entry of the output queue for a step.
    o_index : :py:`Out(ArrayLayout(8, lanes))`, ``o_indexed`` : :py:`Out(StepFlags)`
        Indices of the entries of a step, in every reading, one cycle after the step's data.
    o_entries : :py:`Out(ArrayLayout(signed(32), lanes))`, ``o_looked_up`` : :py:`Out(StepFlags)`
        The entries, ``Tables.LATENCY`` cycles after their indices.
    o_step : :py:`Out(Step(config))`
        One cycle after ``o_looked_up``, if the step is sent to the lanes.
    o_values : :py:`Out(ArrayLayout(signed(32), lanes))`
        The values of the step of the previous cycle.
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

        # a tag waits for the data of each read
        accept = Signal()
        retry = Signal()            # the request of the previous cycle was stalled
        may_request = Signal()
        tag_space = Signal()        # computed a cycle ahead, including the tag of that cycle
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

        # flags beside the data; in stage 0 the data of a read arrives
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
        """Combine the entries of a lane; an operand without a second one is added to zero."""
        entry = self.o_entries[lane]
        # registers a and b, because a multiplier is far from all other logic
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
