"""What is to be written to an SDRAM, beat by beat in and word by word out."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["WriteWords"]


class WriteWords(wiring.Component):
    """Beats that wait to be written, beside the port that they come from.

    No wire leads from the words to the beats: it takes beats as long as it has room, whatever
    else the port does.

    Parameters
    ----------
    data_width, word_width : :class:`int`
        Bits of a beat and of a word; a beat is a power of two of words.

    Members
    -------
    i : :py:`In(stream.Signature(...))`
        Beats: ``data`` and ``strobe``, with a bit for each byte. ``ready`` is a register.
    i_use, o_there : :py:`In(1)`, :py:`Out(1)`
        A beat of which nobody has said yet that it is going to be written, and that somebody
        does.
    i_step, i_last : :py:`In(range(words))`, :py:`In(1)`
        The next word, of the oldest beat, and that it is the last.
    o_word, o_strobe : :py:`Out(word_width)`, :py:`Out(word_width // 8)`
        It, in the cycle behind.
    """

    DEPTH = 16

    def __init__(self, *, data_width, word_width):
        self.words = data_width // word_width
        self._layout = data.StructLayout({
            "data": data.ArrayLayout(word_width, self.words),
            "strobe": data.ArrayLayout(word_width // 8, self.words)})
        super().__init__({
            "i": In(stream.Signature(self._layout)),
            "i_use": In(1), "o_there": Out(1),
            "i_step": In(range(max(2, self.words))), "i_last": In(1),
            "o_word": Out(word_width), "o_strobe": Out(word_width // 8),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.beats = beats = memory.Memory(shape=self._layout, depth=self.DEPTH, init=[])
        into, out_of = beats.write_port(), beats.read_port(domain="comb")
        first, behind = Signal(range(self.DEPTH)), Signal(range(self.DEPTH))
        held, unused = (Signal(range(self.DEPTH + 1), name=name) for name in ("held", "unused"))
        comes = Signal()
        m.d.comb += [
            comes.eq(self.i.valid & self.i.ready),
            into.en.eq(comes), into.addr.eq(behind), into.data.eq(self.i.payload),
            self.o_there.eq(unused != 0),
        ]
        m.d.sync += [
            behind.eq(behind + comes), first.eq(first + self.i_last),
            held.eq(held + comes - self.i_last), unused.eq(unused + comes - self.i_use),
            # one may come before this is looked at
            self.i.ready.eq(held <= self.DEPTH - 2),
        ]
        step = Signal.like(self.i_step)
        place = Signal.like(first)
        m.d.sync += [place.eq(first), step.eq(self.i_step)]
        m.d.comb += [out_of.addr.eq(place), self.o_word.eq(out_of.data.data[step]),
                     self.o_strobe.eq(out_of.data.strobe[step])]
        return m
