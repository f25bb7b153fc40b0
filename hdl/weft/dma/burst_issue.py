"""Functions that LOAD and STORE share for the issue of bursts."""

from amaranth.hdl import Module, Signal

from ..bus.axi4 import BURST_INCR, CACHE_BUFFERABLE

__all__ = ["count_bursts", "send_address"]


def send_address(m: Module, axi, channel, address, *, burst, en, lane_bits):
    """Connect a planned burst to an AXI address channel through a register slice.

    Parameters
    ----------
    axi : AXI4 interface
        Port to host memory.
    channel : :class:`str`
        ``"ar"`` or ``"aw"``.
    address : :class:`~weft.bus.register_slice.RegisterSlice`
        Slice with the members ``addr``, the address of a beat in beats, and ``len``.
    burst : :func:`~weft.dma.planner.burst_layout`
        The burst.
    en : 1 bit
        Send the address of ``burst`` in this cycle. Allowed only while the slice is ready.
    lane_bits : :class:`int`
        Logarithm to base 2 of the bytes of a beat, which is the AXI encoding of its size.
    """
    port = {name: getattr(axi, channel + name)
            for name in ("valid", "ready", "addr", "len", "size", "burst", "cache")}
    m.d.comb += [
        port["size"].eq(lane_bits),
        port["burst"].eq(BURST_INCR),
        port["cache"].eq(CACHE_BUFFERABLE),
        address.i.valid.eq(en),
        address.i.payload.addr.eq(burst.beat_addr),
        address.i.payload.len.eq(burst.len),
        port["valid"].eq(address.o.valid),
        port["addr"].eq(address.o.payload.addr << lane_bits),
        port["len"].eq(address.o.payload.len),
        address.o.ready.eq(port["ready"]),
    ]


def count_bursts(m: Module, *, issue, retire, limit):
    """Add a counter of the bursts that were issued and are not retired.

    Parameters
    ----------
    issue, retire : 1 bit each
        A burst is issued, or retired, in this cycle. They may be high together.
    limit : :class:`int`
        Maximum number of bursts in flight. ``issue`` must stay low while it is reached.

    Returns
    -------
    in_flight : unsigned
        Number of bursts in flight.
    may_issue_next : 1 bit
        Fewer than ``limit`` bursts will be in flight in the next cycle. The value depends on
        ``issue`` and ``retire`` of this cycle, so the caller must register it.
    """
    in_flight = Signal(range(limit + 1))
    may_issue_next = Signal()
    with m.If(issue & ~retire):
        m.d.comb += may_issue_next.eq(in_flight != limit - 1)
        m.d.sync += in_flight.eq(in_flight + 1)
    with m.Elif(retire & ~issue):
        m.d.comb += may_issue_next.eq(1)
        m.d.sync += in_flight.eq(in_flight - 1)
    with m.Else():
        m.d.comb += may_issue_next.eq(in_flight != limit)
    return in_flight, may_issue_next
