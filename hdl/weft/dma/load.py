"""LOAD unit: copies from host memory to scratchpad and weight buffer, and FILL."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, fifo, wiring
from amaranth.lib.wiring import In, Out

from ..bus.axi4 import Axi4Read
from ..bus.register_slice import RegisterSlice
from ..control.instruction_layout import instruction_layout
from ..control.instruction_register import InstructionRegister
from ..control.unit_interface import UnitSignature
from ..spec import isa
from ..sram.ports import WritePort
from .burst_issue import count_bursts, send_address
from .load_beat import CurrentBeat, Target, burst_tag
from .planner import BurstPlanner
from .ring import RingSignature, RingWriter

__all__ = ["LoadUnit"]


class LoadUnit(wiring.Component):
    """Unit that executes LOAD, LOAD_WGT, FILL and SYNC_LOAD in order, one bus beat per cycle.

    The beat at bus address A is written to ``local + (A - host)`` by one access, because the
    memories accept a write at any byte address; a mask excludes bytes outside the row. Misalignment
    therefore costs nothing but the partly used beats at both ends of a row. Bursts are requested
    while fewer than ``outstanding`` are in flight, across rows and instructions, so that the data
    of an instruction follows that of the previous one without a gap.

    ``unit.done`` is the memory's ``done`` for the last write of the instruction; for SYNC_LOAD, the
    unit sends the scratchpad a write with all bytes masked. The last write of an instruction is
    delayed while a last write to the other memory is not done, so that instructions complete in
    order. After SLVERR or DECERR on a beat, nothing more is written or requested, outstanding beats
    are discarded, and no instruction is accepted until reset. ``unit.error_info.addr`` is the bus
    address of that beat. ``unit.busy`` falls when no beat is outstanding.

    While ``unit.halt`` is high, no instruction is accepted and no burst is requested; an address
    that is already on the bus remains there, and beats that arrive are written.

    ``unit.wait_memory`` and ``unit.conflict`` refer to the previous cycle.

    Parameters
    ----------
    config : :class:`Config`
        Bus, burst and memory sizes.

    Attributes
    ----------
    max_in_progress : :class:`int`
        Maximum number of instructions in progress.

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
        No beat is outstanding, and the memories have accepted all writes. Once ``o_idle`` and
        ``unit.halt`` are high together, ``o_idle`` stays high, and the unit can be reset.
    ring : :py:`Out(RingSignature(config))`
        With the fixed-point instructions, of which the unit executes LOAD_RING: its fill level.
    i_ring_clear : :py:`In(1)`
        Empty the ring. Allowed only while no instruction is in progress.
    """

    def __init__(self, config):
        self.config = config
        self.max_in_progress = config.outstanding + 6
        super().__init__({
            "unit": In(UnitSignature()),
            "axi": Out(Axi4Read(addr_width=config.addr_width, data_width=config.bus_width)),
            "spad": Out(WritePort(config.spad_addr_width, config.bus_bytes)),
            "wgt": Out(WritePort(config.wgt_addr_width, config.bus_bytes)),
            "o_idle": Out(1),
            **({"ring": Out(RingSignature(config)), "i_ring_clear": In(1)}
               if config.fixed_point else {}),
        })

    def elaborate(self, platform):
        m = Module()
        unit, axi = self.unit, self.axi
        lane = self.config.beat_offset_width

        m.submodules.planner = planner = BurstPlanner(self.config, burst_tag(self.config))
        burst = planner.o.payload
        m.submodules.queue = queue = fifo.SyncFIFO(
            width=burst.shape().size, depth=self.config.outstanding)

        failed = Signal()
        instruction, stopped = self._elaborate_plan(m, planner, failed)

        # the address of a burst goes to the bus in the cycle in which the burst enters the queue
        m.submodules.address = address = RegisterSlice(data.StructLayout({
            "addr": burst.beat_addr.shape(), "len": axi.arlen.shape()}))
        may_issue = Signal()
        issue, retire = Signal(), Signal()
        is_read = Signal()
        may_request, ring = may_issue & ~unit.halt & address.i.ready, None
        if self.config.fixed_point:
            m.submodules.ring = ring = RingWriter(self.config, burst.shape())
            wiring.connect(m, ring.ring, wiring.flipped(self.ring))
            may_request &= ring.o_ready | ~burst.tag.ring
            m.d.comb += [ring.i_burst.eq(burst), ring.i_issue.eq(issue & burst.tag.ring),
                         ring.i_clear.eq(self.i_ring_clear)]
        m.d.comb += [
            planner.o.ready.eq(may_request),
            issue.eq(planner.o.valid & planner.o.ready),
            is_read.eq((burst.tag.target == Target.SPAD) | (burst.tag.target == Target.WGT)),
            queue.w_data.eq(burst),
            queue.w_en.eq(issue),
        ]
        send_address(m, axi, "ar", address, burst=burst, en=issue & is_read, lane_bits=lane)
        in_flight, may_issue_next = count_bursts(
            m, issue=issue, retire=retire, limit=self.config.outstanding)

        fault = Signal()
        unfinished = self._elaborate_data(m, queue, failed, fault, retire, ring)
        m.d.sync += may_issue.eq(may_issue_next & ~stopped & ~fault)
        m.d.comb += [
            self.o_idle.eq(in_flight == 0),
            unit.busy.eq(~self.o_idle | unfinished
                         | ((instruction.o.valid | planner.o_busy) & ~failed)),
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
        ring = ["LOAD_RING"] if self.config.fixed_point else []
        m.submodules.instruction = instruction = InstructionRegister(
            ["LOAD", "LOAD_WGT", "FILL", *ring])
        wiring.connect(m, wiring.flipped(self.unit.cmd), instruction.i)
        copy = data.View(instruction_layout("LOAD"), instruction.o.payload)
        fill = data.View(instruction_layout("FILL"), instruction.o.payload)
        target = Signal(Target)
        from_bus = Signal()
        is_weights = instruction.o_is["LOAD_WGT"]
        if ring:
            is_weights = is_weights | instruction.o_is["LOAD_RING"]
            m.d.comb += planner.i.payload.tag.ring.eq(instruction.o_is["LOAD_RING"])
        with m.If(instruction.o_is["LOAD"]):
            m.d.comb += target.eq(Target.SPAD)
        with m.Elif(is_weights):
            m.d.comb += target.eq(Target.WGT)
        with m.Elif(instruction.o_is["FILL"]):
            m.d.comb += target.eq(Target.FILL)
        with m.Else():
            m.d.comb += target.eq(Target.NONE)

        stopped = Signal()
        plan = planner.i.payload
        m.d.comb += [
            stopped.eq(self.unit.halt | failed),
            from_bus.eq((target == Target.SPAD) | (target == Target.WGT)),
            instruction.i_halt.eq(stopped),
            planner.i.valid.eq(instruction.o.valid & ~stopped),
            instruction.o.ready.eq(planner.i.ready & ~stopped),
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
        return instruction, stopped

    def _elaborate_data(self, m, queue, failed, fault, retire, ring):
        """Move the beats of the bursts in ``queue`` to the memories, and report errors.

        Returns
        -------
        unfinished : 1 bit
            All beats of an instruction have been transferred, or one has failed, and the unit has
            not reported it yet.
        """
        unit, axi = self.unit, self.axi
        bus_bytes = self.config.bus_bytes
        lane = self.config.beat_offset_width
        burst_bits = self.config.burst_index_width

        beat = CurrentBeat(self.config)
        offer, transfer, bad_response = Signal(), Signal(), Signal()
        next_burst = data.View(beat.burst.shape(), queue.r_data)
        next_is_wgt = next_burst.tag.target == Target.WGT
        may_end, ready = Signal(), Signal()

        m.d.comb += [
            ready.eq(Mux(beat.is_wgt, self.wgt.req.ready, self.spad.req.ready)),
            offer.eq(beat.valid & (may_end | ~beat.ends)),
            transfer.eq(offer & ready & (axi.rvalid | ~beat.is_read)),
            bad_response.eq(beat.is_read & axi.rresp[1] & ~failed),
            axi.rready.eq(offer & ready & beat.is_read),
            retire.eq(transfer & beat.final),
            queue.r_en.eq(retire | ~beat.valid),
            beat.tail.eq(Mux(beat.final, beat.burst.tail, bus_bytes - 1)),
        ]
        # registered to keep the paths short; a delay does not matter to performance counters
        m.d.sync += [
            unit.wait_memory.eq(beat.valid & beat.is_read & ~axi.rvalid),
            unit.conflict.eq(self.spad.conflict | self.wgt.conflict),
        ]
        with m.If(queue.r_en):
            m.d.sync += [
                beat.burst.eq(next_burst),
                beat.valid.eq(queue.r_rdy),
                beat.is_read.eq((next_burst.tag.target == Target.SPAD)
                                | (next_burst.tag.target == Target.WGT)),
                beat.is_write.eq(next_burst.tag.target != Target.NONE),
                beat.is_wgt.eq(next_is_wgt),
                beat.final.eq(next_burst.len == 0),
                beat.ends.eq(next_burst.last & (next_burst.len == 0)),
            ]
        with m.Elif(transfer):
            m.d.sync += [
                beat.burst.len.eq(beat.burst.len - 1),
                beat.final.eq(beat.burst.len == 1),
                beat.ends.eq(beat.burst.last & (beat.burst.len == 1)),
                beat.burst.head.eq(0),
                beat.burst.local_addr.eq(beat.burst.local_addr + bus_bytes),
                # a burst stays inside a block of max_burst beats
                beat.burst.beat_addr[:burst_bits].eq(beat.burst.beat_addr[:burst_bits] + 1),
            ]

        # number of last writes of instructions that are not done; all go to the same memory
        pending_count, pending, pending_is_wgt = Signal(range(8)), Signal(), Signal()
        ends_now = transfer & beat.ends & ~bad_response & ~failed
        m.d.comb += unit.done.eq(self.spad.done | self.wgt.done)
        # may_end: the next beat, of this burst or of the next one, may end an instruction
        same_memory = pending_is_wgt == beat.is_wgt
        with m.If(queue.r_en):
            m.d.sync += may_end.eq(
                failed | ~pending & ~(beat.valid & beat.ends)
                | (next_is_wgt == beat.is_wgt) & (same_memory | ~pending) & (pending_count < 3))
        with m.Else():
            m.d.sync += may_end.eq(failed | ~pending | same_memory & (pending_count < 4))
        with m.If(ends_now):
            m.d.sync += pending_is_wgt.eq(beat.is_wgt)
        with m.If(ends_now & ~unit.done):
            m.d.sync += [pending_count.eq(pending_count + 1), pending.eq(1)]
        with m.If(~ends_now & unit.done):
            m.d.sync += [pending_count.eq(pending_count - 1), pending.eq(pending_count != 1)]

        # an error is reported once all earlier instructions are done
        reported = Signal()
        m.d.comb += unit.error.eq(failed & ~reported & ~pending)
        m.d.sync += reported.eq(failed & ~pending)
        m.d.comb += fault.eq(transfer & bad_response)
        with m.If(fault):
            m.d.sync += [
                failed.eq(1),
                unit.error_info.code.eq(Mux(axi.rresp[0], isa.ErrorCode.BUS_DECERR,
                                            isa.ErrorCode.BUS_SLVERR)),
                unit.error_info.addr.eq(beat.burst.beat_addr << lane),
            ]
        self._elaborate_writes(m, beat, offer, ~bad_response & ~failed)
        if ring is not None:
            of_ring = beat.burst.tag.ring
            m.d.comb += [ring.i_write.eq(transfer & of_ring), ring.i_head.eq(beat.burst.head),
                         ring.i_tail.eq(beat.tail)]
            with m.If(of_ring):
                m.d.comb += self.wgt.req.payload.addr.eq(ring.o_addr)
        return pending | (failed & ~reported)

    def _elaborate_writes(self, m, beat, offer, good):
        """Send the beat to its memory. Unless it is ``good``, the write changes no byte.

        A beat with an error, and every later beat, is still sent as a write request, because the
        ``ready`` of a port may depend on its ``valid``.
        """
        for port, selected in ((self.spad, ~beat.is_wgt), (self.wgt, beat.is_wgt)):
            write = port.req.payload
            m.d.comb += [
                port.req.valid.eq(offer & selected & (self.axi.rvalid | ~beat.is_read)),
                write.addr.eq(beat.burst.local_addr),
                write.last.eq(beat.ends & good),
                write.mask.eq(Cat((beat.burst.head <= index) & (beat.tail >= index) & beat.is_write
                                  & good for index in range(self.config.bus_bytes))),
                write.data.as_value().eq(
                    Mux(beat.is_read, self.axi.rdata,
                        beat.burst.tag.value.replicate(self.config.bus_bytes))),
            ]
