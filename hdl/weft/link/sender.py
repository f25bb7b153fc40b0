"""Sender of the host link, which converts answers into bytes."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..spec.link_frames import ANSWER_HEADER, ANSWER_MARK, CRC_BYTES
from .crc import Crc32

__all__ = ["ANSWER", "Sender"]

ANSWER = data.StructLayout({"status": 8, "sequence": 8, "last": 8, "length": 16})
"""Header of an answer, in the order in which its bytes are sent."""


class Sender(wiring.Component):
    """Serialiser of answers: mark, header, CRC and, if the length is not 0, payload and CRC.

    Parameters
    ----------
    payload : :class:`int`
        Size of the buffer in bytes, a power of two.

    Members
    -------
    i : :py:`In(stream.Signature(ANSWER))`
        Answers; ``ready`` is high in the cycle in which the last byte is transferred at ``o``.
    o_read_addr, i_read_data : :py:`Out(log2(payload))`, :py:`In(8)`
        Read port of the buffer. The data is valid two cycles after its address.
    o : :py:`Out(stream.Signature(8))`
        Bytes to send. A byte is valid 13 cycles after the previous one is transferred.
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
        count_next = Signal(count_width)
        check = Signal()        # sending a CRC
        body = Signal()         # sending the payload or its CRC
        last = Signal()
        header_byte = Signal(8)

        m.d.comb += [
            count_next.eq(count + 1),
            crc.i_byte.eq(Mux(body, self.i_read_data, header_byte)),
            crc.i_check.eq(check),
            self.o_read_addr.eq(count),
            last.eq(Mux(check, count_next == CRC_BYTES,
                        Mux(body, count_next == answer.length[:count_width],
                            count_next == ANSWER_HEADER.size))),
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
                m.next = "PROCESS"
            with m.State("PROCESS"):
                m.d.comb += crc.i_en.eq(1)
                m.next = "SEND"
            with m.State("SEND"):
                m.d.comb += [self.o.valid.eq(~crc.o_busy), self.o.payload.eq(crc.o_byte)]
                with m.If(self.o.valid & self.o.ready):
                    m.d.sync += count.eq(count_next)
                    m.next = "FETCH"
                    with m.If(last):
                        m.d.sync += [count.eq(0), check.eq(~check), body.eq(body | check)]
                        with m.If(check & (body | (answer.length == 0))):
                            m.d.comb += self.i.ready.eq(1)
                            m.next = "MARK"
        return m
