"""Storage of an on-chip AXI memory: block RAM with two ports, or SPRAM with one."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from ..spec.integers import check_integers
from ..vendor.spram import FORMS, Spram

__all__ = ["StoragePort", "BlockStorage", "SpramStorage"]


class StoragePort(wiring.Signature):
    """Read port and write port of a storage, from the side of the AXI logic.

    Members
    -------
    read_en, read_addr : :py:`Out(1)`, :py:`Out(log2(words))`
        Start of a read, and index of the word.
    advance : :py:`Out(1)`
        Clock enable of reads in flight, for a storage with a single port. While it is low, reads
        are stalled, and no read starts.
    read_data : :py:`In(width)`
        The word, ``read_latency`` cycles after ``read_en``. For a storage with a single port, only
        cycles with ``advance`` high count.
    write_en, write_addr, write_data : :py:`Out(width // 8)`, :py:`Out(log2(words))`, \
            :py:`Out(width)`
        Enables of the bytes to write, index of the word, and its bytes.
    """

    def __init__(self, *, words, width):
        super().__init__({
            "advance": Out(1),
            "read_en": Out(1), "read_addr": Out(ceil_log2(words)), "read_data": In(width),
            "write_en": Out(width // 8), "write_addr": Out(ceil_log2(words)),
            "write_data": Out(width),
        })


def _check(words, width):
    check_integers(words=words, width=width)
    if words < 2:
        raise ValueError(f"words must be at least 2, not {words}")
    if width < 8 or width & (width - 1):
        raise ValueError(f"width must be a power of two of at least 8, not {width}")


class BlockStorage(wiring.Component):
    """Storage in block RAM, with one read and one write per cycle. Reads cannot be stalled.

    A read of a word that is written in the same cycle returns an undefined word. All words are 0
    after configuration of the device.

    Parameters
    ----------
    words : :class:`int`
        Number of words.
    width : :class:`int`
        Width of a word in bits, a power of two of at least 8.

    Members
    -------
    port : :py:`In(StoragePort(words=words, width=width))`

    Raises
    ------
    TypeError
        If a size is not an integer.
    ValueError
        If a size is out of range.
    """

    read_latency = 3        # cycles
    single_port = False

    def __init__(self, *, words, width):
        _check(words, width)
        self.words = words
        self.width = width
        super().__init__({"port": In(StoragePort(words=words, width=width))})

    def elaborate(self, platform):
        m = Module()
        port = self.port
        # the attribute omits the logic for a read of a word that is written in the same cycle
        m.submodules.ram = ram = memory.Memory(shape=self.width, depth=self.words, init=[],
                                               attrs={"no_rw_check": 1})
        read = ram.read_port()
        write = ram.write_port(granularity=8)
        # Inputs and outputs are registered, without enables, because the block RAMs are placed far
        # apart and their clock-to-output delay is most of a short clock period. Reads and writes
        # have the same delay, so a read in the cycle after a write returns the written word.
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
    """Storage in SPRAM of the iCE40 UltraPlus, with one read or one write per cycle.

    The initial contents are undefined.

    Parameters
    ----------
    words : :class:`int`
        Number of words: 16384, the depth of a primitive, times a power of two.
    width : :class:`int`
        Width of a word in bits, a power of two of at least 16.
    form : :class:`str`
        Form of the SPRAM, as for :class:`weft.vendor.spram.Spram`.

    Members
    -------
    port : :py:`In(StoragePort(words=words, width=width))`
        ``read_en`` and ``write_en`` must not be high in the same cycle.

    Raises
    ------
    TypeError
        If a size is not an integer.
    ValueError
        If a size is out of range, or the form is unknown.
    """

    read_latency = 1        # cycles
    single_port = True

    def __init__(self, *, words, width, form):
        _check(words, width)
        if width < 16:
            raise ValueError(f"width must be at least the 16 bits of a primitive, not {width}")
        if form not in FORMS:
            raise ValueError(f"SPRAM form must be one of {', '.join(FORMS)}, not {form!r}")
        blocks = words // Spram.WORDS
        if words % Spram.WORDS or blocks & (blocks - 1):
            raise ValueError(f"words must be {Spram.WORDS} times a power of two, not {words}")
        self.words = words
        self.width = width
        self.form = form
        super().__init__({"port": In(StoragePort(words=words, width=width))})

    def elaborate(self, platform):
        m = Module()
        port = self.port
        blocks = self.words // Spram.WORDS
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
        for block in range(blocks):
            halves = []
            for half in range(self.width // 16):
                m.submodules[f"spram_{block}_{half}"] = spram = Spram(self.form)
                halves.append(spram.o_data)
                m.d.comb += [
                    spram.i_en.eq((writes | (port.read_en & port.advance)) & (high == block)),
                    spram.i_write.eq(port.write_en[2 * half:2 * half + 2]),
                    spram.i_addr.eq(low),
                    spram.i_data.eq(port.write_data[16 * half:16 * half + 16]),
                ]
            words.append(Cat(halves))
        word = Signal(self.width)
        m.d.comb += word.eq(Array(words)[read_high] if blocks > 1 else words[0])

        # a stalled word is stored, because a write changes the output of the primitive
        read_done = Signal()
        stalled = Signal()
        stalled_word = Signal.like(word, reset_less=True)
        m.d.comb += port.read_data.eq(Mux(stalled, stalled_word, word))
        m.d.sync += read_done.eq(port.advance & port.read_en)
        with m.If(port.advance):
            m.d.sync += stalled.eq(0)
        with m.Elif(read_done):
            m.d.sync += [stalled.eq(1), stalled_word.eq(word)]
        return m
