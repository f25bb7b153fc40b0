"""UART with 8 data bits, no parity and one stop bit: receiver and transmitter."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from ..spec.integers import check_integers

__all__ = ["BitClock", "UartReceiver", "UartTransmitter", "bit_step"]

_MAX_ERROR = 0.02       # of the rate; the rates of both ends may differ by half a bit in 9.5, 5 %
_MIN_CLOCKS = 4         # cycles per bit; the errors of edge and tick are up to one cycle each
_MIN_STEP = 256


def bit_step(clock_hz, baud):
    """Return the step and the width of a phase accumulator that overflows once per bit.

    A bit then starts up to one cycle after its ideal time, but the errors do not add up. Rates that
    do not divide the clock frequency are therefore possible.

    Parameters
    ----------
    clock_hz, baud : :class:`int`
        Frequency of the clock in Hz, and rate in bits per second.

    Returns
    -------
    step, width : :class:`int`
        Increment per cycle, and number of bits of the accumulator.

    Raises
    ------
    TypeError
        If a rate is not an integer.
    ValueError
        If a bit is shorter than 4 cycles, or the rate cannot be met within 2 %.
    """
    check_integers(clock_hz=clock_hz, baud=baud)
    for name, value in (("clock_hz", clock_hz), ("baud", baud)):
        if value < 1:
            raise ValueError(f"{name} must be positive, not {value}")
    if clock_hz < _MIN_CLOCKS * baud:
        raise ValueError(f"{baud} baud requires a clock of at least {_MIN_CLOCKS * baud} Hz, "
                         f"not {clock_hz}")
    width = min(32, (_MIN_STEP * clock_hz // baud).bit_length())
    step = round((baud << width) / clock_hz)
    error = abs(step * clock_hz / (baud << width) - 1)
    if error > _MAX_ERROR:
        raise ValueError(f"a clock of {clock_hz} Hz generates {baud} baud only with an error of "
                         f"{100 * error:.1f} %; the maximum is 2 %")
    return step, width


class BitClock(wiring.Component):
    """Generator of one tick per bit.

    Parameters
    ----------
    clock_hz, baud : :class:`int`
        Frequency of the clock in Hz, and rate in bits per second; see :func:`bit_step`.
    half : :class:`bool`
        The first tick comes after half a bit, minus the cycle in which the edge is detected.

    Members
    -------
    i_run : :py:`In(1)`
        Generate ticks. While ``i_run`` is low, the generator is reset to the start of a bit.
    o_tick : :py:`Out(1)`
        High for one cycle per bit.
    """

    def __init__(self, clock_hz, baud, *, half=False):
        self.half = half
        self.step, self.width = bit_step(clock_hz, baud)
        super().__init__({"i_run": In(1), "o_tick": Out(1)})

    def elaborate(self, platform):
        m = Module()
        start = (1 << self.width - 1) + self.step if self.half else 0
        phase = Signal(self.width, init=start)
        total = Signal(self.width + 1)
        m.d.comb += [total.eq(phase + self.step), self.o_tick.eq(self.i_run & total[-1])]
        with m.If(self.i_run):
            m.d.sync += phase.eq(total)
        with m.Else():
            m.d.sync += phase.eq(start)
        return m


class UartReceiver(wiring.Component):
    """UART receiver.

    The line is synchronised by two registers and sampled in the middle of each bit. A start bit
    that ends before its middle is ignored. A byte without a stop bit is discarded; the next byte
    can start after the line has been high.

    Parameters
    ----------
    clock_hz, baud : :class:`int`
        Frequency of the clock in Hz, and rate in bits per second; see :func:`bit_step`.

    Members
    -------
    i_rx : :py:`In(1)`
        Serial line, high while idle. The input may be asynchronous.
    o_byte : :py:`Out(8)`
        The received byte, valid while ``o_en`` is high.
    o_en : :py:`Out(1)`
        High for one cycle: a byte was received.

    Raises
    ------
    TypeError, ValueError
        See :func:`bit_step`.
    """

    def __init__(self, clock_hz, baud):
        bit_step(clock_hz, baud)
        self.clock_hz = clock_hz
        self.baud = baud
        super().__init__({"i_rx": In(1, init=1), "o_byte": Out(8), "o_en": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.clock = clock = BitClock(self.clock_hz, self.baud, half=True)
        line = Signal(init=1)
        m.submodules.line = FFSynchronizer(self.i_rx, line, init=1)

        # a 1 is shifted ahead of the data; when it reaches bit 0, eight bits have been received
        shift = Signal(9)
        m.d.comb += self.o_byte.eq(shift[1:])
        m.d.sync += self.o_en.eq(0)
        with m.FSM() as fsm:
            m.d.comb += clock.i_run.eq(~fsm.ongoing("IDLE") & ~fsm.ongoing("BROKEN"))
            with m.State("IDLE"):
                with m.If(~line):
                    m.next = "START"
            with m.State("START"):
                with m.If(clock.o_tick):
                    m.d.sync += shift.eq(1 << 8)
                    with m.If(line):
                        m.next = "IDLE"
                    with m.Else():
                        m.next = "DATA"
            with m.State("DATA"):
                with m.If(clock.o_tick):
                    m.d.sync += shift.eq(Cat(shift[1:], line))
                    with m.If(shift[1]):
                        m.next = "STOP"
            with m.State("STOP"):
                with m.If(clock.o_tick):
                    m.d.sync += self.o_en.eq(line)
                    with m.If(line):
                        m.next = "IDLE"
                    with m.Else():
                        m.next = "BROKEN"
            with m.State("BROKEN"):
                with m.If(line):
                    m.next = "IDLE"
        return m


class UartTransmitter(wiring.Component):
    """UART transmitter.

    The transmission of a byte takes the time of ten bits, and one cycle.

    Parameters
    ----------
    clock_hz, baud : :class:`int`
        Frequency of the clock in Hz, and rate in bits per second; see :func:`bit_step`.

    Members
    -------
    i : :py:`In(stream.Signature(8))`
        Bytes to send.
    o_tx : :py:`Out(1)`
        Serial line, from a register; high while idle.

    Raises
    ------
    TypeError, ValueError
        See :func:`bit_step`.
    """

    def __init__(self, clock_hz, baud):
        bit_step(clock_hz, baud)
        self.clock_hz = clock_hz
        self.baud = baud
        super().__init__({"i": In(stream.Signature(8)), "o_tx": Out(1, init=1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.clock = clock = BitClock(self.clock_hz, self.baud)
        # data, stop bit and a 1; when only this last 1 is left, the stop bit is being sent
        shift = Signal(10)
        m.d.comb += [clock.i_run.eq(shift.any()), self.i.ready.eq(~shift.any())]
        with m.If(self.i.ready & self.i.valid):
            m.d.sync += [shift.eq(Cat(self.i.payload, Const(0b11, 2))), self.o_tx.eq(0)]
        with m.Elif(clock.o_tick):
            m.d.sync += shift.eq(shift >> 1)
            with m.If(shift[1:].any()):
                m.d.sync += self.o_tx.eq(shift[0])
        return m
