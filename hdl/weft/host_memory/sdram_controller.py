"""Core of the SDRAM controller, which converts accesses of whole beats into commands."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from .sdram_init import SdramInit
from .sdram_pins import Command, SdramPins

__all__ = ["SdramController", "access_layout"]


def access_layout(chip, data_width):
    """Return the layout of an access to one beat: its direction and its address.

    With ``void``, a write is executed with all bytes masked.
    """
    words = data_width // chip.data_width
    return data.StructLayout({
        "write": 1,
        "void": 1,
        "col": chip.col_bits - exact_log2(words),       # in beats
        "bank": chip.bank_bits,
        "row": chip.row_bits,
    })


class SdramController(wiring.Component):
    """Controller that reads and writes beats in the order in which the accesses arrive.

    It issues one READ or WRITE for each word of a beat, one per cycle. A row stays open until
    another row of its bank is accessed, or until a REFRESH, which is issued between two beats.
    Beats of the same row and direction follow each other without a gap. A WRITE after a READ is
    stalled for ``cas`` + 1 cycles, until the data lines are free.

    Parameters
    ----------
    chip : :class:`SdramChip`
        Geometry and times of the chip.
    clock_hz : :class:`int`
        Clock frequency in Hz.
    data_width : :class:`int`
        Width of a beat in bits. The number of words in a beat is a power of two, at most a row.
    pin_delay : :class:`int`
        Cycles that registers at the pins add to the round trip to the chip.

    Attributes
    ----------
    read_latency : :class:`int`
        Cycles from ``i`` to ``o_valid``, if the row is open.

    Members
    -------
    i : :py:`In(stream.Signature(access_layout(chip, data_width)))`
        Accesses.
    o_step, o_last : :py:`Out(range(words))`, :py:`Out(1)`
        Index in its beat of the word to write next, and a flag that is high in the cycle of the
        last word of a write.
    i_word, i_strobe : :py:`In(chip.data_width)`, :py:`In(chip.data_width // 8)`
        The word that ``o_step`` selected in the previous cycle, and its byte strobes.
    o_valid, o_data : :py:`Out(1)`, :py:`Out(data_width)`
        A beat that was read. It cannot be stalled.
    pins : :py:`Out(SdramPins(chip))`
        Outputs come from registers; the input goes to a register.

    Raises
    ------
    ValueError
        If the chip does not support the clock, or a beat is not a power of two of its words.
    """

    def __init__(self, *, chip, clock_hz, data_width, pin_delay=0):
        words = data_width // chip.data_width
        if data_width % chip.data_width or words & (words - 1) or words > 1 << chip.col_bits:
            raise ValueError(f"data_width must be {chip.data_width} times a power of two, at most "
                             f"a row, not {data_width}")
        self.chip = chip
        self.clock_hz = clock_hz
        self.data_width = data_width
        self.words = words
        self.cycles = chip.cycles(clock_hz, words)
        self.pin_delay = pin_delay
        self.read_latency = 1 + words + self.cycles.cas + 3 + pin_delay
        super().__init__({
            "i": In(stream.Signature(access_layout(chip, data_width))),
            "o_step": Out(range(max(2, words))),
            "o_last": Out(1),
            "i_word": In(chip.data_width),
            "i_strobe": In(chip.data_width // 8),
            "o_valid": Out(1),
            "o_data": Out(data_width),
            "pins": Out(SdramPins(chip)),
        })

    def elaborate(self, platform):
        m = Module()
        cycles = self.cycles
        m.submodules.init = init = SdramInit(self.chip, self.clock_hz)

        # -- the current access ----------------------------------------------------------------
        access = Signal.like(self.i.payload)
        valid = Signal()
        same_row = Signal()         # the access has the same row and bank as the previous one
        row_open = Signal()         # the row of the previous access is still open
        step = Signal(range(max(2, self.words)))
        finish = Signal()
        m.d.comb += self.i.ready.eq(~valid | finish)
        with m.If(self.i.ready):
            m.d.sync += valid.eq(self.i.valid)
        with m.If(self.i.ready & self.i.valid):
            m.d.sync += [access.eq(self.i.payload),
                         same_row.eq(Cat(self.i.payload.bank, self.i.payload.row)
                                     == Cat(access.bank, access.row))]

        timers, refresh_due = self._timers(m)
        ready = {name: timer == 0 for name, timer in timers.items()}

        # -- commands --------------------------------------------------------------------------
        command, bank, addr = (Signal.like(self.pins.command), Signal.like(self.pins.bank),
                               Signal.like(self.pins.addr))
        bank_open = Signal(1 << self.chip.bank_bits)
        rows = Signal(data.ArrayLayout(self.chip.row_bits, 1 << self.chip.bank_bits))
        is_open, hit = Signal(), Signal()
        m.d.sync += [is_open.eq(bank_open.bit_select(access.bank, 1)),
                     hit.eq(rows[access.bank] == access.row)]
        m.d.comb += bank.eq(Mux(init.o_done, access.bank, 0))
        with m.FSM():
            with m.State("RUN"):
                with m.If(~init.o_done):
                    m.d.comb += [command.eq(init.o_command), addr.eq(init.o_addr)]
                with m.Elif(refresh_due & (step == 0)):
                    m.next = "CLOSE_ALL"
                with m.Elif(valid & ~(same_row & row_open)):
                    m.next = "LOOK_UP"
                with m.Elif(valid & ready["any"] & (~access.write | ready["write"])):
                    m.d.comb += [command.eq(Mux(access.write, Command.WRITE, Command.READ)),
                                 addr.eq(access.col * self.words + step),
                                 finish.eq(step == self.words - 1)]
                    m.d.sync += step.eq(Mux(finish, 0, step + 1))
                    with m.If(access.write):
                        self._extend(m, timers["precharge"], cycles.wr - 1)
                    with m.Else():
                        m.d.sync += timers["write"].eq(cycles.cas + 1)
            with m.State("LOOK_UP"):
                with m.If(~is_open):
                    m.next = "OPEN"
                with m.Elif(~hit):
                    m.next = "CLOSE"
                with m.Else():
                    m.d.sync += [same_row.eq(1), row_open.eq(1)]
                    m.next = "RUN"
            with m.State("CLOSE"):
                with m.If(ready["precharge"]):
                    m.d.comb += command.eq(Command.PRECHARGE)
                    m.d.sync += timers["any"].eq(cycles.rp - 1)
                    m.next = "OPEN"
            with m.State("OPEN"):
                with m.If(ready["any"]):
                    m.d.comb += [command.eq(Command.ACTIVATE), addr.eq(access.row)]
                    m.d.sync += [same_row.eq(1), row_open.eq(1), rows[access.bank].eq(access.row),
                                 bank_open.bit_select(access.bank, 1).eq(1),
                                 timers["any"].eq(max(cycles.rcd, cycles.rrd) - 1)]
                    self._extend(m, timers["precharge"], cycles.ras - 1)
                    m.next = "RUN"
            with m.State("CLOSE_ALL"):
                with m.If(ready["precharge"] & ready["any"]):
                    m.d.comb += [command.eq(Command.PRECHARGE), addr[10].eq(1)]
                    m.d.sync += [bank_open.eq(0), row_open.eq(0), timers["any"].eq(cycles.rp - 1)]
                    m.next = "REFRESH"
            with m.State("REFRESH"):
                with m.If(ready["any"]):
                    m.d.comb += command.eq(Command.REFRESH)
                    m.d.sync += [refresh_due.eq(0), timers["any"].eq(cycles.rfc - 1)]
                    m.next = "RUN"

        registered = self._command_pins(m, command, bank, addr, access.void)
        m.d.comb += [self.o_step.eq(step), self.o_last.eq(finish & access.write)]
        self._data_pins(m, registered, command, finish)
        return m

    def _timers(self, m):
        """Add the timers, and the timer that makes a REFRESH due.

        Return a dictionary of timers, in cycles until ``any`` command, a ``precharge`` or a
        ``write`` is allowed; and a register that is 1 while a REFRESH is due.
        """
        cycles = self.cycles
        timers = {"any": Signal(range(cycles.rfc + cycles.rp + cycles.rcd + cycles.rrd)),
                  "precharge": Signal(range(cycles.ras + cycles.wr)),
                  "write": Signal(range(cycles.cas + 2))}
        for timer in timers.values():
            with m.If(timer != 0):
                m.d.sync += timer.eq(timer - 1)
        refresh_timer = Signal(range(cycles.refi), init=cycles.refi - 1)
        refresh_due = Signal()
        m.d.sync += refresh_timer.eq(Mux(refresh_timer == 0, cycles.refi - 1, refresh_timer - 1))
        with m.If(refresh_timer == 0):
            m.d.sync += refresh_due.eq(1)
        return timers, refresh_due

    def _extend(self, m, timer, cycles):
        """Set ``timer`` to ``cycles`` if its next value would be less."""
        with m.If(timer < cycles + 1):
            m.d.sync += timer.eq(cycles)

    def _command_pins(self, m, command, bank, addr, void):
        """Drive the command pins, two cycles after the command was selected.

        Write data arrives in the first of these cycles. Return the registers of that cycle.
        """
        registered = {name: Signal.like(signal, name=f"{name}_registered") for name, signal in (
            ("command", command), ("bank", bank), ("addr", addr), ("void", void))}
        m.d.sync += [self.pins.cke.eq(1), self.pins.command.eq(registered["command"]),
                     self.pins.bank.eq(registered["bank"]), self.pins.addr.eq(registered["addr"]),
                     registered["command"].eq(command), registered["bank"].eq(bank),
                     registered["addr"].eq(addr), registered["void"].eq(void)]
        return registered

    def _data_pins(self, m, registered, command, finish):
        """Drive the data pins with the word of a WRITE, and sample the word of a READ.

        A word is driven in the cycle of its WRITE, and sampled ``cas`` cycles after its READ.
        """
        pins, width = self.pins, self.chip.data_width
        writes, reads = Signal(), Signal()
        m.d.comb += [writes.eq(registered["command"] == Command.WRITE),
                     reads.eq(command == Command.READ)]
        m.d.sync += [
            pins.dq_en.eq(writes), pins.dq_o.eq(self.i_word),
            pins.mask.eq(Mux(writes, ~self.i_strobe | registered["void"].replicate(width // 8),
                             0)),
        ]
        due, due_last = (
            Signal(self.cycles.cas + 3 + self.pin_delay, name=name) for name in ("due", "due_last"))
        word = Signal(width)
        m.d.sync += [
            due.eq(Cat(reads, due)), due_last.eq(Cat(reads & finish, due_last)),
            word.eq(pins.dq_i), self.o_valid.eq(due_last[-1]),
        ]
        with m.If(due[-1]):
            m.d.sync += self.o_data.eq(Cat(self.o_data, word)[width:])
