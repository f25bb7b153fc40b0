"""Bank of byte-wide memories, and the rotations between the order of lanes and of bytes."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

__all__ = ["LaneBank", "lane_address", "rotate_down", "rotate_up"]


def lane_address(*, width, depth):
    """Return the layout of a bank's address.

    Lanes below ``offset`` access row ``next_row``, all other lanes access row ``row``.
    """
    return data.StructLayout({
        "offset": exact_log2(width),
        "row": exact_log2(depth),
        "next_row": exact_log2(depth),
    })


def rotate_up(m, name, items, amount):
    """Return ``items`` with item ``i`` moved to index ``i + amount``, modulo their number."""
    count = len(items)
    for bit in range(exact_log2(count)):
        moved = [Signal.like(item, name=f"{name}_{bit}_{i}") for i, item in enumerate(items)]
        for i, signal in enumerate(moved):
            m.d.comb += signal.eq(Mux(amount[bit], items[(i - (1 << bit)) % count], items[i]))
        items = moved
    return items


def rotate_down(m, name, items, amount, count):
    """Return the ``count`` items from index ``amount`` on, modulo the number of ``items``."""
    for bit in reversed(range(exact_log2(len(items)))):
        # only the items that can still be moved to an index below count
        needed = min(len(items), count + (1 << bit) - 1)
        moved = [Signal.like(items[0], name=f"{name}_{bit}_{i}") for i in range(needed)]
        for i, signal in enumerate(moved):
            m.d.comb += signal.eq(
                Mux(amount[bit], items[(i + (1 << bit)) % len(items)], items[i]))
        items = moved
    return items[:count]


class LaneBank(wiring.Component):
    """Bank of ``width`` byte-wide lanes, each with its own row address.

    With ``group`` 2, lanes 0 and 1 share one memory, lanes 2 and 3 the next, and so on; this halves
    the number of block RAMs if a lane fills at most half of one. The lanes of a group access the
    same row. Therefore, ``offset`` of a read must be a multiple of ``group``, and a write must not
    enable lanes of one group in two different rows.

    The bank performs one read and one write of all lanes per cycle. The data of a read arrives
    ``READ_LATENCY`` cycles after its address; it contains the writes of earlier cycles. The value
    of a byte that is written in the cycle of the read is undefined.

    Parameters
    ----------
    width : :class:`int`
        Number of lanes, a power of two.
    depth : :class:`int`
        Number of bytes in each lane, a power of two.
    group : :class:`int`
        Number of lanes that share one memory, 1 or 2.

    Members
    -------
    i_read : :py:`In(lane_address(...))`
        Address to read.
    o_read : :py:`Out(ArrayLayout(8, width))`
        A byte from each lane.
    i_write : :py:`In(lane_address(...))`
        Address to write.
    i_write_data : :py:`In(ArrayLayout(8, width))`
        A byte for each lane.
    i_write_en : :py:`In(width)`
        The lanes to be written.
    """

    READ_LATENCY = 2

    def __init__(self, *, width, depth, group=1):
        self.width = width
        self.depth = depth
        self.group = group
        address = lane_address(width=width, depth=depth)
        super().__init__({
            "i_read": In(address),
            "o_read": Out(data.ArrayLayout(8, width)),
            "i_write": In(address),
            "i_write_data": In(data.ArrayLayout(8, width)),
            "i_write_en": In(width),
        })

    def elaborate(self, platform):
        m = Module()
        for low in range(0, self.width, self.group):
            high = low + self.group - 1
            lanes = slice(low, low + self.group)
            # the read of a byte that is written in the same cycle is undefined, which saves logic
            m.submodules[f"lane_{low}"] = lane_memory = memory.Memory(
                shape=8 * self.group, depth=self.depth, init=[], attrs={"no_rw_check": 1})
            read = lane_memory.read_port()
            write = lane_memory.write_port(granularity=8)
            uses_next = self.i_write.offset > high
            if self.group == 2:
                # a write that reaches two rows of the group writes only the lanes of one of them
                uses_next |= (self.i_write.offset == high) & self.i_write_en[low]
            m.d.comb += [
                read.en.eq(1),
                read.addr.eq(Mux(self.i_read.offset > low, self.i_read.next_row, self.i_read.row)),
                write.en.eq(self.i_write_en[lanes]),
                write.addr.eq(Mux(uses_next, self.i_write.next_row, self.i_write.row)),
                write.data.eq(self.i_write_data.as_value()[8 * low:8 * (high + 1)]),
            ]
            # output registers, because the block RAM alone takes most of a short clock period
            m.d.sync += self.o_read.as_value()[8 * low:8 * (high + 1)].eq(read.data)
        return m
