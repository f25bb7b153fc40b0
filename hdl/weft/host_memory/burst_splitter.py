"""Splitter of AXI4 bursts into beats, with the memory row and the response of each beat."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from ..bus.axi4 import BURST_INCR, RESP_DECERR, RESP_OKAY, RESP_SLVERR

__all__ = ["BurstSplitter", "beat_layout", "burst_layout", "split_bursts"]


def burst_layout(addr_width):
    """Return the layout of a burst: the fields of an address channel that a memory needs."""
    return data.StructLayout({"addr": addr_width, "len": 8, "size": 3, "burst": 2})


def beat_layout(row_width):
    """Return the layout of a beat: row in the memory, AXI response, and flag for the last beat."""
    return data.StructLayout({"row": row_width, "resp": 2, "last": 1})


class BurstSplitter(wiring.Component):
    """Splitter of bursts into beats, one beat per cycle, which checks each burst.

    The next burst is accepted while a burst is in progress, so bursts of two or more beats follow
    each other without a gap. All outputs come from registers.

    The response to a burst outside the memory is DECERR. The response to a burst whose beats are
    narrow, or whose type is not incrementing, is SLVERR. Bursts do not cross 4 KiB boundaries, so
    all beats of a burst have the same response.

    Parameters
    ----------
    addr_width : :class:`int`
        Width of a byte address in bits.
    data_width : :class:`int`
        Width of a beat in bits.
    base, size : :class:`int`
        Address of the first byte, and size of the memory in bytes. The size is a power of two of
        at least 4096, and the base a multiple of it.

    Members
    -------
    i : :py:`In(stream.Signature(burst_layout(addr_width)))`
        Bursts.
    o : :py:`Out(stream.Signature(beat_layout(log2(8 * size / data_width))))`
        Beats, in the order of the bursts.
    """

    LATENCY = 2         # from burst to first beat, in cycles

    def __init__(self, *, addr_width, data_width, base, size):
        self.addr_width = addr_width
        self.data_width = data_width
        self.base = base
        self.size = size
        super().__init__({
            "i": In(stream.Signature(burst_layout(addr_width))),
            "o": Out(stream.Signature(beat_layout(exact_log2(8 * size // data_width)))),
        })

    def elaborate(self, platform):
        m = Module()
        beat = self.o.payload
        log2_bytes = exact_log2(self.data_width // 8)
        log2_size = exact_log2(self.size)

        burst = self.i.payload
        outside = Signal()
        unsupported = Signal()
        m.d.comb += [
            outside.eq(burst.addr[log2_size:] != self.base >> log2_size),
            unsupported.eq((burst.burst != BURST_INCR) | (burst.size != log2_bytes)),
        ]

        pending = Signal()                          # the registers below contain the next burst
        row = Signal.like(beat.row, reset_less=True)
        length = Signal(8, reset_less=True)
        resp = Signal(2, reset_less=True)
        m.d.comb += self.i.ready.eq(~pending)
        with m.If(~pending):
            m.d.sync += [
                pending.eq(self.i.valid),
                row.eq(burst.addr[log2_bytes:log2_size]),
                length.eq(burst.len),
                resp.eq(Mux(outside, RESP_DECERR, Mux(unsupported, RESP_SLVERR, RESP_OKAY))),
            ]

        remaining = Signal(8, reset_less=True)      # beats after the current one
        advance = Signal()
        m.d.comb += advance.eq(~self.o.valid | self.o.ready)
        with m.If(advance):
            with m.If(self.o.valid & ~beat.last):
                m.d.sync += [
                    beat.row.eq(beat.row + 1),
                    remaining.eq(remaining - 1),
                    beat.last.eq(remaining == 1),
                ]
            with m.Else():
                m.d.sync += [
                    self.o.valid.eq(pending),
                    beat.row.eq(row),
                    beat.resp.eq(resp),
                    beat.last.eq(length == 0),
                    remaining.eq(length),
                ]
                with m.If(pending):
                    m.d.sync += pending.eq(0)
        return m


def split_bursts(m, axi, channel, *, base, size):
    """Split the bursts of an address channel into beats.

    Parameters
    ----------
    m : :class:`amaranth.hdl.Module`
        Module to which a :class:`BurstSplitter` is added as a submodule.
    axi : :class:`~weft.bus.axi4.Axi4` interface
        Port of a subordinate.
    channel : :class:`str`
        ``"ar"`` or ``"aw"``.
    base, size : :class:`int`
        See :class:`BurstSplitter`.

    Returns
    -------
    stream of :func:`beat_layout`
        Output of the splitter.
    """
    splitter = BurstSplitter(addr_width=len(getattr(axi, channel + "addr")),
                             data_width=len(axi.rdata), base=base, size=size)
    m.submodules[f"{channel}_splitter"] = splitter
    m.d.comb += [
        splitter.i.valid.eq(getattr(axi, channel + "valid")),
        getattr(axi, channel + "ready").eq(splitter.i.ready),
        *(getattr(splitter.i.payload, field).eq(getattr(axi, channel + field))
          for field in ("addr", "len", "size", "burst")),
    ]
    return splitter.o
