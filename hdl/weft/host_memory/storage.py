"""What an AXI memory keeps its words in: block RAM with two ports, or SPRAM with one."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from ..vendor.spram import FORMS, Spram

__all__ = ["StoragePort", "BlockStorage", "SpramStorage"]


class StoragePort(wiring.Signature):
    """Words that are read and written.

    Members
    -------
    read_en : :py:`Out(1)`, ``read_addr`` : :py:`Out(...)`
        A read starts.
    advance : :py:`Out(1)`
        For storage of a single port: reads on their way move on; without it they stand still, and
        no read starts.
    read_data : :py:`In(width)`
        The word, ``read_latency`` cycles after ``read_en``, or as many advances.
    write_en : :py:`Out(width // 8)`, ``write_addr``, ``write_data``
        The bytes of a word to be written.
    """

    def __init__(self, *, words, width):
        super().__init__({
            "advance": Out(1),
            "read_en": Out(1), "read_addr": Out(ceil_log2(words)), "read_data": In(width),
            "write_en": Out(width // 8), "write_addr": Out(ceil_log2(words)),
            "write_data": Out(width),
        })


def _check(words, width):
    for name, value in (("words", words), ("width", width)):
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(f"{name} must be an integer, not {value!r}")
    if words < 2:
        raise ValueError(f"words must be at least 2, not {words}")
    if width < 8 or width & (width - 1):
        raise ValueError(f"width must be a power of two of at least 8, not {width}")


class BlockStorage(wiring.Component):
    """Block RAM: one read and one write a cycle. What is read does not wait.

    A read and a write of the same word in the same cycle give an undefined word to the reader.
    Words are zero when the device starts.

    Parameters
    ----------
    words : :class:`int`
        How many.
    width : :class:`int`
        Bits of each, a power of two.

    Members
    -------
    port : :py:`In(StoragePort(words=words, width=width))`

    Raises
    ------
    TypeError
        If a size is not an integer.
    ValueError
        If a size cannot work.
    """

    read_latency = 3
    single_port = False

    def __init__(self, *, words, width):
        _check(words, width)
        self.words = words
        self.width = width
        super().__init__({"port": In(StoragePort(words=words, width=width))})

    def elaborate(self, platform):
        m = Module()
        port = self.port
        # the attribute spares the logic that would define a read of a word being written
        m.submodules.ram = ram = memory.Memory(shape=self.width, depth=self.words, init=[],
                                               attrs={"no_rw_check": 1})
        read = ram.read_port()
        write = ram.write_port(granularity=8)
        # registers on both sides, without enables: the primitives lie far apart, and the output of
        # one takes most of a fast cycle. What is written is there a cycle later, and before what a
        # read reads that starts in the next cycle
        addr = Signal.like(port.read_addr, reset_less=True)
        write_en = Signal.like(port.write_en)
        write_addr = Signal.like(port.write_addr, reset_less=True)
        write_data = Signal.like(port.write_data, reset_less=True)
        m.d.sync += [
            addr.eq(port.read_addr), port.read_data.eq(read.data),
            write_en.eq(port.write_en), write_addr.eq(port.write_addr),
            write_data.eq(port.write_data),
        ]
        m.d.comb += [
            read.en.eq(1),
            read.addr.eq(addr),
            write.en.eq(write_en),
            write.addr.eq(write_addr),
            write.data.eq(write_data),
        ]
        return m


class SpramStorage(wiring.Component):
    """iCE40 UltraPlus' SPRAM: one read or one write a cycle. Words are undefined at first.

    Parameters
    ----------
    words : :class:`int`
        How many: a multiple of the 16384 words of a primitive, times a power of two.
    width : :class:`int`
        Bits of each, a multiple of 16.
    form : :class:`str`
        See :class:`weft.vendor.spram.Spram`.

    Members
    -------
    port : :py:`In(StoragePort(words=words, width=width))`
        ``read_en`` and ``write_en`` never in the same cycle.

    Raises
    ------
    TypeError
        If a size is not an integer.
    ValueError
        If a size cannot work, or there is no such form.
    """

    read_latency = 1
    single_port = True

    def __init__(self, *, words, width, form):
        _check(words, width)
        if width < 16:
            raise ValueError(f"width must be at least the 16 bits of a primitive, not {width}")
        if form not in FORMS:
            raise ValueError(f"SPRAM form must be one of {', '.join(FORMS)}, not {form!r}")
        depths = words // Spram.WORDS
        if words % Spram.WORDS or depths & (depths - 1):
            raise ValueError(f"words must be {Spram.WORDS} times a power of two, not {words}")
        self.words = words
        self.width = width
        self.form = form
        super().__init__({"port": In(StoragePort(words=words, width=width))})

    def elaborate(self, platform):
        m = Module()
        port = self.port
        depths = self.words // Spram.WORDS
        writes = Signal()
        addr = Signal.like(port.read_addr)
        m.d.comb += [
            writes.eq(port.write_en.any()),
            addr.eq(Mux(writes, port.write_addr, port.read_addr)),
        ]
        low, high = addr[:14], addr[14:]
        read_high = Signal.like(high)
        m.d.sync += read_high.eq(high)
        words = []
        for depth in range(depths):
            halves = []
            for half in range(self.width // 16):
                m.submodules[f"spram_{depth}_{half}"] = spram = Spram(self.form)
                halves.append(spram.o_data)
                m.d.comb += [
                    spram.i_en.eq((writes | (port.read_en & port.advance)) & (high == depth)),
                    spram.i_write.eq(port.write_en[2 * half:2 * half + 2]),
                    spram.i_addr.eq(low),
                    spram.i_data.eq(port.write_data[16 * half:16 * half + 16]),
                ]
            words.append(Cat(halves))
        word = Signal(self.width)
        m.d.comb += word.eq(Array(words)[read_high] if depths > 1 else words[0])

        # the next write spoils the primitive's output: what cannot move on at once is kept
        fresh = Signal()
        held = Signal()
        spare = Signal.like(word, reset_less=True)
        m.d.comb += port.read_data.eq(Mux(held, spare, word))
        m.d.sync += fresh.eq(port.advance & port.read_en)
        with m.If(port.advance):
            m.d.sync += held.eq(0)
        with m.Elif(fresh):
            m.d.sync += [held.eq(1), spare.eq(word)]
        return m
