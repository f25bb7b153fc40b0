"""Two-entry stream buffer that registers both directions."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["RegisterSlice"]


class RegisterSlice(wiring.Component):
    """Stream buffer with a latency of one cycle and a throughput of one payload per cycle.

    ``o.valid``, ``o.payload`` and ``i.ready`` come from registers. The only combinational path
    between the two sides leads to ``o_next``. The buffer is used where a bus enters or leaves the
    core.

    Parameters
    ----------
    shape : shape-like
        Shape of the payload.

    Members
    -------
    i : :py:`In(stream.Signature(shape))`
        Input stream.
    o : :py:`Out(stream.Signature(shape))`
        The same stream, one cycle later.
    o_next : :py:`Out(shape)`
        Payload of ``o`` in the next cycle, if ``o`` is not stalled in this cycle.
    """

    LATENCY = 1         # from i.valid to o.valid, in cycles

    def __init__(self, shape):
        self.shape = shape
        super().__init__({
            "i": In(stream.Signature(shape)),
            "o": Out(stream.Signature(shape)),
            "o_next": Out(shape),
        })

    def elaborate(self, platform):
        m = Module()
        # stores the payload that arrives in the cycle in which `o` becomes stalled
        spare_valid = Signal()
        # no reset, because a payload is used only while it is valid
        spare = Signal.like(self.o.payload, reset_less=True)
        payload = Signal.like(self.o.payload, reset_less=True)

        m.d.comb += [
            self.i.ready.eq(~spare_valid),
            self.o.payload.eq(payload),
            self.o_next.eq(Mux(spare_valid, spare, self.i.payload)),
        ]
        with m.If(~spare_valid):
            # loads in every cycle, because o.ready arrives too late for a clock enable
            m.d.sync += spare.eq(self.i.payload)
        with m.If(self.o.ready | ~self.o.valid):
            m.d.sync += [
                self.o.valid.eq(self.i.valid | spare_valid),
                payload.eq(self.o_next),
                spare_valid.eq(0),
            ]
        with m.Elif(self.i.valid):
            m.d.sync += spare_valid.eq(1)
        return m
