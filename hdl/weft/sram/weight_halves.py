"""Weight buffer that reads two lines of a tile per cycle, one from each half of the tile."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In
from amaranth.utils import exact_log2

from .banked import BankedMemory
from .ports import PortShape, ReadPort, UpperWrite, WritePort

__all__ = ["WeightHalves"]

HALVES = ("lower", "upper")
"""The memories: lines for the lower half of the array's rows, which come first, and the rest."""


class WeightHalves(wiring.Component):
    """Weight buffer made of two memories of ``config.wgt_bytes / 2`` bytes each.

    One memory holds the first half of the lines of every tile, for the lower half of the array's
    rows, and the other memory holds the second half. Each memory has a read port of its own. A
    write may cover bytes of both. Byte addresses, ready, latency, flush and clear are those of
    :class:`~weft.sram.weights.WeightBuffer`.

    Parameters
    ----------
    config : :class:`Config`
        Size and width, and the widths of the ports; ``tile_lines`` is 2.

    Members
    -------
    matmul, matmul_lower : :py:`In(ReadPort(line_width, cols))`
        Lines for the upper and for the lower half of the array's rows. The address of a request is
        ``tile * rows / 2`` plus the index of the line in its half of the tile.
    load : :py:`In(WritePort(addr_width, bus_bytes))`
        Beats from host memory, at byte addresses.
    load_upper : :py:`In(UpperWrite(bus_bytes))`
        With ``weights_4bit``: beats that are written together with those of ``load``.
    i_flush, i_clear : :py:`In(1)`
        See :class:`BankedMemory`.
    o_clearing : :py:`Out(1)`
        A clear is in progress.
    """

    def __init__(self, config):
        self.config = config
        self.addr_width = config.wgt_addr_width
        self.line_width = config.wgt_line_addr_width
        self.half_bytes = config.tile_bytes // 2
        self._halves = {name: BankedMemory(
            size=config.wgt_bytes // 2, width=config.wgt_row_bytes, banks=1,
            group=config.wgt_group,
            reads={"matmul": PortShape(config.cols, step=config.cols)},
            writes={"load": PortShape(config.bus_bytes)},
            aligned="load" if config.weights_4bit and name == "upper" else None)
            for name in HALVES}
        self.read_latency = self._halves["lower"].read_latency
        super().__init__({
            "matmul": In(ReadPort(self.line_width, config.cols)),
            "matmul_lower": In(ReadPort(self.line_width, config.cols)),
            "load": In(WritePort(self.addr_width, config.bus_bytes)),
            "i_flush": In(1),
            "i_clear": In(1),
            "o_clearing": wiring.Out(1),
            **({"load_upper": In(UpperWrite(config.bus_bytes))} if config.weights_4bit else {}),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.lower = lower = self._halves["lower"]
        m.submodules.upper = upper = self._halves["upper"]
        wiring.connect(m, wiring.flipped(self.matmul), upper.matmul)
        wiring.connect(m, wiring.flipped(self.matmul_lower), lower.matmul)
        self._elaborate_write(m, lower.load, upper.load, getattr(upper, "load_aligned", None))
        for memory in (lower, upper):
            m.d.comb += [memory.i_flush.eq(self.i_flush), memory.i_clear.eq(self.i_clear)]
        m.d.comb += self.o_clearing.eq(lower.o_clearing)
        return m

    def _elaborate_write(self, m, lower, upper, aligned):
        """Write the bytes of a beat to the memories that hold them.

        An address consists of a tile index, one bit that selects the half, and an offset in the
        half. Without that bit it is the address in a memory. A beat spans at most two halves; the
        bytes beyond the first half belong to the other memory, where they follow the same half of
        the tile before, or of the same tile.
        """
        request = self.load.req.payload
        offset_width = exact_log2(self.half_bytes)
        offset, half = request.addr[:offset_width], request.addr[offset_width]
        tile = request.addr[offset_width + 1:]
        beyond = Signal(self.config.bus_bytes)      # bytes that lie in the half after the first
        for byte in range(1, self.config.bus_bytes):
            m.d.comb += beyond[byte].eq(offset >= self.half_bytes - byte)
        for port, is_other, first_tile in ((lower, half, tile), (upper, ~half, tile - ~half)):
            m.d.comb += [
                port.req.valid.eq(self.load.req.valid),
                port.req.payload.addr[:offset_width].eq(offset),
                port.req.payload.addr[offset_width:].eq(first_tile),
                port.req.payload.data.eq(request.data),
                port.req.payload.last.eq(request.last),
            ]
            for byte in range(self.config.bus_bytes):
                m.d.comb += port.req.payload.mask[byte].eq(
                    request.mask[byte] & (beyond[byte] == is_other))
        if self.config.weights_4bit:
            # the rotation of the bytes is common to both memories, but these are not rotated
            wiring.connect(m, aligned, wiring.flipped(self.load_upper))
            with m.If(self.load_upper.en):
                m.d.comb += [
                    upper.req.payload.addr[offset_width:].eq(tile),
                    upper.req.payload.mask.eq(request.mask),
                ]
        # both memories accept and complete every request in the same cycle
        m.d.comb += [
            self.load.req.ready.eq(lower.req.ready),
            self.load.done.eq(lower.done),
            self.load.conflict.eq(lower.conflict),
        ]
