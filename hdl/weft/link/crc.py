"""CRC-32 generator and checker, one bit per cycle."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Crc32", "POLYNOMIAL"]

POLYNOMIAL = 0xEDB88320     # IEEE 802.3, lowest bit first


class Crc32(wiring.Component):
    """CRC-32 of Ethernet and ``zlib.crc32``, for a sender or a receiver.

    A byte is processed in 8 cycles, one per bit, which needs the fewest LUTs and is faster than a
    serial line. During the four bytes of a CRC, the register rotates once and so keeps its value. A
    second CRC later in the frame therefore covers all data since ``i_clear``.

    Members
    -------
    i_clear : :py:`In(1)`
        Start a new CRC, and clear ``o_bad``.
    i_en : :py:`In(1)`
        Process ``i_byte``. Allowed while ``o_busy`` is low.
    i_byte : :py:`In(8)`
        A byte of data or, with ``i_check``, the next byte of a received CRC.
    i_check : :py:`In(1)`
        Compare the byte with the next byte of the CRC, instead of including it in the CRC.
    o_busy : :py:`Out(1)`
        A byte is being processed.
    o_byte : :py:`Out(8)`
        The byte of data or, with ``i_check``, the correct byte of the CRC; valid when ``o_busy``
        falls.
    o_bad : :py:`Out(1)`
        A byte that was compared since ``i_clear`` was wrong.

    References
    ----------
    IEEE 802.3-2018, 3.2.9.
    """

    LATENCY = 9         # from i_en to o_busy low, in cycles

    def __init__(self):
        super().__init__({
            "i_clear": In(1), "i_en": In(1), "i_byte": In(8), "i_check": In(1),
            "o_busy": Out(1), "o_byte": Out(8), "o_bad": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        crc = Signal(32, init=0xFFFFFFFF)
        count = Signal(3)
        check = Signal()
        feedback = Signal()
        taps = Signal()
        m.d.comb += [
            feedback.eq(crc[0] ^ (self.o_byte[0] & ~check)),
            taps.eq(feedback & ~check),
        ]
        with m.If(self.o_busy):
            m.d.sync += [
                crc.eq(Cat(crc[1:], feedback) ^ Mux(taps, POLYNOMIAL & 0x7FFFFFFF, 0)),
                self.o_byte.eq(Cat(self.o_byte[1:], Mux(check, ~crc[0], self.o_byte[0]))),
                count.eq(count + 1),
                self.o_busy.eq(count != 7),
            ]
            with m.If(check & (self.o_byte[0] == crc[0])):
                m.d.sync += self.o_bad.eq(1)
        with m.Elif(self.i_en):
            m.d.sync += [self.o_byte.eq(self.i_byte), check.eq(self.i_check), self.o_busy.eq(1)]
        with m.If(self.i_clear):
            m.d.sync += [crc.eq(0xFFFFFFFF), self.o_bad.eq(0)]
        return m
