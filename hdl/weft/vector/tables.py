"""Memories for tables A and B, and the reader of TABLE, which loads them."""

from amaranth.hdl import Cat, Module, Signal, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out, flipped
from amaranth.utils import exact_log2

from ..control.instruction_layout import instruction_layout
from ..control.unit_interface import INSTRUCTION_SHAPE
from ..sram.ports import ReadPort

__all__ = ["TableReader", "Tables"]

ENTRIES = 256


class TableReader(wiring.Component):
    """Reader that executes TABLE instructions, one entry per cycle.

    An instruction takes 256 cycles, plus the latency of the scratchpad. A clear zeroes both tables,
    multiplier and shift, and its counter can clear other memories of up to 512 entries.

    Parameters
    ----------
    config : :class:`Config`

    Members
    -------
    i_start : :py:`In(1)`
        Start the instruction in ``i_instruction``. Not allowed while ``o_busy`` is high.
    i_instruction : :py:`In(256)`
        A validated TABLE.
    o_busy : :py:`Out(1)`
        High from the cycle after ``i_start`` to the cycle of ``o_done``.
    o_done : :py:`Out(1)`
        High for one cycle. The tables contain all entries from the next cycle on.
    o_multiplier, o_shift : :py:`Out(31)`, :py:`Out(6)`
        Multiplier and shift of the last TABLE. A reset does not change them, nor the tables.
    spad : :py:`Out(ReadPort(spad_addr_width, 4))`
        Reads of the entries.
    o_en, o_index, o_entry : :py:`Out(1)`, :py:`Out(9)`, :py:`Out(32)`
        Write of an entry of :class:`Tables`.
    i_clear : :py:`In(1)`
        Set everything to zero. It stays high until ``o_clearing`` has risen and fallen again; no
        instruction is in progress in the meantime. After a reset, the clear starts again.
    o_clearing, o_clear_index : :py:`Out(1)`, :py:`Out(9)`
        A clear is in progress: high from the cycle after ``i_clear``. The index counts the entries,
        and while ``o_clearing`` is high it takes every value.
    """

    def __init__(self, config):
        self.addr_width = config.spad_addr_width
        super().__init__({
            "i_start": In(1),
            "i_instruction": In(INSTRUCTION_SHAPE),
            "o_busy": Out(1),
            "o_done": Out(1),
            "o_multiplier": Out(31),
            "o_shift": Out(6),
            "spad": Out(ReadPort(self.addr_width, 4)),
            "o_en": Out(1),
            "o_index": Out(range(2 * ENTRIES)),
            "o_entry": Out(32),
            "i_clear": In(1),
            "o_clearing": Out(1),
            "o_clear_index": Out(range(2 * ENTRIES)),
        })

    def elaborate(self, platform):
        m = Module()
        new = data.View(instruction_layout("TABLE"), self.i_instruction)
        spad = flipped(self.spad)

        requesting = Signal()
        addr = Signal(self.addr_width)
        requested, last_request = Signal(range(ENTRIES)), Signal()
        m.d.comb += [spad.req.valid.eq(requesting), spad.req.payload.eq(addr)]
        with m.If(spad.req.valid & spad.req.ready):
            m.d.sync += [addr.eq(addr + 4), requested.eq(requested + 1),
                         last_request.eq(requested == ENTRIES - 2)]
            with m.If(last_request):
                m.d.sync += requesting.eq(0)

        # entry of table A, or of table B from 256 on
        index = self.o_clear_index
        multiplier, shift = Signal(31, reset_less=True), Signal(6, reset_less=True)
        m.d.comb += [self.o_multiplier.eq(multiplier), self.o_shift.eq(shift)]
        m.d.sync += [
            self.o_en.eq(spad.valid | self.o_clearing),
            self.o_entry.eq(Cat(spad.data)),
            self.o_index.eq(index),
            self.o_done.eq(spad.valid & index[:exact_log2(ENTRIES)].all()),
        ]
        with m.If(spad.valid | self.o_clearing):
            m.d.sync += index.eq(index + 1)
        with m.If(self.o_done):
            m.d.sync += self.o_busy.eq(0)

        with m.If(self.i_start):
            m.d.sync += [
                self.o_busy.eq(1), requesting.eq(1), addr.eq(new.table_addr),
                requested.eq(0), last_request.eq(0), index.eq(new.table << exact_log2(ENTRIES)),
                multiplier.eq(new.multiplier), shift.eq(new.shift),
            ]

        cleared = Signal()
        m.d.sync += self.o_clearing.eq(self.i_clear & ~cleared)
        with m.If(self.o_clearing):
            m.d.sync += [self.o_entry.eq(0), multiplier.eq(0), shift.eq(0)]
        with m.Elif(self.i_clear):
            m.d.sync += index.eq(0)
        with m.If(~self.i_clear):
            m.d.sync += cleared.eq(0)
        with m.Elif(self.o_clearing & index.all()):
            m.d.sync += cleared.eq(1)
        return m


class Tables(wiring.Component):
    """Memory with a copy of both tables for each lane, so that all lanes can read in every cycle.

    The read of an entry that is written in the same cycle is undefined.

    Parameters
    ----------
    lanes : :class:`int`
        Number of lanes.

    Members
    -------
    i_write_en, i_write_index, i_write_entry : :py:`In(1)`, :py:`In(9)`, :py:`In(32)`
        Write of an entry in all lanes. Bit 8 of the index selects the table.
    i_table : :py:`In(1)`
        Read table B; otherwise table A.
    i_index : :py:`In(ArrayLayout(8, lanes))`
        Index of the entry of each lane.
    o_entries : :py:`Out(ArrayLayout(signed(32), lanes))`
        Entries, ``LATENCY`` cycles after the indices.
    """

    LATENCY = 2

    def __init__(self, lanes):
        self.lanes = lanes
        super().__init__({
            "i_write_en": In(1),
            "i_write_index": In(range(2 * ENTRIES)),
            "i_write_entry": In(32),
            "i_table": In(1),
            "i_index": In(data.ArrayLayout(8, lanes)),
            "o_entries": Out(data.ArrayLayout(signed(32), lanes)),
        })

    def elaborate(self, platform):
        m = Module()
        for lane in range(self.lanes):
            # the read of an entry that is written in the same cycle is undefined, which saves logic
            m.submodules[f"lane_{lane}"] = lane_memory = memory.Memory(
                shape=32, depth=2 * ENTRIES, init=[], attrs={"no_rw_check": 1})
            read, write = lane_memory.read_port(), lane_memory.write_port()
            m.d.comb += [
                read.en.eq(1),
                read.addr.eq(Cat(self.i_index[lane], self.i_table)),
                write.en.eq(self.i_write_en),
                write.addr.eq(self.i_write_index),
                write.data.eq(self.i_write_entry),
            ]
            # output registers, because the block RAM alone takes most of a short clock period
            m.d.sync += self.o_entries[lane].eq(read.data)
        return m
