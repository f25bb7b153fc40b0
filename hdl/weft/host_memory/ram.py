"""On-chip memory with an AXI4 port."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, fifo, wiring
from amaranth.lib.wiring import In

from ..bus.axi4 import RESP_OKAY, Axi4
from ..delay_line import delay_line
from ..spec.integers import check_integers
from .burst_splitter import BurstSplitter, split_bursts
from .storage import BlockStorage, SpramStorage

__all__ = ["AxiRam", "STORAGE"]

STORAGE = ("block", "spram", "spram_model")
"""Block RAM, SPRAM of the iCE40 UltraPlus, and a model of SPRAM for any simulator."""


class AxiRam(wiring.Component):
    """On-chip memory with an AXI4 port for incrementing bursts of whole beats, with byte strobes.

    With bursts of two or more beats, block RAM transfers one beat per cycle in each direction.
    SPRAM transfers one beat per cycle in total, and alternates between reads and writes if both
    are pending. The first data of a read is valid :attr:`read_latency` cycles after its address
    is accepted. A read whose address is accepted after the response to a write returns the written
    data.

    All outputs come from registers, with few exceptions. There is a short combinational path from
    ``bready`` to ``wready``. With SPRAM, there is also one from ``rready`` to the enables of the
    memory, and the read data passes a multiplexer. The managers in Weft drive ``bready`` and
    ``rready`` from registers.

    The response to every beat of a burst outside the memory is DECERR. The response to a burst
    whose beats are narrow, or whose type is not incrementing, is SLVERR. Neither burst changes the
    memory.

    Parameters
    ----------
    addr_width : :class:`int`
        Width of a byte address in bits.
    data_width : :class:`int`
        Width of a beat in bits: 32, 64, 128 or 256.
    size : :class:`int`
        Size in bytes, a power of two of at least 4096. With SPRAM, a multiple of 16384 beats.
    base : :class:`int`
        Address of the first byte, a multiple of ``size``.
    storage : :class:`str`
        One of :data:`STORAGE`.

    Members
    -------
    axi : :py:`In(Axi4(addr_width=addr_width, data_width=data_width))`
        Port. IDs are ignored, and are 0 in responses.

    Raises
    ------
    TypeError
        If a number is not an integer.
    ValueError
        If a value is out of range, or if this storage cannot have the size.
    """

    READ_BUFFER_BEATS = 8       # maximum number of outstanding beats of block RAM
    READ_BUFFER_LATENCY = 1     # cycles through the read buffer

    def __init__(self, *, addr_width, data_width, size, base=0, storage="block"):
        check_integers(addr_width=addr_width, data_width=data_width, size=size, base=base)
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
        """Cycles from the acceptance of an address to its first valid data."""
        return BurstSplitter.LATENCY + self._words.read_latency + (
            0 if self._words.single_port else self.READ_BUFFER_LATENCY)

    def elaborate(self, platform):
        m = Module()
        axi = self.axi
        m.submodules.words = words = self._words
        port = words.port
        reads, writes = (split_bursts(m, axi, channel, base=self.base, size=self.size)
                         for channel in ("ar", "aw"))

        # write data is registered, so the memory is written one cycle after the handshake
        write_busy = Signal()
        do_write = Signal()
        m.d.comb += [
            axi.wready.eq(writes.valid & (~axi.bvalid | axi.bready)),
            do_write.eq(axi.wvalid & axi.wready),
            writes.ready.eq(do_write),
        ]
        if words.single_port:
            # the cycle after a write is for a pending read
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
            self._read_with_stalls(m, reads, port, may_read=~write_busy)
        else:
            self._read_with_buffer(m, reads, port)
        return m

    def _read_with_stalls(self, m, reads, port, *, may_read):
        """Connect the read channels of a single-port memory, whose reads can be stalled.

        All beats in flight have the same clock enable, which needs few registers.
        """
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

    def _read_with_buffer(self, m, reads, port):
        """Connect the read channels of a memory whose reads cannot be stalled.

        A beat is requested only if the read buffer has a free entry for it.
        """
        axi = self.axi
        layout = data.StructLayout({"data": self.data_width, "last": 1, "resp": 2})
        m.submodules.read_buffer = buffer = fifo.SyncFIFO(
            width=layout.size, depth=self.READ_BUFFER_BEATS)
        valid, last, resp = delay_line(m, "read", self._words.read_latency, port.read_en,
                                       reads.payload.last, reads.payload.resp, advance=Const(1))
        buffer_in, buffer_out = (data.View(layout, value)
                                 for value in (buffer.w_data, buffer.r_data))
        free = Signal(range(self.READ_BUFFER_BEATS + 1), init=self.READ_BUFFER_BEATS)
        free_next = Signal.like(free)
        m.d.comb += [
            buffer_in.data.eq(port.read_data),
            buffer_in.last.eq(last), buffer_in.resp.eq(resp),
            buffer.w_en.eq(valid),
            axi.rvalid.eq(buffer.r_rdy),
            axi.rdata.eq(buffer_out.data),
            axi.rlast.eq(buffer_out.last), axi.rresp.eq(buffer_out.resp),
            buffer.r_en.eq(axi.rvalid & axi.rready),
            free_next.eq(free - port.read_en + buffer.r_en),
        ]
        may_read = Signal(init=1)
        m.d.sync += [free.eq(free_next), may_read.eq(free_next != 0)]
        m.d.comb += reads.ready.eq(may_read)
