"""From accesses of whole beats to the commands of an SDRAM, a word a cycle."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from .sdram_init import SdramStart
from .sdram_pins import Command, SdramPins

__all__ = ["SdramCore", "access_layout"]


def access_layout(chip, data_width):
    """One beat: where it is, and whether it is written, in truth or for nothing."""
    words = data_width // chip.data_width
    return data.StructLayout({
        "write": 1,
        "void": 1,
        "col": chip.col_bits - exact_log2(words),       # in beats
        "bank": chip.bank_bits,
        "row": chip.row_bits,
    })


class SdramCore(wiring.Component):
    """Reads and writes beats of an SDRAM in the order in which they come.

    A beat is as many words as it takes, a READ or a WRITE of a single word each cycle. A row stays
    open until another one of its bank is wanted, or for REFRESH, which comes between two beats.
    Beats of one row follow each other without a gap in one direction; a WRITE behind a READ waits
    until the data lines are free, ``cas`` and one cycles.

    Parameters
    ----------
    chip : :class:`SdramChip`
    clock_hz : :class:`int`
    data_width : :class:`int`
        Bits of a beat: a power of two of words, and no more than a row.
    pin_delay : :class:`int`
        Cycles from ``pins`` to the chip and back that registers at the pins add.

    Attributes
    ----------
    read_latency : :class:`int`
        From ``i`` to ``o`` in cycles, if the row is open.

    Members
    -------
    i : :py:`In(stream.Signature(access_layout(chip, data_width)))`
    o_step, o_last : :py:`Out(range(words))`, :py:`Out(1)`
        Which word of the beat is written next, and that it is the last.
    i_word, i_strobe : :py:`In(chip.data_width)`, :py:`In(chip.data_width // 8)`
        It, in the cycle behind, and its bytes that are written.
    o_valid : :py:`Out(1)`, ``o_data`` : :py:`Out(data_width)`
        A beat that was read. Nothing holds it up.
    pins : :py:`Out(SdramPins(chip))`
        Out of registers, and into one.

    Raises
    ------
    ValueError
        If the chip cannot have this clock, or a beat is not a power of two of its words.
    """

    def __init__(self, *, chip, clock_hz, data_width, pin_delay=0):
        words = data_width // chip.data_width
        if data_width % chip.data_width or words & (words - 1) or words > 1 << chip.col_bits:
            raise ValueError(f"a beat of {data_width} bits is not a power of two of words of "
                             f"{chip.data_width} bits")
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
        m.submodules.start = start = SdramStart(self.chip, self.clock_hz)

        # -- the access in work, and whether its row is open -------------------------------------
        access = Signal.like(self.i.payload)
        valid = Signal()
        same = Signal()             # in the row of the access before
        row_open = Signal()         # that row is still open
        step = Signal(range(max(2, self.words)))
        finish = Signal()
        m.d.comb += self.i.ready.eq(~valid | finish)
        with m.If(self.i.ready):
            m.d.sync += valid.eq(self.i.valid)
        with m.If(self.i.ready & self.i.valid):
            m.d.sync += [access.eq(self.i.payload),
                         same.eq(Cat(self.i.payload.bank, self.i.payload.row)
                                 == Cat(access.bank, access.row))]

        # -- what has to pass before a command ---------------------------------------------------
        waits = {"any": Signal(range(cycles.rfc + cycles.rp + cycles.rcd + cycles.rrd)),
                 "precharge": Signal(range(cycles.ras + cycles.wr)),
                 "write": Signal(range(cycles.cas + 2))}
        for wait in waits.values():
            with m.If(wait != 0):
                m.d.sync += wait.eq(wait - 1)
        free = {name: wait == 0 for name, wait in waits.items()}
        timer = Signal(range(cycles.refi), init=cycles.refi - 1)
        refresh = Signal()
        m.d.sync += timer.eq(Mux(timer == 0, cycles.refi - 1, timer - 1))
        with m.If(timer == 0):
            m.d.sync += refresh.eq(1)

        command, bank, addr = (Signal.like(self.pins.command), Signal.like(self.pins.bank),
                               Signal.like(self.pins.addr))
        is_open = Signal(1 << self.chip.bank_bits)
        rows = Signal(data.ArrayLayout(self.chip.row_bits, 1 << self.chip.bank_bits))
        found, hit = Signal(), Signal()
        m.d.sync += [found.eq(is_open.bit_select(access.bank, 1)),
                     hit.eq(rows[access.bank] == access.row)]
        m.d.comb += bank.eq(Mux(start.o_done, access.bank, 0))
        with m.FSM():
            with m.State("RUN"):
                with m.If(~start.o_done):
                    m.d.comb += [command.eq(start.o_command), addr.eq(start.o_addr)]
                with m.Elif(refresh & (step == 0)):
                    m.next = "CLOSE_ALL"
                with m.Elif(valid & ~(same & row_open)):
                    m.next = "LOOK_UP"
                with m.Elif(valid & free["any"] & (~access.write | free["write"])):
                    m.d.comb += [command.eq(Mux(access.write, Command.WRITE, Command.READ)),
                                 addr.eq(access.col * self.words + step),
                                 finish.eq(step == self.words - 1)]
                    m.d.sync += step.eq(Mux(finish, 0, step + 1))
                    with m.If(access.write):
                        self._at_least(m, waits["precharge"], cycles.wr - 1)
                    with m.Else():
                        m.d.sync += waits["write"].eq(cycles.cas + 1)
            with m.State("LOOK_UP"):
                with m.If(~found):
                    m.next = "OPEN"
                with m.Elif(~hit):
                    m.next = "CLOSE"
                with m.Else():
                    m.d.sync += [same.eq(1), row_open.eq(1)]
                    m.next = "RUN"
            with m.State("CLOSE"):
                with m.If(free["precharge"]):
                    m.d.comb += command.eq(Command.PRECHARGE)
                    m.d.sync += waits["any"].eq(cycles.rp - 1)
                    m.next = "OPEN"
            with m.State("OPEN"):
                with m.If(free["any"]):
                    m.d.comb += [command.eq(Command.ACTIVATE), addr.eq(access.row)]
                    m.d.sync += [same.eq(1), row_open.eq(1), rows[access.bank].eq(access.row),
                                 is_open.bit_select(access.bank, 1).eq(1),
                                 waits["any"].eq(max(cycles.rcd, cycles.rrd) - 1)]
                    self._at_least(m, waits["precharge"], cycles.ras - 1)
                    m.next = "RUN"
            with m.State("CLOSE_ALL"):
                with m.If(free["precharge"] & free["any"]):
                    m.d.comb += [command.eq(Command.PRECHARGE), addr[10].eq(1)]
                    m.d.sync += [is_open.eq(0), row_open.eq(0), waits["any"].eq(cycles.rp - 1)]
                    m.next = "REFRESH"
            with m.State("REFRESH"):
                with m.If(free["any"]):
                    m.d.comb += command.eq(Command.REFRESH)
                    m.d.sync += [refresh.eq(0), waits["any"].eq(cycles.rfc - 1)]
                    m.next = "RUN"

        # a cycle for the way of words that are written, and for all else with them
        decided = {name: Signal.like(signal, name=f"decided_{name}") for name, signal in (
            ("command", command), ("bank", bank), ("addr", addr), ("void", access.void))}
        m.d.sync += [self.pins.cke.eq(1), self.pins.command.eq(decided["command"]),
                     self.pins.bank.eq(decided["bank"]), self.pins.addr.eq(decided["addr"]),
                     decided["command"].eq(command), decided["bank"].eq(bank),
                     decided["addr"].eq(addr), decided["void"].eq(access.void)]
        m.d.comb += [self.o_step.eq(step), self.o_last.eq(finish & access.write)]
        self._data(m, decided, command, finish)
        return m

    def _at_least(self, m, wait, cycles):
        with m.If(wait < cycles + 1):
            m.d.sync += wait.eq(cycles)

    def _data(self, m, decided, command, finish):
        """Words to the chip with their WRITE, and words from it, ``cas`` cycles after READ."""
        pins, width = self.pins, self.chip.data_width
        writes, reads = Signal(), Signal()
        m.d.comb += [writes.eq(decided["command"] == Command.WRITE),
                     reads.eq(command == Command.READ)]
        m.d.sync += [
            pins.dq_en.eq(writes), pins.dq_o.eq(self.i_word),
            pins.mask.eq(Mux(writes, ~self.i_strobe | decided["void"].replicate(width // 8), 0)),
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
