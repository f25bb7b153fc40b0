"""Instruction fetch: prefetch of a program from host memory."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..bus.axi4 import BURST_INCR, CACHE_BUFFERABLE, RESP_DECERR, RESP_SLVERR, Axi4Read
from ..bus.memory_queue import MemoryQueue
from ..spec import isa
from ..vendor.lut_ram import lut_ram_attributes
from .layouts import FETCHED_INSTRUCTION, WINDOW_ARRAY
from .window_check import WindowCheck

__all__ = ["Fetcher"]

OFFSET_BITS = (isa.INSTRUCTION_BYTES - 1).bit_length()
"""Bits of the offset of a byte in an instruction."""


class Fetcher(wiring.Component):
    """Fetch unit that outputs a program's instructions in order, with their indices.

    Up to ``PREFETCH`` instructions are requested ahead. A burst contains up to
    ``burst_instructions`` instructions and does not cross a 4 KiB boundary. The address of every
    instruction is checked against the windows before its burst starts.

    The first error replaces its instruction in the stream, after all earlier instructions, and ends
    the stream: an address outside the windows with READ (``HOST_WINDOW``), or a beat with SLVERR or
    DECERR (``BUS_SLVERR``, ``BUS_DECERR`` and the offset of the beat).

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`

    Members
    -------
    axi : :py:`Out(Axi4Read(...))`
        ``rready`` is always high: every outstanding beat has a reserved entry in the queue.
    i_start : :py:`In(1)`
        High for one cycle: start a stream. Allowed after a reset, and after the previous stream has
        been read to its end.
    i_addr : :py:`In(33)`, ``i_count`` : :py:`In(32)`
        Host address of the first instruction, a multiple of 32, and number of instructions.
        Stable from two cycles before ``i_start`` to the end of the stream.
    i_windows : :py:`In(WINDOW_ARRAY)`
    i_halt : :py:`In(1)`
        Start no further burst until reset.
    o : :py:`Out(stream.Signature(FETCHED_INSTRUCTION))`
    o_idle : :py:`Out(1)`
        There is no address on the bus and no outstanding beat.
    o_waiting : :py:`Out(1)`
        The next instruction has been requested from host memory and is not complete.
    """

    PREFETCH = 8        # instructions
    MAX_GROUP = 4       # instructions per burst

    def __init__(self, config):
        self.config = config
        self.beats = 8 * isa.INSTRUCTION_BYTES // config.bus_width
        self.burst_instructions = max(1, min(self.MAX_GROUP, config.max_burst // self.beats))
        self.parts = max(1, self.beats // config.max_burst)
        """Bursts per instruction, where ``max_burst`` is shorter than an instruction."""
        super().__init__({
            "axi": Out(Axi4Read(addr_width=config.addr_width, data_width=config.bus_width)),
            "i_start": In(1),
            "i_addr": In(33),
            "i_count": In(32),
            "i_windows": In(WINDOW_ARRAY),
            "i_halt": In(1),
            "o": Out(stream.Signature(FETCHED_INSTRUCTION)),
            "o_idle": Out(1),
            "o_waiting": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.beats = beats = MemoryQueue(
            self.config.bus_width + 2, depth=self.PREFETCH * self.beats,
            attrs=lut_ram_attributes(self.config.multiplier))
        m.submodules.windows = windows = WindowCheck(self.config, width=33)

        # enough bits to count all instructions that fit into 2 ** addr_width bytes
        count_width = self.config.addr_width - OFFSET_BITS + 1
        requested = Signal(count_width)     # instructions that are part of a burst
        fault = Signal()                    # the next instruction lies outside the windows
        deliver = Signal()                  # an instruction leaves the prefetch queue
        burst_beats = self._request(m, windows, requested, fault, deliver)
        self._collect(m, beats, burst_beats)
        self._assemble(m, beats, requested, fault, deliver)
        return m

    def _request(self, m, windows, requested, fault, deliver):
        """Check addresses and issue bursts. Return the number of beats of the current burst."""
        axi = self.axi
        group, parts = self.burst_instructions, self.parts
        is_last = Signal()                  # the next instruction to check is the program's last
        all_requested = Signal()            # the program's last instruction has been checked
        addr = Signal(33)                   # address of the next instruction to check
        line = Signal(33 - OFFSET_BITS)
        following = Signal(len(requested) + 1)
        reserved = Signal(range(self.PREFETCH + 1))     # entries of the queue, in instructions
        grouped = Signal(range(group + 1))              # instructions in the current burst
        settle = Signal(range(windows.LATENCY + 1))
        opening = Signal()      # the first burst has one instruction, to start the program early
        # can be registered: `requested` is stable for longer before is_last is used
        m.d.sync += is_last.eq(following == self.i_count)
        m.d.comb += [
            following.eq(requested + 1),
            line.eq(self.i_addr[OFFSET_BITS:] + requested),
            addr.eq(Cat(Const(0, OFFSET_BITS), line)),
            windows.i_start.eq(addr),
            windows.i_last.eq(Cat(Const(isa.INSTRUCTION_BYTES - 1, OFFSET_BITS), line)),
            windows.i_windows.eq(self.i_windows),
        ]

        part_beats = self.beats // parts    # beats of one instruction in one burst
        part = Signal(range(max(2, parts)))
        burst_beats = Signal(range(group * self.beats + 1))
        m.d.comb += [
            burst_beats.eq(grouped * part_beats),
            axi.arlen.eq(burst_beats - 1),
            axi.arsize.eq(self.config.beat_offset_width),
            axi.arburst.eq(BURST_INCR),
            axi.arcache.eq(CACHE_BUFFERABLE),
        ]
        append = Signal()       # the checked instruction becomes part of the current burst
        with m.FSM() as fsm:
            m.d.comb += axi.arvalid.eq(fsm.ongoing("ISSUE"))
            with m.State("IDLE"):
                # the check of the first address is already complete
                m.d.sync += [requested.eq(0), settle.eq(0), grouped.eq(0), opening.eq(1)]
                with m.If(self.i_start):
                    with m.If(self.i_count != 0):
                        m.next = "CHECK"
            with m.State("CHECK"):
                with m.If(self.i_halt):
                    m.next = "HALTED"
                with m.Elif(settle != 0):
                    m.d.sync += settle.eq(settle - 1)
                with m.Elif(~windows.o_inside):
                    m.d.sync += fault.eq(1)
                    with m.If(grouped == 0):
                        m.next = "HALTED"
                    with m.Else():
                        m.next = "ISSUE"
                # a burst starts only if a burst of maximum length fits into the queue
                with m.Elif((grouped != 0) | (reserved <= self.PREFETCH - group)):
                    m.d.comb += append.eq(1)
                    with m.If(grouped == 0):
                        m.d.sync += axi.araddr.eq(addr)
                    m.d.sync += [requested.eq(following), all_requested.eq(is_last),
                                 grouped.eq(grouped + 1), settle.eq(windows.LATENCY)]
                    at_boundary = addr[5:12].all()      # the last instruction of a 4 KiB page
                    with m.If((grouped == group - 1) | at_boundary | opening
                              | is_last):
                        m.next = "ISSUE"
            with m.State("ISSUE"):
                with m.If(axi.arready):
                    if parts > 1:
                        m.d.sync += axi.araddr.eq(axi.araddr
                                                  + part_beats * self.config.bus_bytes)
                    with m.If(part != parts - 1):
                        m.d.sync += part.eq(part + 1)
                        with m.If(self.i_halt):
                            m.next = "HALTED"
                    with m.Else():
                        m.d.sync += [part.eq(0), grouped.eq(0), opening.eq(0)]
                        with m.If(fault):
                            m.next = "HALTED"
                        with m.Elif(all_requested):
                            m.next = "IDLE"
                        with m.Else():
                            m.next = "CHECK"
            with m.State("HALTED"):
                pass
        # an entry is freed one cycle after its delivery, off the path from a beat's response
        delivered = Signal()
        m.d.sync += [delivered.eq(deliver), reserved.eq(reserved + append - delivered)]
        return burst_beats

    def _collect(self, m, beats, burst_beats):
        """Store arriving beats in the queue ``beats``, and count the outstanding ones."""
        axi = self.axi
        outstanding = Signal(range(self.PREFETCH * self.beats + 1))
        issued = axi.arvalid & axi.arready
        m.d.sync += outstanding.eq(outstanding + Mux(issued, burst_beats, 0)
                                   - (axi.rvalid & axi.rready))
        m.d.comb += [
            axi.rready.eq(1),
            beats.i_en.eq(axi.rvalid),
            beats.i.eq(Cat(axi.rdata, axi.rresp)),
            self.o_idle.eq(~axi.arvalid & (outstanding == 0)),
            self.o_waiting.eq(~self.o.valid & (axi.arvalid | (outstanding != 0))),
        ]

    def _assemble(self, m, beats, requested, fault, deliver):
        """Assemble instructions from ``beats``, and insert errors at their positions."""
        o = self.o
        index = Signal.like(requested)  # index of the instruction that is being assembled
        beat = Signal(range(max(2, self.beats)))
        failed = Signal()               # an error has been delivered, or is about to be
        take = Signal()
        m.d.comb += [
            take.eq(beats.o.valid & ~failed & (~o.valid | o.ready)),
            beats.o.ready.eq(take),
        ]
        bits = beats.o.payload
        data, response = bits[:self.config.bus_width], bits[self.config.bus_width:]
        is_error = Signal()
        m.d.comb += is_error.eq((response == RESP_SLVERR) | (response == RESP_DECERR))
        with m.If(o.valid & o.ready):
            m.d.sync += o.valid.eq(0)
        with m.If(take):
            m.d.sync += [
                o.payload.word.eq(Cat(o.payload.word, data)[self.config.bus_width:]),
                o.payload.index.eq(index),
                o.payload.offset.eq(0),
                o.payload.code.eq(isa.ErrorCode.NONE),
                beat.eq(beat + 1),
            ]
            with m.If(is_error):
                code = Mux(response == RESP_SLVERR, isa.ErrorCode.BUS_SLVERR,
                           isa.ErrorCode.BUS_DECERR)
                m.d.sync += [o.valid.eq(1), failed.eq(1), o.payload.code.eq(code),
                             o.payload.offset.eq(beat * self.config.bus_bytes)]
            with m.Elif(beat == self.beats - 1):
                m.d.comb += deliver.eq(1)
                m.d.sync += [o.valid.eq(1), beat.eq(0), index.eq(index + 1)]
        with m.Elif(fault & ~failed & (index == requested) & (~o.valid | o.ready)):
            m.d.sync += [o.valid.eq(1), failed.eq(1), o.payload.index.eq(index),
                         o.payload.offset.eq(0), o.payload.code.eq(isa.ErrorCode.HOST_WINDOW)]
        with m.If(self.i_start):
            m.d.sync += index.eq(0)
