"""Counter of the bursts in flight, shared by LOAD and STORE."""

from amaranth.hdl import Module, Signal

__all__ = ["count_bursts"]


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
