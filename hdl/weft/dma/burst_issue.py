"""Issue of bursts, shared by LOAD and STORE: address channel and counter of bursts in flight."""

from amaranth.hdl import Module, Signal

from ..bus.axi4 import BURST_INCR, CACHE_BUFFERABLE

__all__ = ["count_bursts", "send_address"]


def send_address(m: Module, axi, channel, address, *, burst, en, lane_bits):
    """Connect a planned burst to an AXI address channel through a register slice.

    Parameters
    ----------
    axi : AXI4 interface
    channel : :class:`str`
        ``"ar"`` or ``"aw"``.
    address : :class:`RegisterSlice`
        Slice with the members ``addr``, a beat address, and ``len``.
    burst : :func:`~weft.dma.planner.burst_layout`
    en : 1 bit
        Send the address of ``burst`` in this cycle. Only while the slice is ready.
    lane_bits : :class:`int`
        Bits of a byte lane: the size of a beat as AXI encodes it.
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
        Most bursts in flight. ``issue`` must stay low while there are so many.

    Returns
    -------
    in_flight : unsigned
        Number of bursts in flight.
    may_issue_next : 1 bit
        There will be fewer than ``limit`` bursts in flight in the next cycle. To be registered: it
        depends on ``issue`` and ``retire``.
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
