"""Performance counters with an atomic snapshot."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from ..spec import register_map
from ..vendor.lut_ram import in_tables
from .layouts import counter_increments

__all__ = ["PerformanceCounters"]

_COUNT = len(register_map.COUNTERS)


class PerformanceCounters(wiring.Component):
    """One 32-bit counter, modulo 2^32, for each of :data:`register_map.COUNTERS`.

    An increment is counted one cycle after it comes. A snapshot and a clearing in the same cycle
    lose no event and count none twice.

    The counters are in a memory. Beside each is what has come for it since the last round; a
    round takes all of that at once, and adds it to one counter a cycle. A snapshot is a round
    behind which the next one writes to other places.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`

    Members
    -------
    i : :py:`In(counter_increments(config))`
    i_snapshot : :py:`In(1)`
        All counters, as they are now, are to be shown at ``o``.
    i_clear : :py:`In(1)`
        Zero all counters.
    i_select : :py:`In(range(len(register_map.COUNTERS)))`
    o : :py:`Out(32)`
        Of the last snapshot, 0 before the first: the counter selected two cycles before.
    o_busy : :py:`Out(1)`
        A round is made, for at most ``BUSY_CYCLES``: ``o`` is not valid, and neither snapshot nor
        clearing may come in the next cycle.
    """

    PERIOD = 31
    """Cycles from round to round, unless a snapshot or a clearing makes one earlier."""
    BUSY_CYCLES = _COUNT + 5

    def __init__(self, config):
        self.config = config
        super().__init__({
            "i": In(counter_increments(config)),
            "i_snapshot": In(1),
            "i_clear": In(1),
            "i_select": In(range(_COUNT)),
            "o": Out(32),
            "o_busy": Out(1, init=1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.counts = counts = memory.Memory(
            shape=32, depth=64, init=[],
            attrs={"no_rw_check": 1, **in_tables(self.config.multiplier)})
        read, write = counts.read_port(), counts.write_port()

        # -- when --------------------------------------------------------------------------------
        timer = Signal(range(self.PERIOD))
        due = Signal(init=1)                # the round before anything shows zeros
        start = Signal()
        reading = Signal()
        arriving = Signal()
        adding = Signal()
        settles = Signal(2)
        place = Signal(range(_COUNT))
        m.d.comb += start.eq(due | self.i_snapshot | self.i_clear)
        with m.If(start):
            m.d.sync += [timer.eq(self.PERIOD - 1), due.eq(0), reading.eq(1),
                         place.eq(_COUNT - 1)]
        with m.Else():
            m.d.sync += [timer.eq(timer - 1), due.eq(timer == 1), place.eq(place - 1)]
            with m.If(place == 0):
                m.d.sync += reading.eq(0)
        m.d.sync += [arriving.eq(reading), adding.eq(arriving), settles.eq(Cat(adding, settles[0]))]
        m.d.comb += self.o_busy.eq(start | reading | arriving | adding | settles.any())

        # -- where: a round leaves what the last snapshot showed as it is ------------------------
        home = Signal()                     # half of the memory with the counters
        shown = Signal(init=1)              # and with the snapshot
        target = Signal()
        showing = Signal(init=1)            # this round is a snapshot
        forget = Signal(init=1)             # it begins at zero
        forget_next = Signal()
        m.d.comb += target.eq(home ^ (home == shown))
        with m.If(start):
            m.d.sync += [showing.eq(showing | self.i_snapshot), forget_next.eq(self.i_clear)]
        with m.If(adding & ~arriving):
            m.d.sync += [home.eq(target), forget.eq(forget_next), showing.eq(0)]
            with m.If(showing):
                m.d.sync += shown.eq(target)

        # -- what --------------------------------------------------------------------------------
        increments = Signal.like(self.i)
        m.d.sync += increments.eq(self.i)
        recent, taken = [], []
        for name, _ in register_map.COUNTERS:
            width = len(increments[name])
            most = self.PERIOD * (self.config.bus_bytes if name.startswith("BYTES")
                                  else (1 << width) - 1)
            recent.append(Signal(range(most + 1), name=f"recent_{name.lower()}"))
            # the chain moves from the first counter to the last, which is the first to be added
            taken.append(Signal(max(len(value) for value in recent), name=f"taken{len(taken)}"))
            m.d.sync += [
                recent[-1].eq(Mux(start, 0, recent[-1]) + increments[name]),
                taken[-1].eq(Mux(start, recent[-1],
                                 Mux(adding, taken[-2] if len(taken) > 1 else 0, taken[-1]))),
            ]
        # a block RAM's own output takes most of a fast cycle
        found = Signal(32)
        arrived, written = Signal.like(place), Signal.like(place)
        m.d.sync += [found.eq(read.data), arrived.eq(place), written.eq(arrived)]
        m.d.comb += [
            read.addr.eq(Mux(reading, Cat(place, home), Cat(self.i_select, shown))),
            write.addr.eq(Cat(written, target)),
            write.data.eq(Mux(forget, 0, found) + taken[-1]),
            write.en.eq(adding),
            self.o.eq(found),
        ]
        return m
