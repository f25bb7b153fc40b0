"""Byte-wide memories side by side, and the rotations between their order and an access's."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

__all__ = ["LaneBank", "lane_address", "rotate_down", "rotate_up"]


def lane_address(*, width, depth):
    """Where the lanes of a bank look: lane ``l`` at ``next`` if ``l`` is below ``offset``, or else
    at ``row``."""
    return data.StructLayout({
        "offset": exact_log2(width),
        "row": exact_log2(depth),
        "next": exact_log2(depth),
    })


def rotate_up(m, name, items, amount):
    """``items`` with item ``i`` moved to place ``i + amount``, modulo their number."""
    count = len(items)
    for bit in range(exact_log2(count)):
        moved = [Signal.like(item, name=f"{name}_{bit}_{i}") for i, item in enumerate(items)]
        for i, signal in enumerate(moved):
            m.d.comb += signal.eq(Mux(amount[bit], items[(i - (1 << bit)) % count], items[i]))
        items = moved
    return items


def rotate_down(m, name, items, amount, count):
    """The ``count`` items from place ``amount`` on, modulo the number of ``items``."""
    for bit in reversed(range(exact_log2(len(items)))):
        # what the steps still to come can reach, and no more
        needed = min(len(items), count + (1 << bit) - 1)
        moved = [Signal.like(items[0], name=f"{name}_{bit}_{i}") for i in range(needed)]
        for i, signal in enumerate(moved):
            m.d.comb += signal.eq(
                Mux(amount[bit], items[(i + (1 << bit)) % len(items)], items[i]))
        items = moved
    return items[:count]


class LaneBank(wiring.Component):
    """``width`` byte-wide lanes, each with an address of its own.

    With ``group`` 2 lanes 0 and 1 are one memory, lanes 2 and 3 the next: half as many block RAMs
    where a lane fills at most half of one. Lanes of a group look in one row, so that ``offset`` of
    a read is a multiple of ``group``, and a write that would reach a group in two rows leaves out
    the lanes of one of them.

    One read and one write of all lanes a cycle. A read address is answered two cycles later; it
    sees writes of earlier cycles. What a read sees of a write in the same cycle is undefined.

    Parameters
    ----------
    width : :class:`int`
        Lanes, a power of two.
    depth : :class:`int`
        Bytes in each lane, a power of two.
    group : :class:`int`
        Lanes that share one memory, 1 or 2.

    Members
    -------
    i_read : :py:`In(lane_address(...))`
        Where to read.
    o_read : :py:`Out(ArrayLayout(8, width))`
        A byte from each lane.
    i_write : :py:`In(lane_address(...))`
        Where to write.
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
            # the attribute spares the logic that would define a read of a byte being written
            m.submodules[f"lane_{low}"] = lane_memory = memory.Memory(
                shape=8 * self.group, depth=self.depth, init=[], attrs={"no_rw_check": 1})
            read = lane_memory.read_port()
            write = lane_memory.write_port(granularity=8)
            after = self.i_write.offset > high
            if self.group == 2:
                # of a group in two rows, either the lane before the offset is written or the other
                after |= (self.i_write.offset == high) & self.i_write_en[low]
            m.d.comb += [
                read.en.eq(1),
                read.addr.eq(Mux(self.i_read.offset > low, self.i_read.next, self.i_read.row)),
                write.en.eq(self.i_write_en[lanes]),
                write.addr.eq(Mux(after, self.i_write.next, self.i_write.row)),
                write.data.eq(self.i_write_data.as_value()[8 * low:8 * (high + 1)]),
            ]
            # the second register: a block RAM's own output takes most of a fast cycle
            m.d.sync += self.o_read.as_value()[8 * low:8 * (high + 1)].eq(read.data)
        return m
