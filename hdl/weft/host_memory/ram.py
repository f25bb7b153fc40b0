"""An AXI4 memory on the chip."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, fifo, wiring
from amaranth.lib.wiring import In

from ..bus.axi4 import RESP_OKAY, Axi4
from ..delay_line import delay_line
from .beats import Beats, beats_of
from .storage import BlockStorage, SpramStorage

__all__ = ["AxiRam", "STORAGE"]

STORAGE = ("block", "spram", "spram_model")
"""Block RAM, iCE40 UltraPlus' SPRAM, and SPRAM as a model that simulates anywhere."""


class AxiRam(wiring.Component):
    """On-chip memory behind an AXI4 port: incrementing bursts of whole beats, byte strobes.

    Block RAM moves a beat in each direction in every cycle, from bursts of two beats and more;
    SPRAM moves one in all, and reads and writes alternate when both want to. The first data of
    a read is valid :attr:`read_latency` cycles after its address was accepted. A read whose
    address comes after the answer to a write sees what was written.

    All outputs come from registers, except these short ways: ``bready`` reaches ``wready``, an
    SPRAM's ``rready`` reaches its enables, and its data passes a multiplexer. Managers have both
    readies in registers.

    A burst outside the memory gets DECERR on every beat; one that is not of whole beats at
    incrementing addresses gets SLVERR. Neither changes a byte.

    Parameters
    ----------
    addr_width : :class:`int`
        Bits of a byte address.
    data_width : :class:`int`
        Bits of a beat: 32, 64, 128 or 256.
    size : :class:`int`
        Bytes, a power of two of at least 4096. SPRAM comes in units of 16384 beats.
    base : :class:`int`
        Address of the first byte, a multiple of ``size``.
    storage : :class:`str`
        One of :data:`STORAGE`.

    Members
    -------
    axi : :py:`In(Axi4(addr_width=addr_width, data_width=data_width))`
        IDs are ignored, and 0 in answers.

    Raises
    ------
    TypeError
        If a number is not an integer.
    ValueError
        If a value is out of range or the storage cannot have this size.
    """

    PLACES = 8          # beats that were asked for and not taken
    PLACES_LATENCY = 1  # cycles from one's arrival to its being offered

    def __init__(self, *, addr_width, data_width, size, base=0, storage="block"):
        for name, value in (("addr_width", addr_width), ("data_width", data_width),
                            ("size", size), ("base", base)):
            if not isinstance(value, int) or isinstance(value, bool):
                raise TypeError(f"{name} must be an integer, not {value!r}")
        if data_width not in (32, 64, 128, 256):
            raise ValueError(f"data_width must be 32, 64, 128 or 256, not {data_width}")
        if size < 4096 or size & (size - 1):
            raise ValueError(f"size must be a power of two of at least 4096 bytes, not {size}")
        if base < 0 or base % size or base + size > 1 << addr_width:
            raise ValueError(f"base must be a multiple of the {size} bytes of the memory below "
                             f"2 ** {addr_width}, not {base:#x}")
        if storage not in STORAGE:
            raise ValueError(f"storage must be one of {', '.join(STORAGE)}, not {storage!r}")
        self.addr_width = addr_width
        self.data_width = data_width
        self.size = size
        self.base = base
        self.storage = storage
        words = 8 * size // data_width
        if storage == "block":
            self._words = BlockStorage(words=words, width=data_width)
        else:
            self._words = SpramStorage(words=words, width=data_width,
                                       form="ice40" if storage == "spram" else "portable")
        super().__init__({"axi": In(Axi4(addr_width=addr_width, data_width=data_width))})

    @property
    def read_latency(self):
        """Cycles from an accepted address to its first valid data."""
        return Beats.LATENCY + self._words.read_latency + (
            0 if self._words.single_port else self.PLACES_LATENCY)

    def elaborate(self, platform):
        m = Module()
        axi = self.axi
        m.submodules.words = words = self._words
        port = words.port
        reads, writes = (beats_of(m, axi, channel, base=self.base, size=self.size)
                         for channel in ("ar", "aw"))

        # what is to be written waits in registers for one cycle
        write_busy = Signal()
        do_write = Signal()
        m.d.comb += [
            axi.wready.eq(writes.valid & (~axi.bvalid | axi.bready)),
            do_write.eq(axi.wvalid & axi.wready),
            writes.ready.eq(do_write),
        ]
        if words.single_port:
            # the cycle after a write belongs to a read that waits
            with m.If(reads.valid & write_busy):
                m.d.comb += axi.wready.eq(0)
        m.d.sync += [
            write_busy.eq(do_write),
            port.write_en.eq(Mux(do_write & (writes.payload.resp == RESP_OKAY), axi.wstrb, 0)),
            port.write_addr.eq(writes.payload.row),
            port.write_data.eq(axi.wdata),
        ]
        with m.If(axi.bready):
            m.d.sync += axi.bvalid.eq(0)
        with m.If(do_write & writes.payload.last):
            m.d.sync += [axi.bvalid.eq(1), axi.bresp.eq(writes.payload.resp)]

        m.d.comb += [
            port.read_en.eq(reads.valid & reads.ready),
            port.read_addr.eq(reads.payload.row),
        ]
        if words.single_port:
            self._read_in_step(m, reads, port, may_read=~write_busy)
        else:
            self._read_ahead(m, reads, port)
        return m

    def _read_in_step(self, m, reads, port, *, may_read):
        """One wire moves all beats that are on their way: few registers."""
        axi = self.axi
        advance = Signal()
        m.d.comb += [
            advance.eq(~axi.rvalid | axi.rready),
            reads.ready.eq(advance & may_read),
            port.advance.eq(advance),
            axi.rdata.eq(port.read_data),
        ]
        valid, *rest = delay_line(m, "read", self._words.read_latency - 1, port.read_en,
                               reads.payload.last, reads.payload.resp, advance=advance)
        with m.If(advance):
            m.d.sync += [axi.rvalid.eq(valid), Cat(axi.rlast, axi.rresp).eq(Cat(rest))]

    def _read_ahead(self, m, reads, port):
        """Beats do not wait on their way; they are asked for when they have a place at its end."""
        axi = self.axi
        answer = data.StructLayout({"data": self.data_width, "last": 1, "resp": 2})
        m.submodules.places = places = fifo.SyncFIFO(width=answer.size, depth=self.PLACES)
        valid, last, resp = delay_line(m, "read", self._words.read_latency, port.read_en,
                                    reads.payload.last, reads.payload.resp, advance=Const(1))
        arrived, leaving = data.View(answer, places.w_data), data.View(answer, places.r_data)
        free = Signal(range(self.PLACES + 1), init=self.PLACES)
        free_next = Signal.like(free)
        m.d.comb += [
            arrived.data.eq(port.read_data), arrived.last.eq(last), arrived.resp.eq(resp),
            places.w_en.eq(valid),
            axi.rvalid.eq(places.r_rdy),
            axi.rdata.eq(leaving.data), axi.rlast.eq(leaving.last), axi.rresp.eq(leaving.resp),
            places.r_en.eq(axi.rvalid & axi.rready),
            free_next.eq(free - port.read_en + places.r_en),
        ]
        may_read = Signal(init=1)
        m.d.sync += [free.eq(free_next), may_read.eq(free_next != 0)]
        m.d.comb += reads.ready.eq(may_read)
