"""Planner that splits a two-dimensional copy into bus bursts."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["BurstPlanner", "burst_layout", "copy_layout"]


def copy_layout(config, tag_shape):
    """Return the layout of a copy of ``count`` rows of ``bytes`` bytes.

    The host side and the local side each have the address of the first row and a pitch, the
    distance between rows. All three are in bytes.
    """
    return data.StructLayout({
        "host_addr": config.addr_width,
        "host_pitch": config.addr_width,
        "local_addr": config.local_addr_width,
        "local_pitch": config.local_addr_width,
        "bytes": config.local_addr_width + 1,
        "count": 16,
        "tag": tag_shape,
    })


def burst_layout(config, tag_shape):
    """Return the layout of a burst: its beats, and the bytes in them that belong to the copy.

    The burst has ``len`` + 1 beats from ``beat_addr`` on, a host address in beats. The bytes of the
    copy begin at byte lane ``head`` of the first beat and end with byte lane ``tail`` of the last.
    ``local_addr`` is the local byte address of lane 0 of the first beat, modulo the size of the
    memory; it may be before the first byte of the copy. ``last`` marks the last burst of a copy.
    """
    lane = config.beat_offset_width
    return data.StructLayout({
        "beat_addr": config.addr_width - lane,
        "len": 8,
        "local_addr": config.local_addr_width,
        "head": lane,
        "tail": lane,
        "last": 1,
        "tag": tag_shape,
    })


class BurstPlanner(wiring.Component):
    """Converter of copies to bursts of whole beats, one burst per cycle, rows in order.

    A burst ends at the end of its row, or at a host address that is a multiple of ``max_burst``
    beats, which is a power of two of at most 4 KiB. No burst therefore crosses a 4 KiB boundary,
    and only the first and the last burst of a row can have fewer than ``max_burst`` beats. Rows do
    not share bursts.

    The first burst of a copy is valid ``LATENCY`` cycles after the copy is accepted.

    Parameters
    ----------
    config : :class:`Config`
        Bus, burst and memory sizes.
    tag_shape : shape-like
        Shape of the tag that is copied from each copy to its bursts.

    Members
    -------
    i : :py:`In(stream.Signature(copy_layout(config, tag_shape)))`
        Copies; ``count`` and ``bytes`` are at least 1.
    o : :py:`Out(stream.Signature(burst_layout(config, tag_shape)))`
        Bursts of the copies.
    o_busy : :py:`Out(1)`
        A copy is in progress: not all of its bursts have been accepted.
    """

    LATENCY = 3         # from i accepted to o.valid, in cycles

    def __init__(self, config, tag_shape):
        self.config = config
        self.tag_shape = tag_shape
        super().__init__({
            "i": In(stream.Signature(copy_layout(config, tag_shape))),
            "o": Out(stream.Signature(burst_layout(config, tag_shape))),
            "o_busy": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        bus_bytes = self.config.bus_bytes
        lane = self.config.beat_offset_width
        burst_bits = self.config.burst_index_width
        beats_shape = self.config.local_addr_width + 1      # 2^n bytes span at most 2^n + 1 beats

        # rows: s1_ is the next row of the copy, s2_ is the row before, with its number of beats
        copy, burst = self.i.payload, self.o.payload
        s1_valid, s1_last = Signal(), Signal()
        s1 = Signal.like(copy)
        s1_final_byte = Signal.like(copy.bytes)         # index of the last byte in its row
        s1_end = Signal(len(s1_final_byte) + 1)
        s2_valid, s2_last = Signal(), Signal()
        s2_beat_addr = Signal.like(burst.beat_addr)
        s2_local_addr = Signal.like(burst.local_addr)
        s2_left = Signal(beats_shape)                   # beats of the row, minus 1
        s2_head, s2_tail = Signal(lane), Signal(lane)
        s2_tag = Signal.like(copy.tag)

        # bursts: s3_ is the remainder of a row
        s3_valid, s3_last, s3_final = Signal(), Signal(), Signal()
        s3 = Signal.like(burst)
        s3_left = Signal(beats_shape)
        s3_to_boundary = Signal(burst_bits)                    # beats up to the boundary, minus 1
        rest = Signal(beats_shape)                      # beats of the row after this burst, minus 1

        s3_ready, s2_ready = Signal(), Signal()
        m.d.comb += [
            s3_ready.eq(~s3_valid | (self.o.ready & s3_final)),
            s2_ready.eq(~s2_valid | s3_ready),
            self.i.ready.eq(~s1_valid),
            self.o_busy.eq(s1_valid | s2_valid | s3_valid),
            s1_end.eq(s1.host_addr[:lane] + s1_final_byte),
            s1_last.eq(s1.count == 1),
        ]

        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [
                s1_valid.eq(1),
                s1.eq(copy),
                s1_final_byte.eq(copy.bytes - 1),
            ]
        with m.Elif(s2_ready & s1_valid):
            m.d.sync += [
                s1_valid.eq(~s1_last),
                s1.count.eq(s1.count - 1),
                s1.host_addr.eq(s1.host_addr + s1.host_pitch),
                s1.local_addr.eq(s1.local_addr + s1.local_pitch),
            ]

        with m.If(s2_ready):
            m.d.sync += [
                s2_valid.eq(s1_valid),
                s2_last.eq(s1_last),
                s2_beat_addr.eq(s1.host_addr[lane:]),
                s2_local_addr.eq(s1.local_addr - s1.host_addr[:lane]),
                s2_left.eq(s1_end[lane:]),
                s2_head.eq(s1.host_addr[:lane]),
                s2_tail.eq(s1_end[:lane]),
                s2_tag.eq(s1.tag),
            ]

        m.d.comb += [
            s3_to_boundary.eq(~s3.beat_addr[:burst_bits]),
            rest.eq(s3_left - s3_to_boundary - 1),
            self.o.valid.eq(s3_valid),
            burst.eq(s3),
            burst.len.eq(Mux(s3_final, s3_left, s3_to_boundary)),
            burst.tail.eq(Mux(s3_final, s3.tail, bus_bytes - 1)),
            burst.last.eq(s3_final & s3_last),
        ]
        with m.If(s3_ready):
            m.d.sync += [
                s3_valid.eq(s2_valid),
                s3_last.eq(s2_last),
                s3_final.eq(s2_left <= ~s2_beat_addr[:burst_bits]),
                s3_left.eq(s2_left),
                s3.beat_addr.eq(s2_beat_addr),
                s3.local_addr.eq(s2_local_addr),
                s3.head.eq(s2_head),
                s3.tail.eq(s2_tail),
                s3.tag.eq(s2_tag),
            ]
        with m.Elif(self.o.ready):
            beats = Signal(burst_bits + 1)
            m.d.comb += beats.eq(s3_to_boundary + 1)
            m.d.sync += [
                s3_left.eq(rest),
                s3_final.eq(rest[burst_bits:] == 0),    # the next burst begins at a boundary
                s3.beat_addr[:burst_bits].eq(0),
                s3.beat_addr[burst_bits:].eq(s3.beat_addr[burst_bits:] + 1),
                s3.local_addr.eq(s3.local_addr + (beats << lane)),
                s3.head.eq(0),
            ]
        return m
