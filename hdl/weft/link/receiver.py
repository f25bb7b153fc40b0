"""From bytes of the serial line to requests that are whole and right."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..spec.link_frames import CRC_BYTES, REQUEST_HEADER, REQUEST_MARK
from .crc import Crc32

__all__ = ["REQUEST", "Receiver"]

REQUEST = data.StructLayout({"command": 8, "sequence": 8, "length": 16, "addr": 32})
"""The header of a request, in the order in which its bytes come."""

_TICKS = 8              # of silence that end a frame


class Receiver(wiring.Component):
    """Finds requests, checks them, and keeps their payload.

    A request comes out after its last byte, if both CRCs are right. Whatever else arrives is
    dropped without a trace, and then everything until the line is silent: nothing in the middle of
    a damaged frame is ever taken for the beginning of another. A write whose payload is longer
    than the buffer comes out at once and is dropped like that, too.

    While a request waits to be taken, no byte is.

    Parameters
    ----------
    payload : :class:`int`
        Bytes of the buffer, a power of two.

    Members
    -------
    i : :py:`In(stream.Signature(8))`
        Bytes.
    i_tick : :py:`In(1)`
        High for one cycle, regularly. 7 to 8 ticks without a byte are silence.
    o : :py:`Out(stream.Signature(REQUEST))`
        Requests.
    o_write_en, o_write_addr, o_write_data : :py:`Out(1)`, :py:`Out(log2(payload))`, :py:`Out(8)`
        Payload, on its way into the buffer; wrong bytes, too.
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
        count = Signal(count_width)         # bytes of this part so far
        after = Signal(count_width)         # with the present byte; 0 is a full buffer
        take = Signal()
        quiet = Signal(range(_TICKS))
        silent = Signal()
        whole = Signal()                    # header and payload are here
        too_long = Signal()

        m.d.comb += [
            after.eq(count + 1),
            take.eq(self.i.valid & self.i.ready),
            silent.eq(self.i_tick & ~take & (quiet == _TICKS - 1)),
            crc.i_byte.eq(self.i.payload),
            self.o_write_data.eq(self.i.payload),
            self.o_write_addr.eq(count),
            too_long.eq(request.command[0]
                        & ((request.length > self.payload) | (request.length == 0))),
        ]
        with m.If(take):
            m.d.sync += [count.eq(after), quiet.eq(0)]
        with m.Elif(self.i_tick):
            m.d.sync += quiet.eq(quiet + 1)

        with m.FSM() as fsm:
            collects = (fsm.ongoing("HEADER") | fsm.ongoing("PAYLOAD")
                        | fsm.ongoing("CHECK"))
            m.d.comb += [
                self.i.ready.eq(fsm.ongoing("SILENCE") | fsm.ongoing("MARK")
                                | collects & ~crc.o_busy),
                crc.i_en.eq(take & collects),
                crc.i_check.eq(fsm.ongoing("CHECK")),
                crc.i_clear.eq(fsm.ongoing("MARK")),
            ]
            with m.State("SILENCE"):
                with m.If(silent):
                    m.next = "MARK"
            with m.State("MARK"):
                m.d.sync += [count.eq(0), whole.eq(0)]
                with m.If(take):
                    with m.If(self.i.payload == REQUEST_MARK):
                        m.next = "HEADER"
                    with m.Else():
                        m.next = "SILENCE"
            with m.State("HEADER"):
                with m.If(silent):
                    m.next = "MARK"
                with m.If(take):
                    m.d.sync += request.as_value().eq(
                        Cat(request.as_value()[8:], self.i.payload))
                    with m.If(after == REQUEST_HEADER.size):
                        m.d.sync += count.eq(0)
                        m.next = "CHECK"
            with m.State("PAYLOAD"):
                with m.If(silent):
                    m.next = "MARK"
                with m.If(take):
                    m.d.comb += self.o_write_en.eq(1)
                    with m.If(after == request.length[:count_width]):
                        m.d.sync += [count.eq(0), whole.eq(1)]
                        m.next = "CHECK"
            with m.State("CHECK"):
                with m.If(silent):
                    m.next = "MARK"
                with m.If(take & (after == CRC_BYTES)):
                    m.next = "JUDGE"
            with m.State("JUDGE"):
                m.d.sync += count.eq(0)
                with m.If(~crc.o_busy):
                    with m.If(crc.o_bad):
                        m.next = "SILENCE"
                    with m.Elif(request.command[0] & ~whole & ~too_long):
                        m.next = "PAYLOAD"
                    with m.Else():
                        m.next = "REQUEST"
            with m.State("REQUEST"):
                m.d.comb += self.o.valid.eq(1)
                m.d.sync += quiet.eq(0)
                with m.If(self.o.ready):
                    with m.If(too_long):
                        m.next = "SILENCE"
                    with m.Else():
                        m.next = "MARK"
        return m
