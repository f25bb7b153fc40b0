"""AXI4 and AXI4-Lite signatures, from the manager's side (ARM IHI 0022, issue H)."""

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["BURST_INCR", "CACHE_BUFFERABLE", "RESP_DECERR", "RESP_OKAY", "RESP_SLVERR", "Axi4",
           "Axi4Lite", "Axi4Read", "Axi4Write", "connect_half"]

RESP_OKAY, RESP_EXOKAY, RESP_SLVERR, RESP_DECERR = range(4)

BURST_INCR = 1
CACHE_BUFFERABLE = 0b0011
"""Normal, non-cacheable, bufferable memory: the attribute for the accesses of a DMA engine."""


class Axi4Read(wiring.Signature):
    """Read half of AXI4, for incrementing bursts of whole beats with a single ID."""

    def __init__(self, *, addr_width, data_width):
        super().__init__({
            "arid": Out(1), "araddr": Out(addr_width), "arlen": Out(8), "arsize": Out(3),
            "arburst": Out(2), "arlock": Out(1), "arcache": Out(4), "arprot": Out(3),
            "arqos": Out(4), "arvalid": Out(1), "arready": In(1),
            "rid": In(1), "rdata": In(data_width), "rresp": In(2), "rlast": In(1), "rvalid": In(1),
            "rready": Out(1),
        })


class Axi4Write(wiring.Signature):
    """Write half of AXI4, for incrementing bursts of whole beats with strobes and a single ID."""

    def __init__(self, *, addr_width, data_width):
        super().__init__({
            "awid": Out(1), "awaddr": Out(addr_width), "awlen": Out(8), "awsize": Out(3),
            "awburst": Out(2), "awlock": Out(1), "awcache": Out(4), "awprot": Out(3),
            "awqos": Out(4), "awvalid": Out(1), "awready": In(1),
            "wdata": Out(data_width), "wstrb": Out(data_width // 8), "wlast": Out(1),
            "wvalid": Out(1), "wready": In(1),
            "bid": In(1), "bresp": In(2), "bvalid": In(1), "bready": Out(1),
        })


class Axi4(wiring.Signature):
    """AXI4: the members of :class:`Axi4Read` and :class:`Axi4Write`."""

    def __init__(self, *, addr_width, data_width):
        members = {}
        for half in (Axi4Read, Axi4Write):
            members.update(half(addr_width=addr_width, data_width=data_width).members)
        super().__init__(members)


class Axi4Lite(wiring.Signature):
    """AXI4-Lite with 32-bit data."""

    def __init__(self, *, addr_width):
        super().__init__({
            "awaddr": Out(addr_width), "awprot": Out(3), "awvalid": Out(1), "awready": In(1),
            "wdata": Out(32), "wstrb": Out(4), "wvalid": Out(1), "wready": In(1),
            "bresp": In(2), "bvalid": In(1), "bready": Out(1),
            "araddr": Out(addr_width), "arprot": Out(3), "arvalid": Out(1), "arready": In(1),
            "rdata": In(32), "rresp": In(2), "rvalid": In(1), "rready": Out(1),
        })


def connect_half(m, port, half):
    """Connect a read or write half to the signals of the same names in ``port``.

    Parameters
    ----------
    port : interface of :class:`Axi4`
        Port of the component that ``m`` belongs to.
    half : interface of :class:`Axi4Read` or :class:`Axi4Write`
        Port of a submodule of ``m``.
    """
    for name, member in half.signature.members.items():
        outer, inner = getattr(port, name), getattr(half, name)
        m.d.comb += outer.eq(inner) if member.flow == Out else inner.eq(outer)
