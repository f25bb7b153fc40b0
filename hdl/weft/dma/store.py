"""STORE unit: copies from the scratchpad to host memory."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, fifo, wiring
from amaranth.lib.wiring import In, Out

from ..bus.axi4 import Axi4Write
from ..bus.register_slice import RegisterSlice
from ..control.instruction_layout import instruction_layout
from ..control.instruction_register import InstructionRegister
from ..control.unit_interface import UnitSignature
from ..spec import isa
from ..sram.ports import ReadPort
from .burst_issue import count_bursts, send_address
from .planner import BurstPlanner, burst_layout

__all__ = ["StoreUnit"]


class StoreUnit(wiring.Component):
    """Unit that executes STORE and SYNC_STORE in order, one bus beat per cycle.

    The beat at bus address A is read from ``local + (A - host)`` by one access, at any alignment;
    the strobes of bytes outside the row are low. Addresses of bursts are sent ahead of the data,
    across rows and instructions, for up to ``outstanding`` bursts without a response.

    ``unit.done`` is high one cycle after the response to the instruction's last burst. After SLVERR
    or DECERR, nothing more is requested and no instruction is accepted until reset. Bursts whose
    address was sent still send their data, as AXI requires, but all strobes are low for beats that
    had not been read from the scratchpad before the error. ``unit.error_info.addr`` is the address
    of the burst, because the response does not identify the beat. ``unit.busy`` falls when no
    response is outstanding.

    While ``unit.halt`` is high, no instruction is accepted and no burst is requested; bursts whose
    address was sent are completed with their data.

    ``unit.wait_memory`` and ``unit.conflict`` refer to the previous cycle.

    Parameters
    ----------
    config : :class:`Config`
        Bus, burst and memory sizes.
    read_latency : :class:`int`
        Cycles from the acceptance of a request by the scratchpad to its data, without a stall; at
        least 1.

    Attributes
    ----------
    max_in_progress : :class:`int`
        Maximum number of instructions in progress.

    Members
    -------
    unit : :py:`In(UnitSignature())`
        Instructions.
    axi : :py:`Out(Axi4Write(...))`
        Writes of host memory.
    spad : :py:`Out(ReadPort(spad_addr_width, bus_bytes))`
        Reads of the scratchpad.
    o_idle : :py:`Out(1)`
        No response and no write data is outstanding. Once ``o_idle`` and ``unit.halt`` are high
        together, ``o_idle`` stays high, and the unit can be reset.
    o_bytes : :py:`Out(range(bus_bytes + 1))`
        Number of bytes with a strobe that the bus accepted in the previous cycle.

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
        self.max_in_progress = config.outstanding + 6
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
        pending_layout = data.StructLayout({
            "beat_addr": burst.beat_addr.shape(), "last": 1, "is_write": 1})
        m.submodules.pending = pending = fifo.SyncFIFO(
            width=pending_layout.size, depth=outstanding)

        failed = Signal()
        instruction, stopped = self._elaborate_plan(m, planner, failed)

        # the address of a burst goes to the bus in the cycle in which the burst enters both queues
        m.submodules.address = address = RegisterSlice(data.StructLayout({
            "addr": burst.beat_addr.shape(), "len": axi.awlen.shape()}))
        may_issue = Signal()
        issue, retire = Signal(), Signal()
        pending_burst = data.View(pending_layout, pending.w_data)
        m.d.comb += [
            planner.o.ready.eq(may_issue & ~unit.halt & address.i.ready),
            issue.eq(planner.o.valid & planner.o.ready),
            queue.w_data.eq(burst),
            queue.w_en.eq(issue & is_write),
            pending_burst.beat_addr.eq(burst.beat_addr),
            pending_burst.last.eq(burst.last),
            pending_burst.is_write.eq(is_write),
            pending.w_en.eq(issue),
        ]
        send_address(m, axi, "aw", address, burst=burst, en=issue & is_write, lane_bits=lane)
        in_flight, may_issue_next = count_bursts(
            m, issue=issue, retire=retire, limit=outstanding)

        # responses arrive in order; SYNC_STORE has none and retires at once
        oldest = data.View(pending_layout, pending.r_data)
        fault = Signal()
        m.d.comb += [
            axi.bready.eq(pending.r_rdy & oldest.is_write),
            retire.eq(pending.r_rdy & (axi.bvalid | ~oldest.is_write)),
            fault.eq(retire & oldest.is_write & axi.bresp[1] & ~failed),
            pending.r_en.eq(retire),
        ]
        m.d.sync += may_issue.eq(may_issue_next & ~stopped & ~fault)
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

        reading = self._elaborate_data(m, queue, failed)
        m.d.comb += [
            self.o_idle.eq(in_flight == 0),
            unit.busy.eq(~self.o_idle | unit.done | unit.error
                         | ((instruction.o.valid | planner.o_busy) & ~failed)),
        ]
        # registered to keep the paths short; a delay does not matter to performance counters
        m.d.sync += [
            unit.wait_memory.eq(Mux(axi.wvalid, ~axi.wready,
                                    pending.r_rdy & ~reading & ~axi.bvalid)),
            unit.conflict.eq(self.spad.conflict),
        ]
        return m

    def _elaborate_plan(self, m, planner, failed):
        """Send the copies of the instructions to the planner.

        Returns
        -------
        instruction : :class:`InstructionRegister`
        stopped : 1 bit
            No burst may be issued, because of a halt or an error.
        """
        m.submodules.instruction = instruction = InstructionRegister(["STORE"])
        wiring.connect(m, wiring.flipped(self.unit.cmd), instruction.i)
        copy = data.View(instruction_layout("STORE"), instruction.o.payload)
        is_copy = instruction.o_is["STORE"]
        stopped = Signal()
        plan = planner.i.payload
        m.d.comb += [
            stopped.eq(self.unit.halt | failed),
            instruction.i_halt.eq(stopped),
            planner.i.valid.eq(instruction.o.valid & ~stopped),
            instruction.o.ready.eq(planner.i.ready & ~stopped),
            plan.tag.eq(is_copy),
            plan.host_addr.eq(copy.host_addr),
            plan.host_pitch.eq(copy.host_pitch),
            plan.local_addr.eq(copy.local_addr),
            plan.local_pitch.eq(copy.local_pitch),
            plan.bytes.eq(Mux(is_copy, copy.bytes, 1)),
            plan.count.eq(Mux(is_copy, copy.count, 1)),
        ]
        return instruction, stopped

    def _elaborate_data(self, m, queue, failed):
        """Move the beats of the bursts in ``queue`` from the scratchpad to the bus.

        Returns
        -------
        reading : 1 bit
            A beat of these bursts has not been read or not been sent.
        """
        axi, spad = self.axi, self.spad
        bus_bytes = self.config.bus_bytes
        lane = self.config.beat_offset_width

        # Read data cannot be stalled, so a read is requested only if the FIFOs have a free slot for
        # its data. The number of slots covers the read latency, and a few more, so that a short
        # stall of the bus leaves no gap.
        slots = self.read_latency + 6
        info_layout = data.StructLayout({"strb": bus_bytes, "bytes": lane + 1, "last": 1})
        m.submodules.words = words = fifo.SyncFIFOBuffered(
            width=self.config.bus_width, depth=slots)
        m.submodules.infos = infos = fifo.SyncFIFOBuffered(width=info_layout.size, depth=slots)
        free = Signal(range(slots + 1), init=slots)

        burst = Signal(burst_layout(self.config, 1))    # the burst whose beats are being read
        valid, final, read, sent = Signal(), Signal(), Signal(), Signal()
        tail = Signal(lane)
        info, sending = data.View(info_layout, infos.w_data), data.View(info_layout, infos.r_data)

        m.d.comb += [
            spad.req.valid.eq(valid & (free != 0)),
            spad.req.payload.eq(burst.local_addr),
            read.eq(spad.req.valid & spad.req.ready),
            final.eq(burst.len == 0),
            queue.r_en.eq((read & final) | ~valid),
            tail.eq(Mux(final, burst.tail, bus_bytes - 1)),
            infos.w_en.eq(read),
            info.last.eq(final),
            words.w_en.eq(spad.valid),
            words.w_data.eq(spad.data),
        ]
        with m.If(~failed):
            m.d.comb += [
                info.strb.eq(Cat((burst.head <= index) & (tail >= index)
                                 for index in range(bus_bytes))),
                info.bytes.eq(tail - burst.head + 1),
            ]
        m.d.sync += free.eq(free - read + sent)
        with m.If(queue.r_en):
            m.d.sync += [
                burst.eq(queue.r_data),
                valid.eq(queue.r_rdy),
            ]
        with m.Elif(read):
            m.d.sync += [
                burst.len.eq(burst.len - 1),
                burst.head.eq(0),
                burst.local_addr.eq(burst.local_addr + bus_bytes),
            ]

        m.d.comb += [
            axi.wvalid.eq(words.r_rdy & infos.r_rdy),
            # the output of an empty FIFO may be undefined
            axi.wdata.eq(Mux(axi.wvalid, words.r_data, 0)),
            axi.wstrb.eq(Mux(axi.wvalid, sending.strb, 0)),
            axi.wlast.eq(axi.wvalid & sending.last),
            sent.eq(axi.wvalid & axi.wready),
            words.r_en.eq(sent),
            infos.r_en.eq(sent),
        ]
        m.d.sync += self.o_bytes.eq(Mux(sent, sending.bytes, 0))
        return valid | (free != slots)
