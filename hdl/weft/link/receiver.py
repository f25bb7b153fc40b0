"""Receiver of the host link, which finds complete, correct requests in the received bytes."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..spec.link_frames import CRC_BYTES, REQUEST_HEADER, REQUEST_MARK
from .crc import Crc32

__all__ = ["REQUEST", "Receiver"]

REQUEST = data.StructLayout({"command": 8, "sequence": 8, "length": 16, "addr": 32})
"""Header of a request, in the order in which its bytes arrive."""

_TICKS = 8              # ticks of silence after which a frame is discarded


class Receiver(wiring.Component):
    """Parser of requests, which checks their CRCs and writes their payload to the buffer.

    A request is output after its last byte if all its CRCs are correct. Any other bytes are
    discarded, and so is everything after them until the line is silent. No part of a damaged frame
    can therefore be mistaken for the start of another frame. A write whose payload is empty or
    exceeds the buffer is output after its header, and its payload is discarded in the same way.

    While a request waits at the output, no byte is accepted.

    Parameters
    ----------
    payload : :class:`int`
        Size of the buffer in bytes, a power of two.

    Members
    -------
    i : :py:`In(stream.Signature(8))`
        Received bytes.
    i_tick : :py:`In(1)`
        Periodic pulse of one cycle. The line is silent after 7 to 8 ticks without a byte.
    o : :py:`Out(stream.Signature(REQUEST))`
        Complete, correct requests.
    o_write_en, o_write_addr, o_write_data : :py:`Out(1)`, :py:`Out(log2(payload))`, :py:`Out(8)`
        Write port of the buffer. The payload is written before its CRC is checked.
    """

    def __init__(self, payload):
        self.payload = payload
        super().__init__({
            "i": In(stream.Signature(8)),
            "i_tick": In(1),
            "o": Out(stream.Signature(REQUEST)),
            "o_write_en": Out(1),
            "o_write_addr": Out((payload - 1).bit_length()),
            "o_write_data": Out(8),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = crc = Crc32()
        request = self.o.payload
        count_width = (self.payload - 1).bit_length()
        count = Signal(count_width)         # bytes of this part of the frame so far
        count_next = Signal(count_width)    # count plus the current byte; 0 means a full buffer
        accepted = Signal()
        ticks = Signal(range(_TICKS))
        silent = Signal()
        complete = Signal()                 # header and payload have been received
        bad_length = Signal()

        m.d.comb += [
            count_next.eq(count + 1),
            accepted.eq(self.i.valid & self.i.ready),
            silent.eq(self.i_tick & ~accepted & (ticks == _TICKS - 1)),
            crc.i_byte.eq(self.i.payload),
            self.o_write_data.eq(self.i.payload),
            self.o_write_addr.eq(count),
            bad_length.eq(request.command[0]
                        & ((request.length > self.payload) | (request.length == 0))),
        ]
        with m.If(accepted):
            m.d.sync += [count.eq(count_next), ticks.eq(0)]
        with m.Elif(self.i_tick):
            m.d.sync += ticks.eq(ticks + 1)

        with m.FSM() as fsm:
            collecting = (fsm.ongoing("HEADER") | fsm.ongoing("PAYLOAD")
                          | fsm.ongoing("CHECK"))
            m.d.comb += [
                self.i.ready.eq(fsm.ongoing("SILENCE") | fsm.ongoing("MARK")
                                | collecting & ~crc.o_busy),
                crc.i_en.eq(accepted & collecting),
                crc.i_check.eq(fsm.ongoing("CHECK")),
                crc.i_clear.eq(fsm.ongoing("MARK")),
            ]
            with m.State("SILENCE"):
                with m.If(silent):
                    m.next = "MARK"
            with m.State("MARK"):
                m.d.sync += [count.eq(0), complete.eq(0)]
                with m.If(accepted):
                    with m.If(self.i.payload == REQUEST_MARK):
                        m.next = "HEADER"
                    with m.Else():
                        m.next = "SILENCE"
            with m.State("HEADER"):
                with m.If(silent):
                    m.next = "MARK"
                with m.If(accepted):
                    m.d.sync += request.as_value().eq(
                        Cat(request.as_value()[8:], self.i.payload))
                    with m.If(count_next == REQUEST_HEADER.size):
                        m.d.sync += count.eq(0)
                        m.next = "CHECK"
            with m.State("PAYLOAD"):
                with m.If(silent):
                    m.next = "MARK"
                with m.If(accepted):
                    m.d.comb += self.o_write_en.eq(1)
                    with m.If(count_next == request.length[:count_width]):
                        m.d.sync += [count.eq(0), complete.eq(1)]
                        m.next = "CHECK"
            with m.State("CHECK"):
                with m.If(silent):
                    m.next = "MARK"
                with m.If(accepted & (count_next == CRC_BYTES)):
                    m.next = "VERDICT"
            with m.State("VERDICT"):
                m.d.sync += count.eq(0)
                with m.If(~crc.o_busy):
                    with m.If(crc.o_bad):
                        m.next = "SILENCE"
                    with m.Elif(request.command[0] & ~complete & ~bad_length):
                        m.next = "PAYLOAD"
                    with m.Else():
                        m.next = "REQUEST"
            with m.State("REQUEST"):
                m.d.comb += self.o.valid.eq(1)
                m.d.sync += ticks.eq(0)
                with m.If(self.o.ready):
                    with m.If(bad_length):
                        m.next = "SILENCE"
                    with m.Else():
                        m.next = "MARK"
        return m
