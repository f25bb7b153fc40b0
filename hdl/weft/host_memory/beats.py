"""From the address of an AXI4 burst to the rows of its beats."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from ..bus.axi4 import BURST_INCR, RESP_DECERR, RESP_OKAY, RESP_SLVERR

__all__ = ["Beats", "beat_layout", "beats_of", "burst_layout"]


def burst_layout(addr_width):
    """What of an address channel matters here."""
    return data.StructLayout({"addr": addr_width, "len": 8, "size": 3, "burst": 2})


def beat_layout(row_width):
    """One beat: its row in the memory, the answer that it gets, and whether it is the last."""
    return data.StructLayout({"row": row_width, "resp": 2, "last": 1})


class Beats(wiring.Component):
    """Counts through bursts, a beat a cycle, and says which of them cannot be served.

    One burst waits while another runs, so bursts of two beats and more follow each other without
    a gap. The first beat comes two cycles after its burst. All outputs come from registers.

    A burst outside the memory gets DECERR; one that is not of whole beats at incrementing
    addresses gets SLVERR. Bursts cross no 4 KiB line, so all beats of a burst share its answer.

    Parameters
    ----------
    addr_width : :class:`int`
        Bits of a byte address.
    data_width : :class:`int`
        Bits of a beat.
    base, size : :class:`int`
        First byte of the memory and how many there are: a power of two of at least 4096, and a
        multiple of it.

    Members
    -------
    i : :py:`In(stream.Signature(burst_layout(addr_width)))`
    o : :py:`Out(stream.Signature(beat_layout(...)))`
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
        odd = Signal()
        m.d.comb += [
            outside.eq(burst.addr[log2_size:] != self.base >> log2_size),
            odd.eq((burst.burst != BURST_INCR) | (burst.size != log2_bytes)),
        ]

        waiting = Signal()
        row = Signal.like(beat.row, reset_less=True)
        left = Signal(8, reset_less=True)
        resp = Signal(2, reset_less=True)
        m.d.comb += self.i.ready.eq(~waiting)
        with m.If(~waiting):
            m.d.sync += [
                waiting.eq(self.i.valid),
                row.eq(burst.addr[log2_bytes:log2_size]),
                left.eq(burst.len),
                resp.eq(Mux(outside, RESP_DECERR, Mux(odd, RESP_SLVERR, RESP_OKAY))),
            ]

        after = Signal(8, reset_less=True)          # beats behind the present one
        step = Signal()
        m.d.comb += step.eq(~self.o.valid | self.o.ready)
        with m.If(step):
            with m.If(self.o.valid & ~beat.last):
                m.d.sync += [
                    beat.row.eq(beat.row + 1),
                    after.eq(after - 1),
                    beat.last.eq(after == 1),
                ]
            with m.Else():
                m.d.sync += [
                    self.o.valid.eq(waiting),
                    beat.row.eq(row),
                    beat.resp.eq(resp),
                    beat.last.eq(left == 0),
                    after.eq(left),
                ]
                with m.If(waiting):
                    m.d.sync += waiting.eq(0)
        return m


def beats_of(m, axi, channel, *, base, size):
    """The beats of an address channel of an AXI4 port, as a stream of :func:`beat_layout`.

    Parameters
    ----------
    m : :class:`amaranth.hdl.Module`
        Gets the :class:`Beats` as a submodule.
    axi : :class:`~weft.bus.axi4.Axi4` interface
        A subordinate's port.
    channel : :class:`str`
        ``"ar"`` or ``"aw"``.
    base, size : :class:`int`
        See :class:`Beats`.
    """
    beats = Beats(addr_width=len(getattr(axi, channel + "addr")), data_width=len(axi.rdata),
                  base=base, size=size)
    m.submodules[f"{channel}_beats"] = beats
    m.d.comb += [
        beats.i.valid.eq(getattr(axi, channel + "valid")),
        getattr(axi, channel + "ready").eq(beats.i.ready),
        *(getattr(beats.i.payload, field).eq(getattr(axi, channel + field))
          for field in ("addr", "len", "size", "burst")),
    ]
    return beats.o
