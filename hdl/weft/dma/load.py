"""The LOAD unit: host memory into scratchpad and weight buffer, and fill."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, enum, fifo, wiring
from amaranth.lib.wiring import In, Out

from ..bus.axi4 import BURST_INCR, CACHE_BUFFERABLE, Axi4Read
from ..bus.slice import RegisterSlice
from ..control.instruction_layout import instruction_layout
from ..control.instruction_register import InstructionHold
from ..control.unit_interface import UnitSignature
from ..spec import isa
from ..sram.ports import WritePort
from .planner import BurstPlanner, burst_layout

__all__ = ["LoadUnit"]


class Target(enum.Enum, shape=2):
    """Where the bytes of a burst come from and go to."""

    SPAD = 0        # bus to scratchpad
    WGT = 1         # bus to weight buffer
    FILL = 2        # one value to scratchpad
    NONE = 3        # nowhere: SYNC_LOAD, which only keeps its place in the order


TAG = data.StructLayout({"target": Target, "value": 8})


class LoadUnit(wiring.Component):
    """Executes LOAD, LOAD_WGT, FILL and SYNC_LOAD, in order, one bus beat a cycle.

    The memories take a write at any byte address, so alignment costs nothing but the partly
    used beats at both ends of a row: the beat at bus address A goes to ``local + (A - host)``
    under a mask. Bursts are requested as long as fewer than ``outstanding`` are in flight,
    across rows and instructions, so data of one instruction follows that of the one before
    without a gap. At most :attr:`in_work` instructions are in work at a time.

    ``unit.done`` is the memory's ``done`` of the instruction's last write; so SYNC_LOAD sends
    the scratchpad a write without a byte. An instruction's last write is not sent while one of the
    other memory's is not done, so that they are done in order. After SLVERR or DECERR on a beat
    nothing more is written or requested, what the bus owes is discarded, and no instruction is
    taken until reset; ``unit.error_info.addr`` is the bus address of that beat. ``unit.busy`` falls
    when the bus owes nothing.

    While ``unit.halt`` is high no instruction is taken and no burst requested; an address that is
    on the bus stays there, and beats that arrive are written as ever.

    ``unit.wait_memory`` and ``unit.conflict`` tell of the cycle before.

    Parameters
    ----------
    config : :class:`Config`
        Bus, burst and memory sizes.

    Members
    -------
    unit : :py:`In(UnitSignature())`
        Instructions.
    axi : :py:`Out(Axi4Read(...))`
        Reads of host memory.
    spad : :py:`Out(WritePort(spad_addr_width, bus_bytes))`
        Writes of the scratchpad.
    wgt : :py:`Out(WritePort(wgt_addr_width, bus_bytes))`
        Writes of the weight buffer.
    o_idle : :py:`Out(1)`
        The bus owes nothing and all writes are in the hands of their memory. Once it is high
        together with ``unit.halt`` it stays high, and the unit can be reset.
    """

    def __init__(self, config):
        self.config = config
        self.in_work = config.outstanding + 6
        super().__init__({
            "unit": In(UnitSignature()),
            "axi": Out(Axi4Read(addr_width=config.addr_width, data_width=config.bus_width)),
            "spad": Out(WritePort(config.spad_addr_width, config.bus_bytes)),
            "wgt": Out(WritePort(config.wgt_addr_width, config.bus_bytes)),
            "o_idle": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        unit, axi = self.unit, self.axi
        lane = self.config.beat_offset_width

        m.submodules.planner = planner = BurstPlanner(self.config, TAG)
        burst = planner.o.payload
        m.submodules.queue = queue = fifo.SyncFIFO(
            width=burst.shape().size, depth=self.config.outstanding)

        # instruction to copy
        m.submodules.hold = hold = InstructionHold(["LOAD", "LOAD_WGT", "FILL"])
        wiring.connect(m, wiring.flipped(unit.cmd), hold.i)
        copy = data.View(instruction_layout("LOAD"), hold.o.payload)
        fill = data.View(instruction_layout("FILL"), hold.o.payload)
        target = Signal(Target)
        from_bus = Signal()
        with m.If(hold.o_is["LOAD"]):
            m.d.comb += target.eq(Target.SPAD)
        with m.Elif(hold.o_is["LOAD_WGT"]):
            m.d.comb += target.eq(Target.WGT)
        with m.Elif(hold.o_is["FILL"]):
            m.d.comb += target.eq(Target.FILL)
        with m.Else():
            m.d.comb += target.eq(Target.NONE)

        stopped = Signal()                              # by halt or by an error
        failed = Signal()
        plan = planner.i.payload
        m.d.comb += [
            stopped.eq(unit.halt | failed),
            from_bus.eq((target == Target.SPAD) | (target == Target.WGT)),
            hold.i_halt.eq(stopped),
            planner.i.valid.eq(hold.o.valid & ~stopped),
            hold.o.ready.eq(planner.i.ready & ~stopped),
            plan.tag.target.eq(target),
            plan.tag.value.eq(fill.value),
            plan.local_addr.eq(copy.local_addr),
            plan.local_pitch.eq(copy.local_pitch),
            plan.bytes.eq(copy.bytes),
            plan.count.eq(copy.count),
        ]
        with m.If(from_bus):
            m.d.comb += [
                plan.host_addr.eq(copy.host_addr),
                plan.host_pitch.eq(copy.host_pitch),
            ]
        with m.If(target == Target.NONE):
            m.d.comb += [plan.bytes.eq(1), plan.count.eq(1)]

        # a burst's address goes to the bus at the moment its description goes to the queue
        m.submodules.address = address = RegisterSlice(data.StructLayout({
            "addr": burst.beat_addr.shape(), "len": axi.arlen.shape()}))
        owed = Signal(range(self.config.outstanding + 1))
        may_owe = Signal()                              # one more, in the next cycle
        may_issue = Signal()
        issue, retire = Signal(), Signal()
        is_read = Signal()
        m.d.comb += [
            planner.o.ready.eq(may_issue & ~unit.halt & address.i.ready),
            issue.eq(planner.o.valid & planner.o.ready),
            is_read.eq((burst.tag.target == Target.SPAD) | (burst.tag.target == Target.WGT)),
            queue.w_data.eq(burst),
            queue.w_en.eq(issue),
            axi.arsize.eq(lane),
            axi.arburst.eq(BURST_INCR),
            axi.arcache.eq(CACHE_BUFFERABLE),
        ]
        m.d.comb += [
            address.i.valid.eq(issue & is_read),
            address.i.payload.addr.eq(burst.beat_addr),
            address.i.payload.len.eq(burst.len),
            axi.arvalid.eq(address.o.valid),
            axi.araddr.eq(address.o.payload.addr << lane),
            axi.arlen.eq(address.o.payload.len),
            address.o.ready.eq(axi.arready),
        ]
        with m.If(issue & ~retire):
            m.d.comb += may_owe.eq(owed != self.config.outstanding - 1)
            m.d.sync += owed.eq(owed + 1)
        with m.Elif(retire & ~issue):
            m.d.comb += may_owe.eq(1)
            m.d.sync += owed.eq(owed - 1)
        with m.Else():
            m.d.comb += may_owe.eq(owed != self.config.outstanding)

        fails = Signal()
        unfinished = self._data_side(m, queue, failed, fails, retire)
        m.d.sync += may_issue.eq(may_owe & ~stopped & ~fails)
        m.d.comb += [
            self.o_idle.eq(owed == 0),
            unit.busy.eq(~self.o_idle | unfinished
                         | ((hold.o.valid | planner.o_busy) & ~failed)),
        ]
        return m

    def _data_side(self, m, queue, failed, fails, retire):
        """From the queue of bursts and the read data to the memories; whether an instruction whose
        last beat was taken is neither done nor failed."""
        unit, axi = self.unit, self.axi
        bus_bytes = self.config.bus_bytes
        lane = self.config.beat_offset_width
        burst_bits = self.config.burst_index_width

        now = Signal(burst_layout(self.config, TAG))    # the burst whose beats are due
        now_valid, now_is_read, now_is_write, now_is_wgt = Signal(), Signal(), Signal(), Signal()
        now_ends = Signal()                             # this beat ends the instruction
        final, offer, take, fault = Signal(), Signal(), Signal(), Signal()
        coming = data.View(now.shape(), queue.r_data)
        coming_is_wgt = coming.tag.target == Target.WGT
        may_end, ready = Signal(), Signal()
        tail = Signal(lane)

        m.d.comb += [
            ready.eq(Mux(now_is_wgt, self.wgt.req.ready, self.spad.req.ready)),
            offer.eq(now_valid & (may_end | ~now_ends)),
            take.eq(offer & ready & (axi.rvalid | ~now_is_read)),
            fault.eq(now_is_read & axi.rresp[1] & ~failed),
            axi.rready.eq(offer & ready & now_is_read),
            retire.eq(take & final),
            queue.r_en.eq(retire | ~now_valid),
            tail.eq(Mux(final, now.tail, bus_bytes - 1)),
        ]
        # what is only counted or reported comes a cycle late and keeps its paths short
        m.d.sync += [
            unit.wait_memory.eq(now_valid & now_is_read & ~axi.rvalid),
            unit.conflict.eq(self.spad.conflict | self.wgt.conflict),
        ]
        with m.If(queue.r_en):
            m.d.sync += [
                now.eq(coming),
                now_valid.eq(queue.r_rdy),
                now_is_read.eq((coming.tag.target == Target.SPAD)
                               | (coming.tag.target == Target.WGT)),
                now_is_write.eq(coming.tag.target != Target.NONE),
                now_is_wgt.eq(coming_is_wgt),
                final.eq(coming.len == 0),
                now_ends.eq(coming.last & (coming.len == 0)),
            ]
        with m.Elif(take):
            m.d.sync += [
                now.len.eq(now.len - 1),
                final.eq(now.len == 1),
                now_ends.eq(now.last & (now.len == 1)),
                now.head.eq(0),
                now.local_addr.eq(now.local_addr + bus_bytes),
                # a burst stays inside a block of max_burst beats
                now.beat_addr[:burst_bits].eq(now.beat_addr[:burst_bits] + 1),
            ]

        # writes at the end of an instruction that are not done: all are of one memory
        open_count, open_some, open_is_wgt = Signal(range(8)), Signal(), Signal()
        ends = take & now_ends & ~fault & ~failed
        m.d.comb += unit.done.eq(self.spad.done | self.wgt.done)
        # the next beat may end an instruction, whether it is of this burst or of the coming one
        ours = open_is_wgt == now_is_wgt
        with m.If(queue.r_en):
            m.d.sync += may_end.eq(
                failed | ~open_some & ~(now_valid & now_ends)
                | (coming_is_wgt == now_is_wgt) & (ours | ~open_some) & (open_count < 3))
        with m.Else():
            m.d.sync += may_end.eq(failed | ~open_some | ours & (open_count < 4))
        with m.If(ends):
            m.d.sync += open_is_wgt.eq(now_is_wgt)
        with m.If(ends & ~unit.done):
            m.d.sync += [open_count.eq(open_count + 1), open_some.eq(1)]
        with m.If(~ends & unit.done):
            m.d.sync += [open_count.eq(open_count - 1), open_some.eq(open_count != 1)]

        # an error is told when all instructions before its own are done
        told = Signal()
        m.d.comb += unit.error.eq(failed & ~told & ~open_some)
        m.d.sync += told.eq(failed & ~open_some)
        m.d.comb += fails.eq(take & fault)
        with m.If(fails):
            m.d.sync += [
                failed.eq(1),
                unit.error_info.code.eq(Mux(axi.rresp[0], isa.ErrorCode.BUS_DECERR,
                                            isa.ErrorCode.BUS_SLVERR)),
                unit.error_info.addr.eq(now.beat_addr << lane),
            ]
        # a beat that is taken after an error, or with one, is a write without a byte: a port may be
        # ready for a request only
        writes = ~fault & ~failed
        for port, hit in ((self.spad, ~now_is_wgt), (self.wgt, now_is_wgt)):
            write = port.req.payload
            m.d.comb += [
                port.req.valid.eq(offer & hit & (axi.rvalid | ~now_is_read)),
                write.addr.eq(now.local_addr),
                write.last.eq(now_ends & writes),
                write.mask.eq(Cat((now.head <= index) & (tail >= index) & now_is_write & writes
                                  for index in range(bus_bytes))),
                write.data.as_value().eq(
                    Mux(now_is_read, axi.rdata, now.tag.value.replicate(bus_bytes))),
            ]
        return open_some | (failed & ~told)
