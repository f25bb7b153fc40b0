"""Host link, which converts frames on a serial line into accesses to memory and registers."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from amaranth.utils import exact_log2

from ..bus.axi4 import Axi4, Axi4Lite
from ..spec.integers import ceil_div, check_integers
from ..spec.link_frames import Command, Info, Status
from .copier import Copier
from .queue import ByteQueue
from .receiver import Receiver
from .sender import Sender
from .uart import UartReceiver, UartTransmitter, bit_step

__all__ = ["HostLink", "check_line"]

_QUEUE = 512            # bytes that can wait while a request is executed; they fill one block RAM
_TICKS = 8              # ticks in a time-out, see Receiver and Copier


def check_line(clock_hz, baud, timeout_us=10_000):
    """Check that a serial line works with a clock, a baud rate and a time-out.

    Parameters
    ----------
    clock_hz, baud : :class:`int`
        Frequency of the clock in Hz, and rate in bits per second.
    timeout_us : :class:`int`
        Duration of the silence that ends a frame, in microseconds.

    Raises
    ------
    TypeError, ValueError
        If the clock cannot generate the rate, or a byte takes more than 3/4 of ``timeout_us``, so
        that the receiver would mistake it for silence.
    """
    bit_step(clock_hz, baud)
    byte_us = 10_000_000 / baud
    if byte_us > 3 / 4 * timeout_us:
        raise ValueError(f"at {baud} baud a byte takes {byte_us:.0f} us, too long for a timeout_us "
                         f"of {timeout_us}; raise one of them")


class HostLink(wiring.Component):
    """Bridge from a serial line to host memory and to the accelerator's registers.

    The bridge replaces a processor on the board. Requests are executed one at a time, in the order
    of their sequence numbers, each exactly once; every complete request is answered. Nothing is
    written before a complete frame with correct CRCs has arrived. ``docs/host_link.md`` describes
    the frames.

    Parameters
    ----------
    addr_width, data_width : :class:`int`
        Widths of ``m_axi``: 12 to 32 address bits; 32, 64, 128 or 256 data bits.
    clock_hz : :class:`int`
        Frequency of the clock in Hz.
    baud : :class:`int`
        Bits per second on the line, at most a quarter of ``clock_hz``.
    memory_base, memory_bytes : :class:`int`
        Address of the first byte of the host memory, a multiple of 4096, and its size in bytes, as
        reported to the host. A size of 0 means that the host must obtain it elsewhere.
    board : :class:`str`
        Name of the board, up to 16 ASCII characters, as reported to the host.
    payload : :class:`int`
        Maximum payload of a frame in bytes: a power of two, 64 to 4096.
    timeout_us : :class:`int`
        Silence after which an incomplete frame is discarded, and also the time after which an
        access ends if the bus does not respond, in microseconds. The time is rounded up to a power
        of two of cycles, by at most a factor of two.

    Members
    -------
    rx : :py:`In(1)`, ``tx`` : :py:`Out(1)`
        Serial line: the input and the output of this component.
    m_axi : :py:`Out(Axi4(addr_width, data_width))`
        Host memory.
    m_axil : :py:`Out(Axi4Lite(addr_width=12))`
        Registers of the accelerator.

    Raises
    ------
    TypeError, ValueError
        If a parameter is out of range, or the line cannot work; see :func:`check_line`.
    """

    def __init__(self, *, addr_width, data_width, clock_hz, baud, memory_base=0, memory_bytes=0,
                 board="", payload=256, timeout_us=10_000):
        check_integers(addr_width=addr_width, data_width=data_width, memory_base=memory_base,
                       memory_bytes=memory_bytes, payload=payload, timeout_us=timeout_us)
        if not isinstance(board, str):
            raise TypeError(f"board must be a string, not {board!r}")
        if data_width not in (32, 64, 128, 256):
            raise ValueError(f"data_width must be 32, 64, 128 or 256, not {data_width}")
        if not 12 <= addr_width <= 32:
            raise ValueError(f"addr_width must be from 12 to 32, not {addr_width}")
        if payload not in (64, 128, 256, 512, 1024, 2048, 4096):
            raise ValueError(f"payload must be a power of two from 64 to 4096, not {payload}")
        if memory_base % 4096:
            raise ValueError(f"memory_base must be a multiple of 4096, not {memory_base:#x}")
        if memory_base < 0 or memory_bytes < 0 or memory_base + memory_bytes > 1 << addr_width:
            raise ValueError(f"{memory_bytes} bytes of memory from {memory_base:#x} on exceed the "
                             f"address space of {addr_width} bits")
        if memory_bytes >> 32:
            raise ValueError(f"memory_bytes must fit 32 bits, not {memory_bytes}: pass half of it, "
                             "or pass 0 and give the size to the driver")
        if not board.isascii() or len(board) > 16:
            raise ValueError(f"board must be at most 16 characters of ASCII, not {board!r}")
        if not 1 <= timeout_us <= 10_000_000:
            raise ValueError(f"timeout_us must be from 1 to 10000000, not {timeout_us}")
        self.addr_width = addr_width
        self.data_width = data_width
        self.clock_hz = clock_hz
        self.baud = baud
        self.payload = payload
        self.timeout_us = timeout_us
        check_line(clock_hz, baud, timeout_us)
        self.info = Info(
            payload=payload, queue=_QUEUE, bus_bytes=data_width // 8,
            timeout_us=ceil_div(_TICKS * self.tick_cycles * 1_000_000, clock_hz),
            clock_hz=clock_hz, baud=baud, memory_base=memory_base, memory_bytes=memory_bytes,
            board=board)
        super().__init__({
            "rx": In(1, init=1),
            "tx": Out(1, init=1),
            "m_axi": Out(Axi4(addr_width=addr_width, data_width=data_width)),
            "m_axil": Out(Axi4Lite(addr_width=12)),
        })

    @property
    def tick_cycles(self):
        """Cycles between two ticks of the time-outs, a power of two."""
        return 1 << max(1, self.timeout_us * self.clock_hz // (_TICKS * 1_000_000)).bit_length()

    def elaborate(self, platform):
        m = Module()
        m.submodules.uart_in = uart_in = UartReceiver(self.clock_hz, self.baud)
        m.submodules.uart_out = uart_out = UartTransmitter(self.clock_hz, self.baud)
        m.submodules.queue = queue = ByteQueue(_QUEUE)
        m.submodules.receiver = receiver = Receiver(self.payload)
        m.submodules.sender = sender = Sender(self.payload)
        m.submodules.copier = copier = Copier(
            addr_width=self.addr_width, data_width=self.data_width, payload=self.payload)
        # the upper half contains the answer to INFO and is never overwritten
        m.submodules.buffer = buffer = memory.Memory(
            shape=8, depth=2 * self.payload, init=[0] * self.payload + list(self.info.pack()))
        write, read = buffer.write_port(), buffer.read_port()
        read_data = Signal(8)               # output register of the block RAM
        m.d.sync += read_data.eq(read.data)

        ticks = Signal(exact_log2(self.tick_cycles))
        tick = Signal()
        m.d.sync += Cat(ticks, tick).eq(ticks + 1)
        m.d.comb += [
            uart_in.i_rx.eq(self.rx),
            self.tx.eq(uart_out.o_tx),
            queue.i_en.eq(uart_in.o_en),
            queue.i_byte.eq(uart_in.o_byte),
            receiver.i_tick.eq(tick),
            copier.i_tick.eq(tick),
        ]
        connect(m, queue.o, receiver.i)
        connect(m, sender.o, uart_out.i)
        connect(m, copier.m_axi, flipped(self.m_axi))
        connect(m, copier.m_axil, flipped(self.m_axil))
        self._execute(m, receiver, sender, copier, write, read, read_data)
        return m

    def _execute(self, m, receiver, sender, copier, write, read, read_data):
        """Check requests, execute them with the copier, and answer them."""
        request, answer = receiver.o.payload, sender.i.payload
        is_info = Signal()
        last = Signal(8)                    # sequence number of the request executed last
        last_status = Signal(3)
        status = Signal(3)
        executing = Signal()
        m.d.comb += [
            is_info.eq(request.command == Command.INFO),
            answer.status.eq(status),
            answer.sequence.eq(request.sequence),
            answer.last.eq(last),
            copier.i_write.eq(request.command[0]),
            copier.i_registers.eq(request.command[1]),
            copier.i_addr.eq(request.addr),
            copier.i_length.eq(request.length),
            copier.i_read_data.eq(read_data),
            sender.i_read_data.eq(read_data),
            read.addr.eq(Mux(executing, copier.o_index, sender.o_read_addr)),
            read.addr[-1].eq(is_info & ~executing),
            write.addr.eq(Mux(executing, copier.o_index, receiver.o_write_addr)),
            write.data.eq(Mux(executing, copier.o_write_data, receiver.o_write_data)),
            write.en.eq(copier.o_write_en | receiver.o_write_en),
        ]
        with m.If(status != Status.OKAY):
            m.d.comb += answer.length.eq(0)
        with m.Elif(is_info):
            m.d.comb += answer.length.eq(Info.FORMAT.size)
        with m.Elif(~request.command[0]):
            m.d.comb += answer.length.eq(request.length)

        valid = Signal()
        m.d.comb += valid.eq(
            (request.command[2:] == Command.READ_MEMORY >> 2)
            & (request.length != 0) & (request.length <= self.payload)
            & (request.addr[self.addr_width:] == 0)
            & (~request.command[1] | ~(request.addr[:2] | request.length[:2]).any()))
        ahead = Signal(8)                   # 1 for the next request, 0 for a repetition
        m.d.comb += ahead.eq(request.sequence - last)
        with m.FSM() as fsm:
            m.d.comb += executing.eq(fsm.ongoing("EXECUTE"))
            with m.State("CHECK"):
                with m.If(receiver.o.valid):
                    m.next = "ANSWER"
                    with m.If(is_info):
                        m.d.sync += status.eq(Status.OKAY)
                    with m.Elif(~valid):
                        m.d.sync += status.eq(Status.INVALID)
                    with m.Elif(ahead > 1):
                        m.d.sync += status.eq(Status.ORDER)
                    with m.Elif((ahead == 0) & request.command[0]):
                        # a write that was executed already: its answer was lost, so repeat that
                        m.d.sync += status.eq(last_status)
                    with m.Elif(copier.o_outstanding):
                        m.d.sync += [status.eq(Status.TIMEOUT), last_status.eq(Status.TIMEOUT),
                                     last.eq(request.sequence)]
                    with m.Else():
                        m.next = "START"
            with m.State("START"):
                m.d.comb += copier.i_en.eq(1)
                m.next = "EXECUTE"
            with m.State("EXECUTE"):
                with m.If(copier.o_done):
                    m.d.sync += [status.eq(copier.o_status), last_status.eq(copier.o_status),
                                 last.eq(request.sequence)]
                    m.next = "ANSWER"
            with m.State("ANSWER"):
                m.d.comb += sender.i.valid.eq(1)
                with m.If(sender.i.ready):
                    m.d.comb += receiver.o.ready.eq(1)
                    m.next = "CHECK"
