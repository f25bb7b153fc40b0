"""AXI4-Lite subordinate and the register bus behind it."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..spec.integers import check_integers
from .axi4 import RESP_OKAY, RESP_SLVERR, Axi4Lite

__all__ = ["RegisterBus", "AxiLiteSubordinate"]


class RegisterBus(wiring.Signature):
    """Bus for accesses to 32-bit registers, one at a time.

    Members
    -------
    en : :py:`Out(1)`
        High for one cycle: an access starts. ``write``, ``addr``, ``data`` and ``strb`` are stable
        from this cycle until ``ack``.
    write : :py:`Out(1)`
        The access is a write; otherwise a read.
    addr : :py:`Out(addr_width)`
        Byte address. Bits 0 and 1 are ignored.
    data : :py:`Out(32)`, ``strb`` : :py:`Out(4)`
        Data of a write, and the bytes to write.
    ack : :py:`In(1)`
        High for one cycle, at least one cycle after ``en``: the access is complete.
    read_data : :py:`In(32)`, ``error`` : :py:`In(1)`
        Valid with ``ack``. ``read_data`` is the data of a read. ``error``: the access was refused
        and has changed nothing.
    """

    def __init__(self, addr_width):
        super().__init__({
            "en": Out(1), "write": Out(1), "addr": Out(addr_width), "data": Out(32),
            "strb": Out(4), "ack": In(1), "read_data": In(32), "error": In(1),
        })


class AxiLiteSubordinate(wiring.Component):
    """AXI4-Lite subordinate that executes one access at a time on a register bus.

    Write address and write data are accepted in any order and stored until both have arrived. All
    READY and VALID outputs come from registers. Reads and writes alternate while both are pending.
    The response to a refused access is SLVERR, to any other access OKAY.

    Parameters
    ----------
    addr_width : :class:`int`
        Width of a byte address in bits.

    Members
    -------
    s_axil : :py:`In(Axi4Lite(addr_width=addr_width))`
        Port for the manager.
    bus : :py:`Out(RegisterBus(addr_width))`
        Bus to the registers.

    Raises
    ------
    TypeError
        If ``addr_width`` is not an integer.
    ValueError
        If ``addr_width`` is less than 3.

    References
    ----------
    ARM IHI 0022H, chapters A3 (handshakes) and B1 (AXI4-Lite).
    """

    def __init__(self, addr_width):
        check_integers(addr_width=addr_width)
        if addr_width < 3:
            raise ValueError(f"addr_width must be at least 3, not {addr_width}")
        self.addr_width = addr_width
        super().__init__({
            "s_axil": In(Axi4Lite(addr_width=addr_width)),
            "bus": Out(RegisterBus(addr_width)),
        })

    def elaborate(self, platform):
        m = Module()
        axil, bus = self.s_axil, self.bus

        # each *_full flag is set from the handshake of its channel until the access is complete
        aw_full = Signal()
        aw_addr = Signal(self.addr_width)
        w_full = Signal()
        ar_full = Signal()
        ar_addr = Signal(self.addr_width)
        # ready is low during reset, and high from the first cycle after it
        awake = Signal()
        m.d.sync += awake.eq(1)
        m.d.comb += [
            axil.awready.eq(awake & ~aw_full),
            axil.wready.eq(awake & ~w_full),
            axil.arready.eq(awake & ~ar_full),
        ]
        with m.If(axil.awvalid & axil.awready):
            m.d.sync += [aw_full.eq(1), aw_addr.eq(axil.awaddr)]
        with m.If(axil.wvalid & axil.wready):
            m.d.sync += [w_full.eq(1), bus.data.eq(axil.wdata), bus.strb.eq(axil.wstrb)]
        with m.If(axil.arvalid & axil.arready):
            m.d.sync += [ar_full.eq(1), ar_addr.eq(axil.araddr)]

        m.d.sync += bus.en.eq(0)
        with m.FSM():
            with m.State("IDLE"):
                can_write = Signal()
                can_read = Signal()
                m.d.comb += [
                    can_write.eq(aw_full & w_full & ~axil.bvalid),
                    can_read.eq(ar_full & ~axil.rvalid),
                ]
                with m.If(can_write | can_read):
                    # a read cannot be stalled forever: no write is pending right after a write
                    m.d.sync += [
                        bus.en.eq(1),
                        bus.write.eq(can_write),
                        bus.addr.eq(Mux(can_write, aw_addr, ar_addr)),
                    ]
                    m.next = "ACCESS"
            with m.State("ACCESS"):
                response = Mux(bus.error, RESP_SLVERR, RESP_OKAY)
                with m.If(bus.ack & ~bus.en):
                    with m.If(bus.write):
                        m.d.sync += [aw_full.eq(0), w_full.eq(0),
                                     axil.bvalid.eq(1), axil.bresp.eq(response)]
                    with m.Else():
                        m.d.sync += [ar_full.eq(0), axil.rvalid.eq(1), axil.rresp.eq(response),
                                     axil.rdata.eq(bus.read_data)]
                    m.next = "IDLE"

        with m.If(axil.bvalid & axil.bready):
            m.d.sync += axil.bvalid.eq(0)
        with m.If(axil.rvalid & axil.rready):
            m.d.sync += axil.rvalid.eq(0)
        return m
