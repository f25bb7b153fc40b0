"""Ring of LOAD_RING: space in the weight buffer for bursts, and the address of the next byte."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from ..sram.ring_interface import RingSignature

__all__ = ["RingWriter"]

WRITE_CYCLES = 6
"""Cycles after which a beat that the weight buffer has accepted can be read, with some in reserve.
"""


class RingWriter(wiring.Component):
    """Bookkeeping of the ring: a burst is requested only once all of its bytes have space.

    The data of a burst is therefore never stalled by a full ring, and does not block the bus for
    the fetch of the instructions that empty the ring. At most every second cycle requests a burst.

    Parameters
    ----------
    config : :class:`Config`
    burst : layout
        Layout of a burst, :func:`~weft.dma.planner.burst_layout`.

    Members
    -------
    i_issue : :py:`In(1)`, ``i_burst`` : :py:`In(burst)`
        A burst into the ring is requested in this cycle.
    o_ready : :py:`Out(1)`
        A burst into the ring may be requested.
    i_write : :py:`In(1)`
        The weight buffer accepts a beat of the ring in this cycle.
    i_head, i_tail : :py:`In(beat_offset_width)` each
        First and last byte lane of that beat.
    o_addr : :py:`Out(wgt_addr_width)`
        Address of byte lane 0 of the next beat, which may be before the first byte.
    i_pair : :py:`In(1)`
        With ``weights_4bit`` and ``i_write``: the beat, and a second one at the same offset in the
        upper half of the tile, have been written at ``o_pair_addr``. Head and tail are ignored.
    o_pair_addr : :py:`Out(wgt_addr_width)`
        With ``weights_4bit``: address of the first of the two, in the lower half of the tile.
    i_dropped : :py:`In(1)`
        With ``weights_4bit``: a beat of 4-bit weights is not written. The burst has reserved space
        for two.
    i_clear : :py:`In(1)`
        Empty the ring. Allowed only while no instruction is in progress.
    ring : :py:`Out(RingSignature(config))`
        Connection to MATMUL.
    """

    def __init__(self, config, burst):
        self.config = config
        lane = config.beat_offset_width
        super().__init__({
            "i_issue": In(1),
            "i_burst": In(burst),
            "o_ready": Out(1),
            "i_write": In(1),
            "i_head": In(lane),
            "i_tail": In(lane),
            "o_addr": Out(config.wgt_addr_width),
            "i_clear": In(1),
            "ring": Out(RingSignature(config)),
            **({"i_pair": In(1), "o_pair_addr": Out(config.wgt_addr_width), "i_dropped": In(1)}
               if config.weights_4bit else {}),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        lane, tile_bits = config.beat_offset_width, exact_log2(config.tile_bytes)
        most_burst = config.max_burst * config.bus_bytes

        # bytes that no requested burst has reserved
        free = Signal(range(config.wgt_bytes + 1), init=config.wgt_bytes)
        burst = self.i_burst
        size = Signal(range(most_burst + 1))
        m.d.comb += size.eq((burst.len << lane) + burst.tail - burst.head + 1)
        released = self.ring.release << tile_bits
        if config.weights_4bit:
            # each beat reserves the space of two; a tile has more bytes than two beats
            size = Mux(burst.tag.packed, size << 1, size)
            most_burst *= 2
            released = released | (self.i_dropped << lane + 1)
        m.d.sync += [
            free.eq(free - Mux(self.i_issue, size, 0) + released),
            self.o_ready.eq((free >= most_burst) & ~self.i_issue),
        ]

        pointer = Signal(config.wgt_addr_width)
        after = Signal(config.wgt_addr_width)
        m.d.comb += [
            self.o_addr.eq(pointer - self.i_head),
            after.eq(pointer + self.i_tail - self.i_head + 1),
        ]
        if config.weights_4bit:
            self._elaborate_pair(m, pointer, after)
        complete = [Signal.like(self.ring.tiles, name=f"complete{age}")
                    for age in range(WRITE_CYCLES)]
        with m.If(self.i_write):
            m.d.sync += [pointer.eq(after),
                         complete[0].eq((after >> tile_bits) - (pointer >> tile_bits))]
        with m.Else():
            m.d.sync += complete[0].eq(0)
        m.d.sync += Cat(complete[1:]).eq(Cat(complete[:-1]))
        m.d.comb += self.ring.tiles.eq(complete[-1])

        with m.If(self.i_clear):
            m.d.sync += [free.eq(config.wgt_bytes), pointer.eq(0), Cat(complete).eq(0)]
        return m

    def _elaborate_pair(self, m, pointer, after):
        """Replace the next address after a pair of beats, one in each half of a tile.

        The halves advance together: the address without the bit that selects the half is that of
        the next pair of beats.
        """
        lane, half_bit = self.config.beat_offset_width, exact_log2(self.config.tile_bytes) - 1
        following = Signal(len(pointer) - 1 - lane)
        m.d.comb += [
            self.o_pair_addr.eq(pointer),
            following.eq(Cat(pointer[lane:half_bit], pointer[half_bit + 1:]) + 1),
        ]
        with m.If(self.i_pair):
            m.d.comb += after.eq(Cat(Const(0, lane), following[:half_bit - lane], Const(0, 1),
                                     following[half_bit - lane:]))
