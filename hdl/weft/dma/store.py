"""The STORE unit: scratchpad into host memory."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, fifo, wiring
from amaranth.lib.wiring import In, Out

from ..bus.axi4 import BURST_INCR, CACHE_BUFFERABLE, Axi4Write
from ..bus.register_slice import RegisterSlice
from ..control.instruction_layout import instruction_layout
from ..control.instruction_register import InstructionRegister
from ..control.unit_interface import UnitSignature
from ..spec import isa
from ..sram.ports import ReadPort
from .planner import BurstPlanner, burst_layout

__all__ = ["StoreUnit"]


class StoreUnit(wiring.Component):
    """Executes STORE and SYNC_STORE, in order, one bus beat a cycle.

    The beat at bus address A is read in one access at ``local + (A - host)``, at any alignment;
    bytes of it that lie outside the row have their strobe low. Burst addresses run ahead of the
    data, up to ``outstanding`` bursts without an answer, across rows and instructions. At most
    :attr:`in_work` instructions are in work at a time.

    ``unit.done`` comes one cycle after the answer to the instruction's last burst. After SLVERR
    or DECERR nothing more is requested and no instruction is taken until reset; bursts whose
    address has gone out get their data, as AXI demands, but the beats not yet read from the
    scratchpad go with all strobes low. ``unit.error_info.addr`` is the address of the burst: the
    bus does not tell which beat it was. ``unit.busy`` falls when the bus owes nothing.

    While ``unit.halt`` is high no instruction is taken and no burst requested; those whose
    address has gone out are carried through with their data.

    ``unit.wait_memory`` and ``unit.conflict`` tell of the cycle before.

    Parameters
    ----------
    config : :class:`Config`
        Bus, burst and memory sizes.
    read_latency : :class:`int`
        Cycles from a request that the scratchpad accepts to its data at the earliest, at least 1.

    Members
    -------
    unit : :py:`In(UnitSignature())`
        Instructions.
    axi : :py:`Out(Axi4Write(...))`
        Writes of host memory.
    spad : :py:`Out(ReadPort(spad_addr_width, bus_bytes))`
        Reads of the scratchpad.
    o_idle : :py:`Out(1)`
        The bus owes nothing, nor does the unit owe it data. Once it is high together with
        ``unit.halt`` it stays high, and the unit can be reset.
    o_bytes : :py:`Out(range(bus_bytes + 1))`
        Bytes with a strobe that the bus accepted in the cycle before.

    Raises
    ------
    ValueError
        If ``read_latency`` is less than 1.
    """

    def __init__(self, config, *, read_latency):
        if read_latency < 1:
            raise ValueError(f"read_latency must be at least 1 cycle, not {read_latency}")
        self.config = config
        self.read_latency = read_latency
        self.in_work = config.outstanding + 6
        super().__init__({
            "unit": In(UnitSignature()),
            "axi": Out(Axi4Write(addr_width=config.addr_width, data_width=config.bus_width)),
            "spad": Out(ReadPort(config.spad_addr_width, config.bus_bytes)),
            "o_idle": Out(1),
            "o_bytes": Out(range(config.bus_bytes + 1)),
        })

    def elaborate(self, platform):
        m = Module()
        unit, axi = self.unit, self.axi
        lane = self.config.beat_offset_width
        outstanding = self.config.outstanding

        m.submodules.planner = planner = BurstPlanner(self.config, 1)
        burst = planner.o.payload
        is_write = burst.tag
        m.submodules.queue = queue = fifo.SyncFIFO(width=burst.shape().size, depth=outstanding)
        answer = data.StructLayout({"beat_addr": burst.beat_addr.shape(), "last": 1, "is_write": 1})
        m.submodules.answers = answers = fifo.SyncFIFO(width=answer.size, depth=outstanding)

        m.submodules.hold = hold = InstructionRegister(["STORE"])
        wiring.connect(m, wiring.flipped(unit.cmd), hold.i)
        copy = data.View(instruction_layout("STORE"), hold.o.payload)
        is_copy = hold.o_is["STORE"]
        stopped = Signal()                              # by halt or by an error
        failed = Signal()
        plan = planner.i.payload
        m.d.comb += [
            stopped.eq(unit.halt | failed),
            hold.i_halt.eq(stopped),
            planner.i.valid.eq(hold.o.valid & ~stopped),
            hold.o.ready.eq(planner.i.ready & ~stopped),
            plan.tag.eq(is_copy),
            plan.host_addr.eq(copy.host_addr),
            plan.host_pitch.eq(copy.host_pitch),
            plan.local_addr.eq(copy.local_addr),
            plan.local_pitch.eq(copy.local_pitch),
            plan.bytes.eq(Mux(is_copy, copy.bytes, 1)),
            plan.count.eq(Mux(is_copy, copy.count, 1)),
        ]

        # an address goes to the bus at the moment the burst joins both queues
        m.submodules.address = address = RegisterSlice(data.StructLayout({
            "addr": burst.beat_addr.shape(), "len": axi.awlen.shape()}))
        owed = Signal(range(outstanding + 1))
        may_owe = Signal()                              # one more, in the next cycle
        may_issue = Signal()
        issue, retire = Signal(), Signal()
        waiting = data.View(answer, answers.w_data)
        m.d.comb += [
            planner.o.ready.eq(may_issue & ~unit.halt & address.i.ready),
            issue.eq(planner.o.valid & planner.o.ready),
            queue.w_data.eq(burst),
            queue.w_en.eq(issue & is_write),
            waiting.beat_addr.eq(burst.beat_addr),
            waiting.last.eq(burst.last),
            waiting.is_write.eq(is_write),
            answers.w_en.eq(issue),
            axi.awsize.eq(lane),
            axi.awburst.eq(BURST_INCR),
            axi.awcache.eq(CACHE_BUFFERABLE),
        ]
        m.d.comb += [
            address.i.valid.eq(issue & is_write),
            address.i.payload.addr.eq(burst.beat_addr),
            address.i.payload.len.eq(burst.len),
            axi.awvalid.eq(address.o.valid),
            axi.awaddr.eq(address.o.payload.addr << lane),
            axi.awlen.eq(address.o.payload.len),
            address.o.ready.eq(axi.awready),
        ]
        with m.If(issue & ~retire):
            m.d.comb += may_owe.eq(owed != outstanding - 1)
            m.d.sync += owed.eq(owed + 1)
        with m.Elif(retire & ~issue):
            m.d.comb += may_owe.eq(1)
            m.d.sync += owed.eq(owed - 1)
        with m.Else():
            m.d.comb += may_owe.eq(owed != outstanding)

        # answers, in order; SYNC_STORE answers itself
        oldest = data.View(answer, answers.r_data)
        fault = Signal()
        m.d.comb += [
            axi.bready.eq(answers.r_rdy & oldest.is_write),
            retire.eq(answers.r_rdy & (axi.bvalid | ~oldest.is_write)),
            fault.eq(retire & oldest.is_write & axi.bresp[1] & ~failed),
            answers.r_en.eq(retire),
        ]
        m.d.sync += may_issue.eq(may_owe & ~stopped & ~fault)
        m.d.sync += [
            unit.done.eq(retire & oldest.last & ~fault & ~failed),
            unit.error.eq(fault),
        ]
        with m.If(fault):
            m.d.sync += [
                failed.eq(1),
                unit.error_info.code.eq(Mux(axi.bresp[0], isa.ErrorCode.BUS_DECERR,
                                            isa.ErrorCode.BUS_SLVERR)),
                unit.error_info.addr.eq(oldest.beat_addr << lane),
            ]

        reading = self._data_side(m, queue, failed)
        m.d.comb += [
            self.o_idle.eq(owed == 0),
            unit.busy.eq(~self.o_idle | unit.done | unit.error
                         | ((hold.o.valid | planner.o_busy) & ~failed)),
        ]
        # what is only counted or reported comes a cycle late and keeps its paths short
        m.d.sync += [
            unit.wait_memory.eq(Mux(axi.wvalid, ~axi.wready,
                                    answers.r_rdy & ~reading & ~axi.bvalid)),
            unit.conflict.eq(self.spad.conflict),
        ]
        return m

    def _data_side(self, m, queue, failed):
        """From the queue of bursts through the scratchpad to the write data."""
        axi, spad = self.axi, self.spad
        bus_bytes = self.config.bus_bytes
        lane = self.config.beat_offset_width

        # read data cannot be put off, so a read is requested only when it has a place: enough
        # places for the way there and back, and a few for the bus to stall without a gap
        places = self.read_latency + 6
        note_layout = data.StructLayout({"strb": bus_bytes, "bytes": lane + 1, "last": 1})
        m.submodules.words = words = fifo.SyncFIFOBuffered(
            width=self.config.bus_width, depth=places)
        m.submodules.notes = notes = fifo.SyncFIFOBuffered(width=note_layout.size, depth=places)
        free = Signal(range(places + 1), init=places)

        now = Signal(burst_layout(self.config, 1))      # the burst whose beats are being read
        now_valid, final, read, sent = Signal(), Signal(), Signal(), Signal()
        tail = Signal(lane)
        note, sending = data.View(note_layout, notes.w_data), data.View(note_layout, notes.r_data)

        m.d.comb += [
            spad.req.valid.eq(now_valid & (free != 0)),
            spad.req.payload.eq(now.local_addr),
            read.eq(spad.req.valid & spad.req.ready),
            final.eq(now.len == 0),
            queue.r_en.eq((read & final) | ~now_valid),
            tail.eq(Mux(final, now.tail, bus_bytes - 1)),
            notes.w_en.eq(read),
            note.last.eq(final),
            words.w_en.eq(spad.valid),
            words.w_data.eq(spad.data),
        ]
        with m.If(~failed):
            m.d.comb += [
                note.strb.eq(Cat((now.head <= index) & (tail >= index)
                                 for index in range(bus_bytes))),
                note.bytes.eq(tail - now.head + 1),
            ]
        m.d.sync += free.eq(free - read + sent)
        with m.If(queue.r_en):
            m.d.sync += [
                now.eq(queue.r_data),
                now_valid.eq(queue.r_rdy),
            ]
        with m.Elif(read):
            m.d.sync += [
                now.len.eq(now.len - 1),
                now.head.eq(0),
                now.local_addr.eq(now.local_addr + bus_bytes),
            ]

        m.d.comb += [
            axi.wvalid.eq(words.r_rdy & notes.r_rdy),
            # a queue's output is unknown until something has been in it
            axi.wdata.eq(Mux(axi.wvalid, words.r_data, 0)),
            axi.wstrb.eq(Mux(axi.wvalid, sending.strb, 0)),
            axi.wlast.eq(axi.wvalid & sending.last),
            sent.eq(axi.wvalid & axi.wready),
            words.r_en.eq(sent),
            notes.r_en.eq(sent),
        ]
        m.d.sync += self.o_bytes.eq(Mux(sent, sending.bytes, 0))
        return now_valid | (free != places)
