"""Performance counters with an atomic snapshot."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from ..spec import register_map
from ..vendor.lut_ram import lut_ram_attributes
from .layouts import counter_increments

__all__ = ["PerformanceCounters"]

_COUNT = len(register_map.COUNTERS)


class PerformanceCounters(wiring.Component):
    """One 32-bit counter, modulo 2^32, for each of :data:`register_map.COUNTERS`.

    An increment is counted one cycle after its input. If a snapshot and a clear coincide, every
    event is counted exactly once.

    The counters are stored in a memory with two halves. One register per counter sums the
    increments since the last update round. A round captures all of these registers at once, and
    adds them to the stored counters, one counter per cycle. After a round that takes a snapshot,
    the following rounds write to the other half, so that the snapshot remains.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`

    Members
    -------
    i : :py:`In(counter_increments(config))`
        Increments of all counters in this cycle.
    i_snapshot : :py:`In(1)`
        Take a snapshot: ``o`` presents the current values of all counters.
    i_clear : :py:`In(1)`
        Zero all counters.
    i_select : :py:`In(range(len(register_map.COUNTERS)))`
        Index of the counter to read.
    o : :py:`Out(32)`
        Value that the counter selected two cycles earlier had at the last snapshot; 0 before the
        first snapshot.
    o_busy : :py:`Out(1)`
        An update round is in progress, for at most ``BUSY_CYCLES``. ``o`` is not valid, and neither
        snapshot nor clear may be requested in the next cycle.
    """

    PERIOD = 31
    """Cycles from one update round to the next, unless a snapshot or a clear starts one earlier."""
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
        m.submodules.storage = storage = memory.Memory(
            shape=32, depth=64, init=[],
            attrs={"no_rw_check": 1, **lut_ram_attributes(self.config.multiplier)})
        read, write = storage.read_port(), storage.write_port()

        # -- schedule of the rounds --------------------------------------------------------------
        timer = Signal(range(self.PERIOD))
        due = Signal(init=1)                # the round after reset zeros the snapshot
        start = Signal()
        reading = Signal()
        arriving = Signal()
        adding = Signal()
        settles = Signal(2)
        index = Signal(range(_COUNT))
        m.d.comb += start.eq(due | self.i_snapshot | self.i_clear)
        with m.If(start):
            m.d.sync += [timer.eq(self.PERIOD - 1), due.eq(0), reading.eq(1),
                         index.eq(_COUNT - 1)]
        with m.Else():
            m.d.sync += [timer.eq(timer - 1), due.eq(timer == 1), index.eq(index - 1)]
            with m.If(index == 0):
                m.d.sync += reading.eq(0)
        m.d.sync += [arriving.eq(reading), adding.eq(arriving), settles.eq(Cat(adding, settles[0]))]
        m.d.comb += self.o_busy.eq(start | reading | arriving | adding | settles.any())

        # -- halves of the memory: a round never writes to the half of the last snapshot ---------
        live = Signal()                     # half that contains the current counters
        snapshot = Signal(init=1)           # half that contains the last snapshot
        target = Signal()                   # half that the current round writes
        takes_snapshot = Signal(init=1)     # the current round takes a snapshot
        from_zero = Signal(init=1)          # the current round adds to 0 and not to the counters
        next_from_zero = Signal()
        m.d.comb += target.eq(live ^ (live == snapshot))
        with m.If(start):
            m.d.sync += [takes_snapshot.eq(takes_snapshot | self.i_snapshot),
                         next_from_zero.eq(self.i_clear)]
        with m.If(adding & ~arriving):
            m.d.sync += [live.eq(target), from_zero.eq(next_from_zero), takes_snapshot.eq(0)]
            with m.If(takes_snapshot):
                m.d.sync += snapshot.eq(target)

        # -- increments --------------------------------------------------------------------------
        increments = Signal.like(self.i)
        m.d.sync += increments.eq(self.i)
        recent, captured = [], []
        for name, _ in register_map.COUNTERS:
            width = len(increments[name])
            most = self.PERIOD * (self.config.bus_bytes if name.startswith("BYTES")
                                  else (1 << width) - 1)
            recent.append(Signal(range(most + 1), name=f"recent_{name.lower()}"))
            # captured increments shift towards the last counter, the first one to be updated
            captured.append(Signal(max(len(value) for value in recent),
                                   name=f"captured{len(captured)}"))
            m.d.sync += [
                recent[-1].eq(Mux(start, 0, recent[-1]) + increments[name]),
                captured[-1].eq(Mux(
                    start, recent[-1],
                    Mux(adding, captured[-2] if len(captured) > 1 else 0, captured[-1]))),
            ]
        # registered, because the access time of a block RAM is most of a short clock period
        read_data = Signal(32)
        read_index, write_index = Signal.like(index), Signal.like(index)
        m.d.sync += [read_data.eq(read.data), read_index.eq(index), write_index.eq(read_index)]
        m.d.comb += [
            read.addr.eq(Mux(reading, Cat(index, live), Cat(self.i_select, snapshot))),
            write.addr.eq(Cat(write_index, target)),
            write.data.eq(Mux(from_zero, 0, read_data) + captured[-1]),
            write.en.eq(adding),
            self.o.eq(read_data),
        ]
        return m
