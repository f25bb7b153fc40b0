"""Buffer of write data for an SDRAM, with beats as input and words as output."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["WriteBuffer"]


class WriteBuffer(wiring.Component):
    """Buffer of write data between the AXI port and the SDRAM controller.

    ``i.ready`` is a register that depends only on the fill level, so there is no combinational path
    from the controller to the port.

    Parameters
    ----------
    data_width, word_width : :class:`int`
        Widths of a beat and of a word in bits; a beat is a power of two of words.

    Members
    -------
    i : :py:`In(stream.Signature(...))`
        Beats: ``data`` and ``strobe``, one strobe bit per byte.
    o_available : :py:`Out(1)`
        The buffer contains a beat for which no write has been issued.
    i_issue : :py:`In(1)`
        The write of a beat is issued in this cycle.
    i_step, i_last : :py:`In(range(words))`, :py:`In(1)`
        Index of the next word in the oldest beat. ``i_last`` removes that beat after its last word.
    o_word, o_strobe : :py:`Out(word_width)`, :py:`Out(word_width // 8)`
        The word that ``i_step`` selected in the previous cycle, and its byte strobes.
    """

    DEPTH = 16          # beats

    def __init__(self, *, data_width, word_width):
        self.words = data_width // word_width
        self._layout = data.StructLayout({
            "data": data.ArrayLayout(word_width, self.words),
            "strobe": data.ArrayLayout(word_width // 8, self.words)})
        super().__init__({
            "i": In(stream.Signature(self._layout)),
            "i_issue": In(1), "o_available": Out(1),
            "i_step": In(range(max(2, self.words))), "i_last": In(1),
            "o_word": Out(word_width), "o_strobe": Out(word_width // 8),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.beats = beats = memory.Memory(shape=self._layout, depth=self.DEPTH, init=[])
        write, read = beats.write_port(), beats.read_port(domain="comb")
        oldest, next_free = Signal(range(self.DEPTH)), Signal(range(self.DEPTH))
        count, unissued = (Signal(range(self.DEPTH + 1), name=name)
                           for name in ("count", "unissued"))
        accepted = Signal()
        m.d.comb += [
            accepted.eq(self.i.valid & self.i.ready),
            write.en.eq(accepted), write.addr.eq(next_free), write.data.eq(self.i.payload),
            self.o_available.eq(unissued != 0),
        ]
        m.d.sync += [
            next_free.eq(next_free + accepted), oldest.eq(oldest + self.i_last),
            count.eq(count + accepted - self.i_last),
            unissued.eq(unissued + accepted - self.i_issue),
            # one entry in reserve: a beat may be accepted in the cycle before ready falls
            self.i.ready.eq(count <= self.DEPTH - 2),
        ]
        step = Signal.like(self.i_step)
        addr = Signal.like(oldest)
        m.d.sync += [addr.eq(oldest), step.eq(self.i_step)]
        m.d.comb += [read.addr.eq(addr), self.o_word.eq(read.data.data[step]),
                     self.o_strobe.eq(read.data.strobe[step])]
        return m
