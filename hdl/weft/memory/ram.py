"""An AXI4 memory on the chip."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from ..bus.axi4 import RESP_OKAY, Axi4
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

    All outputs come from registers, except these short ways: ``rready`` reaches the enables of
    the memory, ``bready`` reaches ``wready``, and an SPRAM's data passes a multiplexer. Managers
    have both readies in registers.

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
        return Beats.LATENCY + self._words.read_latency

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

        advance = Signal()                  # one wire moves all beats that are on their way
        may_read = Signal()
        m.d.comb += [
            advance.eq(~axi.rvalid | axi.rready),
            may_read.eq(~write_busy if words.single_port else 1),
            reads.ready.eq(advance & may_read),
            port.advance.eq(advance),
            port.read_en.eq(reads.valid & may_read),
            port.read_addr.eq(reads.payload.row),
            axi.rdata.eq(port.read_data),
        ]
        valid, last, resp = port.read_en, reads.payload.last, reads.payload.resp
        for stage in range(words.read_latency - 1):
            before = valid, last, resp
            valid = Signal(name=f"s{stage}_valid")
            last, resp = Signal(name=f"s{stage}_last"), Signal(2, name=f"s{stage}_resp")
            with m.If(advance):
                m.d.sync += [now.eq(then) for now, then in zip((valid, last, resp), before)]
        with m.If(advance):
            m.d.sync += [axi.rvalid.eq(valid), axi.rlast.eq(last), axi.rresp.eq(resp)]
        return m
