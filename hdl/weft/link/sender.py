"""From an answer to bytes of the serial line."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..spec.link_frames import ANSWER_HEADER, ANSWER_MARK, CRC_BYTES
from .crc import Crc32

__all__ = ["ANSWER", "Sender"]

ANSWER = data.StructLayout({"status": 8, "sequence": 8, "last": 8, "length": 16})
"""The header of an answer, in the order in which its bytes go."""


class Sender(wiring.Component):
    """Sends answers: mark, header, CRC and, if there is one, payload and CRC.

    Parameters
    ----------
    payload : :class:`int`
        Bytes of the buffer, a power of two.

    Members
    -------
    i : :py:`In(stream.Signature(ANSWER))`
        Answers; taken after the last byte has been given to ``o``, and stable until then.
    o_read_addr, i_read_data : :py:`Out(log2(payload))`, :py:`In(8)`
        The buffer; a byte is there two cycles after its address.
    o : :py:`Out(stream.Signature(8))`
        Bytes. A new one is ready 13 cycles after one was taken.
    """

    def __init__(self, payload):
        self.payload = payload
        super().__init__({
            "i": In(stream.Signature(ANSWER)),
            "o_read_addr": Out((payload - 1).bit_length()),
            "i_read_data": In(8),
            "o": Out(stream.Signature(8)),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = crc = Crc32()
        answer = self.i.payload
        count_width = (self.payload - 1).bit_length()
        count = Signal(count_width)
        after = Signal(count_width)
        check = Signal()        # the bytes of a CRC are sent
        body = Signal()         # of the payload, not of the header
        last = Signal()
        header_byte = Signal(8)

        m.d.comb += [
            after.eq(count + 1),
            crc.i_byte.eq(Mux(body, self.i_read_data, header_byte)),
            crc.i_check.eq(check),
            self.o_read_addr.eq(count),
            last.eq(Mux(check, after == CRC_BYTES,
                        Mux(body, after == answer.length[:count_width],
                            after == ANSWER_HEADER.size))),
        ]
        header = answer.as_value()
        with m.Switch(count[:3]):
            for index in range(ANSWER_HEADER.size - 1):
                with m.Case(index):
                    m.d.comb += header_byte.eq(header.word_select(index, 8))
            with m.Default():
                m.d.comb += header_byte.eq(header[-8:])
        with m.FSM():
            with m.State("MARK"):
                m.d.comb += [
                    crc.i_clear.eq(1),
                    self.o.valid.eq(self.i.valid),
                    self.o.payload.eq(ANSWER_MARK),
                ]
                m.d.sync += [count.eq(0), check.eq(0), body.eq(0)]
                with m.If(self.o.valid & self.o.ready):
                    m.next = "FETCH"
            with m.State("FETCH"):
                m.next = "FETCHED"
            with m.State("FETCHED"):
                m.next = "COVER"
            with m.State("COVER"):
                m.d.comb += crc.i_en.eq(1)
                m.next = "SEND"
            with m.State("SEND"):
                m.d.comb += [self.o.valid.eq(~crc.o_busy), self.o.payload.eq(crc.o_byte)]
                with m.If(self.o.valid & self.o.ready):
                    m.d.sync += count.eq(after)
                    m.next = "FETCH"
                    with m.If(last):
                        m.d.sync += [count.eq(0), check.eq(~check), body.eq(body | check)]
                        with m.If(check & (body | (answer.length == 0))):
                            m.d.comb += self.i.ready.eq(1)
                            m.next = "MARK"
        return m
