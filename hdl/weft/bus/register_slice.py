"""A two-entry buffer that cuts both directions of a stream."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["RegisterSlice"]


class RegisterSlice(wiring.Component):
    """Delays a stream by one cycle; no wire leads from one side to the other, but to ``o_next``.

    One payload a cycle. Both ``o.valid``, ``o.payload`` and ``i.ready`` come out of registers,
    so it goes where a bus enters or leaves the core.

    Parameters
    ----------
    shape : shape-like
        Payload.

    Members
    -------
    i : :py:`In(stream.Signature(shape))`
        The stream that comes in.
    o : :py:`Out(stream.Signature(shape))`
        The same stream, one cycle later.
    o_next : :py:`Out(shape)`
        The payload of ``o`` in the next cycle, if that of this cycle is taken or there is none.
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
        # what arrives in the cycle in which ``o`` turns out to be stalled
        spare_valid = Signal()
        # without reset, like the payload that goes out: what they hold only counts while valid
        spare = Signal.like(self.o.payload, reset_less=True)
        payload = Signal.like(self.o.payload, reset_less=True)

        m.d.comb += [
            self.i.ready.eq(~spare_valid),
            self.o.payload.eq(payload),
            self.o_next.eq(Mux(spare_valid, spare, self.i.payload)),
        ]
        with m.If(~spare_valid):
            # in every cycle, without a look at ``o.ready``, which comes late
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
