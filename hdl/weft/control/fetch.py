"""Reads a program from host memory, ahead of its use."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..bus.axi4 import BURST_INCR, CACHE_BUFFERABLE, RESP_DECERR, RESP_SLVERR, Axi4Read
from ..bus.memory_queue import MemoryQueue
from ..spec import isa
from ..vendor.lut_ram import in_tables
from .layouts import FETCHED, WINDOWS
from .window_check import WindowCheck

__all__ = ["Fetcher"]

LINE_BITS = (isa.INSTRUCTION_BYTES - 1).bit_length()
"""Of an address, those inside an instruction."""


class Fetcher(wiring.Component):
    """Streams the instructions of a program, in order, with their indices.

    Up to ``PREFETCH`` instructions are asked for before they are taken; a burst holds up to
    ``burst_instructions`` of them and crosses no 4 KiB line. Each instruction's address is
    checked against the windows before a burst with it leaves. The first error takes the place
    of its instruction in the stream, after all earlier ones, and ends the stream: an address
    outside the windows with READ (``HOST_WINDOW``) or a beat with SLVERR or DECERR
    (``BUS_SLVERR``, ``BUS_DECERR`` and the offset of the beat).

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`

    Members
    -------
    axi : :py:`Out(Axi4Read(...))`
        ``rready`` is always high: there is room for every beat that was asked for.
    i_start : :py:`In(1)`
        High for one cycle, when the last program's stream has been taken to its end or after a
        reset: begin.
    i_addr : :py:`In(33)`, ``i_count`` : :py:`In(32)`
        Host address of the first instruction, a multiple of 32, and how many there are.
        Stable from two cycles before ``i_start`` to the stream's end.
    i_windows : :py:`In(WINDOWS)`
    i_halt : :py:`In(1)`
        Start no burst any more, until reset.
    o : :py:`Out(stream.Signature(FETCHED))`
    o_idle : :py:`Out(1)`
        No address is on the bus and no beat is owed.
    o_waiting : :py:`Out(1)`
        Host memory owes the next instruction.
    """

    PREFETCH = 8
    MAX_GROUP = 4

    def __init__(self, config):
        self.config = config
        self.beats = 8 * isa.INSTRUCTION_BYTES // config.bus_width
        self.burst_instructions = max(1, min(self.MAX_GROUP, config.max_burst // self.beats))
        self.parts = max(1, self.beats // config.max_burst)
        """Bursts for one instruction, where ``max_burst`` is shorter than an instruction."""
        super().__init__({
            "axi": Out(Axi4Read(addr_width=config.addr_width, data_width=config.bus_width)),
            "i_start": In(1),
            "i_addr": In(33),
            "i_count": In(32),
            "i_windows": In(WINDOWS),
            "i_halt": In(1),
            "o": Out(stream.Signature(FETCHED)),
            "o_idle": Out(1),
            "o_waiting": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        axi = self.axi
        group, parts = self.burst_instructions, self.parts
        m.submodules.beats = beats = MemoryQueue(
            self.config.bus_width + 2, depth=self.PREFETCH * self.beats,
            attrs=in_tables(self.config.multiplier))
        m.submodules.windows = windows = WindowCheck(self.config, width=33)

        # -- asking ------------------------------------------------------------------------------
        # below 2 ** addr_width there are no more instructions than these can count
        count_width = self.config.addr_width - LINE_BITS + 1
        asked = Signal(count_width)         # instructions for which a burst has been formed
        is_last = Signal()                  # the next instruction to check is the program's last,
        all_asked = Signal()                # and was
        addr = Signal(33)                   # of the next instruction to check
        line = Signal(33 - LINE_BITS)
        following = Signal(count_width + 1)
        reserved = Signal(range(self.PREFETCH + 1))
        grouped = Signal(range(group + 1))
        settle = Signal(range(windows.LATENCY + 1))
        opening = Signal()                  # a program begins with a burst of one, to begin soon
        fault = Signal()
        deliver = Signal()                  # an instruction leaves the prefetch store
        # asked stands still for longer than this takes before is_last is looked at
        m.d.sync += is_last.eq(following == self.i_count)
        m.d.comb += [
            following.eq(asked + 1),
            line.eq(self.i_addr[LINE_BITS:] + asked),
            addr.eq(Cat(Const(0, LINE_BITS), line)),
            windows.i_start.eq(addr),
            windows.i_last.eq(Cat(Const(isa.INSTRUCTION_BYTES - 1, LINE_BITS), line)),
            windows.i_windows.eq(self.i_windows),
        ]

        part_beats = self.beats // parts    # of one burst and one instruction
        part = Signal(range(max(2, parts)))
        burst_beats = Signal(range(group * self.beats + 1))
        m.d.comb += [
            burst_beats.eq(grouped * part_beats),
            axi.arlen.eq(burst_beats - 1),
            axi.arsize.eq(self.config.beat_offset_width),
            axi.arburst.eq(BURST_INCR),
            axi.arcache.eq(CACHE_BUFFERABLE),
        ]
        form = Signal()
        with m.FSM() as fsm:
            m.d.comb += axi.arvalid.eq(fsm.ongoing("ISSUE"))
            with m.State("IDLE"):
                # the first address has been looked at already
                m.d.sync += [asked.eq(0), settle.eq(0), grouped.eq(0), opening.eq(1)]
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
                # a burst begins only when there is room for a whole one
                with m.Elif((grouped != 0) | (reserved <= self.PREFETCH - group)):
                    m.d.comb += form.eq(1)
                    with m.If(grouped == 0):
                        m.d.sync += axi.araddr.eq(addr)
                    m.d.sync += [asked.eq(following), all_asked.eq(is_last),
                                 grouped.eq(grouped + 1), settle.eq(windows.LATENCY)]
                    at_line_end = addr[5:12].all()
                    with m.If((grouped == group - 1) | at_line_end | opening
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
                        with m.Elif(all_asked):
                            m.next = "IDLE"
                        with m.Else():
                            m.next = "CHECK"
            with m.State("HALTED"):
                pass
        # a place is free a cycle later than it could be: whether a beat is good comes late
        delivered = Signal()
        m.d.sync += [delivered.eq(deliver), reserved.eq(reserved + form - delivered)]

        # -- what the bus owes -------------------------------------------------------------------
        owed = Signal(range(self.PREFETCH * self.beats + 1))
        asks = axi.arvalid & axi.arready
        m.d.sync += owed.eq(owed + Mux(asks, burst_beats, 0) - (axi.rvalid & axi.rready))
        m.d.comb += [
            axi.rready.eq(1),
            beats.i_en.eq(axi.rvalid),
            beats.i.eq(Cat(axi.rdata, axi.rresp)),
            self.o_idle.eq(~axi.arvalid & (owed == 0)),
            self.o_waiting.eq(~self.o.valid & (axi.arvalid | (owed != 0))),
        ]

        self._assemble(m, beats, asked, fault, deliver)
        return m

    def _assemble(self, m, beats, asked, fault, deliver):
        """Beats to instructions, and errors to their place among them."""
        o = self.o
        index = Signal.like(asked)      # of the instruction that is being put together
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
        with m.Elif(fault & ~failed & (index == asked) & (~o.valid | o.ready)):
            m.d.sync += [o.valid.eq(1), failed.eq(1), o.payload.index.eq(index),
                         o.payload.offset.eq(0), o.payload.code.eq(isa.ErrorCode.HOST_WINDOW)]
        with m.If(self.i_start):
            m.d.sync += index.eq(0)
