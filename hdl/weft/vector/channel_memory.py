"""Memory for the biases, multipliers or shifts of channels."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["ChannelMemory"]


class ChannelMemory(wiring.Component):
    """Memory of one value per channel, which is read for a whole group of channels at once.

    A group is ``lanes`` consecutive channels. The values of a read arrive one cycle after the
    request, and include writes of earlier cycles.

    Parameters
    ----------
    channels : :class:`int`
        Number of channels, a power of two.
    lanes : :class:`int`
        Number of channels in a group, a power of two up to ``channels``.
    shape : shape-like
        Shape of a value.

    Members
    -------
    i_write_en : :py:`In(1)`, ``i_write_channel``, ``i_write_value``
        Write enable, channel and value of a write.
    i_channel : :py:`In(range(channels))`
        Any channel of the group to read.
    o_values : :py:`Out(ArrayLayout(shape, lanes))`
        Values of the group that ``i_channel`` selected in the previous cycle.
    """

    def __init__(self, *, channels, lanes, shape):
        self.channels = channels
        self.lanes = lanes
        self.shape = shape
        self.groups = channels // lanes
        super().__init__({
            "i_write_en": In(1),
            "i_write_channel": In(range(channels)),
            "i_write_value": In(shape),
            "i_channel": In(range(channels)),
            "o_values": Out(data.ArrayLayout(shape, lanes)),
        })

    def elaborate(self, platform):
        m = Module()
        lane_bits = (self.lanes - 1).bit_length()
        lane = self.i_write_channel[:lane_bits]

        if self.groups == 1:
            # synthesis would add a second set of registers behind a memory of one row
            for i in range(self.lanes):
                value = Signal(self.shape, name=f"value_{i}", reset_less=True)
                m.d.comb += self.o_values[i].eq(value)
                with m.If(self.i_write_en & (lane == i)):
                    m.d.sync += value.eq(self.i_write_value)
            return m

        m.submodules.rows = rows = memory.Memory(
            shape=data.ArrayLayout(self.shape, self.lanes), depth=self.groups, init=[])
        write, read = rows.write_port(granularity=1), rows.read_port()
        m.d.comb += [
            write.addr.eq(self.i_write_channel[lane_bits:]),
            [write.data[i].eq(self.i_write_value) for i in range(self.lanes)],
            write.en.eq(self.i_write_en << lane),
            read.addr.eq(self.i_channel[lane_bits:]),
            read.en.eq(1),
            self.o_values.eq(read.data),
        ]
        return m
