"""Small AXI manager with the accelerator's ports, for tests of the simulated memory."""

from amaranth.hdl import Array, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from weft.bus.axi4 import Axi4, Axi4Lite

__all__ = ["CopyEngine", "BUGS"]

BUGS = (None, "drop", "change", "wlast", "cross", "size", "fixed", "unaligned")

SOURCE, TARGET, BEATS, RESPONSE = 0, 4, 8, 12
"""Register offsets. A write to BEATS starts the copy; RESPONSE holds the OR of all responses."""


class CopyEngine(wiring.Component):
    """Copy engine for one burst: it reads all beats, then writes them, then raises irq.

    Parameters
    ----------
    data_width : :class:`int`
        Bits per beat.
    bug : :class:`str` or :class:`None`
        Rule of AXI to violate, one of :data:`BUGS`.
    """

    DEPTH = 16

    def __init__(self, data_width=64, bug=None):
        if bug not in BUGS:
            raise ValueError(f"bug must be one of {BUGS}, not {bug!r}")
        self.bug = bug
        self.beat = data_width // 8
        super().__init__({
            "s_axil": In(Axi4Lite(addr_width=12)),
            "m_axi": Out(Axi4(addr_width=32, data_width=data_width)),
            "irq": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        axil, axi = self.s_axil, self.m_axi
        registers = Array(Signal(32, name=f"register{index}") for index in range(4))
        source, target, beats, response = registers
        buffer = Array(Signal(8 * self.beat, name=f"beat{index}") for index in range(self.DEPTH))
        count = Signal(range(self.DEPTH + 1))
        stalled = Signal(4)
        start = Signal()

        m.d.comb += [
            axil.awready.eq(axil.wvalid & ~axil.bvalid),
            axil.wready.eq(axil.awvalid & ~axil.bvalid),
            axil.arready.eq(~axil.rvalid),
        ]
        with m.If(axil.bready):
            m.d.sync += axil.bvalid.eq(0)
        with m.If(axil.rready):
            m.d.sync += axil.rvalid.eq(0)
        m.d.sync += start.eq(0)
        with m.If(axil.awvalid & axil.wvalid & ~axil.bvalid):
            m.d.sync += [registers[axil.awaddr[2:4]].eq(axil.wdata), axil.bvalid.eq(1),
                         axil.bresp.eq(0)]
            with m.If(axil.awaddr == BEATS):
                m.d.sync += [start.eq(1), self.irq.eq(0)]
        with m.If(axil.arvalid & axil.arready):
            m.d.sync += [axil.rdata.eq(registers[axil.araddr[2:4]]), axil.rvalid.eq(1),
                         axil.rresp.eq(0)]

        size = self.beat.bit_length() - 1
        for name in ("ar", "aw"):
            m.d.comb += [
                getattr(axi, f"{name}len").eq(beats - 1),
                getattr(axi, f"{name}size").eq(0 if self.bug == "size" else size),
                getattr(axi, f"{name}burst").eq(0 if self.bug == "fixed" else 1),
            ]
        toggle = stalled[0] if self.bug == "change" else 0
        offset = {"cross": 4096 - self.beat, "unaligned": 1}.get(self.bug, 0)
        m.d.comb += [axi.araddr.eq(source + offset), axi.awaddr.eq(target + 8 * self.beat * toggle)]

        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += count.eq(0)
                with m.If(start):
                    m.d.sync += response.eq(0)
                    m.next = "READ_ADDRESS"
            with m.State("READ_ADDRESS"):
                m.d.comb += axi.arvalid.eq(1)
                with m.If(axi.arready):
                    m.next = "READ"
            with m.State("READ"):
                m.d.comb += axi.rready.eq(1)
                with m.If(axi.rvalid):
                    m.d.sync += [buffer[count].eq(axi.rdata), count.eq(count + 1),
                                 response.eq(response | axi.rresp)]
                    with m.If(axi.rlast):
                        m.d.sync += [count.eq(0), stalled.eq(0)]
                        m.next = "WRITE_ADDRESS"
            with m.State("WRITE_ADDRESS"):
                m.d.comb += axi.awvalid.eq(~stalled[1] if self.bug == "drop" else 1)
                m.d.sync += stalled.eq(stalled + 1)
                with m.If(axi.awvalid & axi.awready):
                    m.next = "WRITE"
            with m.State("WRITE"):
                last = count == (0 if self.bug == "wlast" else beats - 1)
                m.d.comb += [axi.wvalid.eq(1), axi.wdata.eq(buffer[count]),
                             axi.wstrb.eq((1 << self.beat) - 1), axi.wlast.eq(last)]
                with m.If(axi.wready):
                    m.d.sync += count.eq(count + 1)
                    with m.If(count == beats - 1):
                        m.next = "RESPONSE"
            with m.State("RESPONSE"):
                m.d.comb += axi.bready.eq(1)
                with m.If(axi.bvalid):
                    m.d.sync += [response.eq(response | axi.bresp << 4), self.irq.eq(1)]
                    m.next = "IDLE"
        return m
