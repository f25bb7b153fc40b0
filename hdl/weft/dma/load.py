"""LOAD unit: copies from host memory to scratchpad and weight buffer, and FILL."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, fifo, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from ..bus.axi4 import Axi4Read
from ..bus.register_slice import RegisterSlice
from ..control.unit_interface import UnitSignature
from ..spec import isa
from ..sram.ports import UpperWrite, WritePort
from ..sram.ring_interface import RingSignature
from .burst_issue import count_bursts, send_address
from .expander import WeightExpander
from .load_beat import CurrentBeat, Target, burst_tag, from_host
from .load_plan import plan_copies
from .planner import BurstPlanner
from .ring import RingWriter

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
    wgt_upper : :py:`Out(UpperWrite(bus_bytes))`
        With ``weights_4bit`` and two tile lines: the second half of writes of the weight buffer.
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
            **({"wgt_upper": Out(UpperWrite(config.bus_bytes))}
               if config.weights_4bit and config.tile_lines > 1 else {}),
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
        instruction, stopped = plan_copies(m, self.config, unit, planner, failed)

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
            is_read.eq(from_host(burst.tag.target)),
            queue.w_data.eq(burst),
            queue.w_en.eq(issue),
        ]
        send_address(m, axi, "ar", address, burst=burst, en=issue & is_read, lane_bits=lane)
        in_flight, may_issue_next = count_bursts(
            m, issue=issue, retire=retire, limit=self.config.outstanding)

        fault = Signal()
        idle = in_flight == 0
        self._expander = None
        if self.config.weights_4bit:
            m.submodules.expander = self._expander = WeightExpander(self.config)
            idle = idle & ~self._expander.o_busy
        unfinished = self._elaborate_data(m, queue, failed, fault, retire, ring)
        m.d.sync += may_issue.eq(may_issue_next & ~stopped & ~fault)
        m.d.comb += [
            self.o_idle.eq(idle),
            unit.busy.eq(~self.o_idle | unfinished
                         | ((instruction.o.valid | planner.o_busy) & ~failed)),
        ]
        return m

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
            ready.eq(Mux(beat.is_wgt, self._wgt_ready(beat), self.spad.req.ready)),
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
                beat.is_read.eq(from_host(next_burst.tag.target)),
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
            m.d.comb += [ring.i_write.eq(transfer & of_ring & ~bad_response & ~failed),
                         ring.i_head.eq(beat.burst.head), ring.i_tail.eq(beat.tail)]
            with m.If(of_ring):
                m.d.comb += self.wgt.req.payload.addr.eq(ring.o_addr)
        if self._expander is not None:
            self._elaborate_expansion(m, beat, offer, ~bad_response & ~failed, ring)
        return pending | (failed & ~reported)

    def _wgt_ready(self, beat):
        """Return 1 bit, high if the next beat can go to the weight buffer, or to the expander."""
        if self._expander is None:
            return self.wgt.req.ready
        return Mux(beat.burst.tag.packed, self._expander.i.ready,
                   self.wgt.req.ready & ~self._expander.o_busy)

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

    def _elaborate_expansion(self, m, beat, offer, good, ring):
        """Send the beats of LOAD_RING_4BIT through the expander to the weight buffer.

        Other beats for the weight buffer wait until the expander is empty. Beats with an error, and
        later ones, do not enter it.
        """
        expander, write = self._expander, self.wgt.req
        out = expander.o.payload
        packed = beat.burst.tag.packed
        m.d.comb += [
            expander.i.valid.eq(offer & packed & self.axi.rvalid & good),
            expander.i.payload.data.as_value().eq(self.axi.rdata),
            expander.i.payload.last.eq(beat.ends),
            expander.o.ready.eq(write.ready),
            ring.i_dropped.eq(expander.o_dropped),
        ]
        with m.If(packed | expander.o_busy):
            m.d.comb += [
                write.valid.eq(expander.o.valid),
                ring.i_write.eq(expander.o.valid & write.ready & out.write & out.final),
            ]
        with m.If(expander.o_busy):
            m.d.comb += [
                write.payload.addr.eq(ring.o_pair_addr),
                write.payload.mask.eq(out.write.replicate(self.config.bus_bytes)),
                write.payload.last.eq(out.last),
                write.payload.data.eq(out.data[:self.config.bus_bytes]),
                ring.i_pair.eq(1),
            ]
        if self.config.tile_lines > 1:
            m.d.comb += [self.wgt_upper.en.eq(expander.o_busy),
                         self.wgt_upper.data.eq(out.data[self.config.bus_bytes:])]
        else:
            with m.If(expander.o_busy & out.upper):
                m.d.comb += write.payload.addr[exact_log2(self.config.tile_bytes) - 1].eq(1)
