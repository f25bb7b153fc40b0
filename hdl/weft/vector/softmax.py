"""Controller of SOFTMAX, which reads each row three times."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..control.instruction_layout import instruction_layout
from ..control.unit_interface import INSTRUCTION_SHAPE
from .map import MAP_READING, Reading, StepFlags
from .reciprocal import Reciprocal

__all__ = ["SoftmaxControl"]

DROPPED = 12            # low bits of an entry that are rounded off, so that sums fit into 32 bits


class SoftmaxControl(wiring.Component):
    """Controller of a :class:`MapReader`, which computes multiplier and shift for each row.

    The first reading of a row finds the greatest byte, the second one computes the sum of the
    entries, and the third one sends the steps to the lanes. A reading begins when all data of the
    previous reading has arrived and has been reduced. While no SOFTMAX is in progress,
    ``o_reading`` has the values for MAP.

    Parameters
    ----------
    config : :class:`Config`

    Members
    -------
    i_start : :py:`In(1)`
        The reader starts the SOFTMAX in ``i_instruction`` in this cycle.
    i_instruction : :py:`In(256)`
        A validated SOFTMAX.
    o_reading : :py:`Out(Reading)`, ``o_next`` : :py:`Out(1)`
        Parameters of the current reading, and start of the next one, for the reader.
    i_index, i_indexed, i_entries, i_looked_up
        Outputs of the reader with the same names.
    o_scale_en, o_multiplier, o_shift : :py:`Out(1)`, :py:`Out(31)`, :py:`Out(6)`
        Strobe, multiplier and shift for the steps of a row, before its third reading.
    """

    def __init__(self, config):
        self.config = config
        lanes = config.vector_lanes
        super().__init__({
            "i_start": In(1),
            "i_instruction": In(INSTRUCTION_SHAPE),
            "o_reading": Out(Reading),
            "o_next": Out(1),
            "i_index": In(data.ArrayLayout(8, lanes)),
            "i_indexed": In(StepFlags),
            "i_entries": In(data.ArrayLayout(signed(32), lanes)),
            "i_looked_up": In(StepFlags),
            "o_scale_en": Out(1),
            "o_multiplier": Out(31),
            "o_shift": Out(6),
        })

    def elaborate(self, platform):
        m = Module()
        lanes = self.config.vector_lanes
        m.submodules.reciprocal = reciprocal = Reciprocal()
        offset = Signal(8, init=MAP_READING["offset"])
        clear = Signal()
        next_reading = Signal()
        m.d.comb += [
            self.o_reading.offset.eq(offset),
            self.o_next.eq(next_reading),
            self.o_scale_en.eq(reciprocal.o_done),
            self.o_multiplier.eq(reciprocal.o_multiplier),
            self.o_shift.eq(reciprocal.o_shift),
        ]

        # lanes that the last step of a row uses
        new = data.View(instruction_layout("SOFTMAX"), self.i_instruction)
        used = Signal(lanes)
        with m.If(self.i_start):
            in_last = (new.bytes - 1)[:self.config.lane_index_width]
            m.d.sync += used.eq(Cat(in_last >= lane for lane in range(lanes)))

        # the first and the second reading end when their data has arrived and has been reduced
        in_greatest, in_total = Signal(), Signal()
        greatest, has_greatest = self._greatest(m, used, self.i_indexed.valid & in_greatest, clear)
        total, has_total = self._total(m, used, self.i_looked_up.valid & in_total, clear)
        m.d.comb += reciprocal.i_total.eq(total)

        with m.FSM() as fsm:
            with m.State("IDLE"):
                m.d.comb += [self.o_reading.emit.eq(1), clear.eq(1)]
                with m.If(self.i_start):
                    m.next = "GREATEST"
            with m.State("GREATEST"):
                with m.If(has_greatest):
                    # For the greatest byte g, `greatest` is g + 128. The entry of byte
                    # x - g + 127 has the index x + 255 - g.
                    m.d.sync += offset.eq(~greatest ^ 0x80)
                    m.d.comb += next_reading.eq(1)
                    m.next = "TOTAL"
            with m.State("TOTAL"):
                with m.If(has_total):
                    m.d.comb += reciprocal.i_start.eq(1)
                    m.next = "RECIPROCAL"
            with m.State("RECIPROCAL"):
                with m.If(reciprocal.o_done):
                    m.d.comb += next_reading.eq(1)
                    m.next = "STEPS"
            with m.State("STEPS"):
                m.d.comb += [self.o_reading.emit.eq(1), clear.eq(1)]
                with m.If(self.i_indexed.valid & self.i_indexed.ends_reading):
                    m.d.sync += offset.eq(MAP_READING["offset"])
                    with m.If(self.i_indexed.ends_all):
                        m.next = "IDLE"
                    with m.Else():
                        m.d.comb += next_reading.eq(1)
                        m.next = "GREATEST"
        m.d.comb += [
            self.o_reading.pause.eq(~fsm.ongoing("IDLE")),
            in_greatest.eq(fsm.ongoing("GREATEST")),
            in_total.eq(fsm.ongoing("TOTAL")),
            self.o_reading.repeat.eq(in_greatest | in_total),
        ]
        return m

    def _greatest(self, m, used, valid, clear):
        """Return the greatest byte of a row plus 128, and a strobe at its completion."""
        leaves = [Signal(8, name=f"index_{lane}") for lane in range(self.config.vector_lanes)]
        last = self.i_indexed.ends_reading
        m.d.sync += [
            leaf.eq(Mux(used[lane] | ~last, self.i_index[lane], 0))
            for lane, leaf in enumerate(leaves)]
        top, valid, last = _reduce(m, "greatest", leaves, valid, last,
                                   lambda a, b: Mux(a > b, a, b), lambda _: 8)
        greatest, done = Signal(8), Signal()
        with m.If(valid & (top > greatest)):
            m.d.sync += greatest.eq(top)
        with m.If(clear):
            m.d.sync += greatest.eq(0)
        m.d.sync += done.eq(valid & last)
        return greatest, done

    def _total(self, m, used, valid, clear):
        """Return the sum modulo 2^32 of a row's rounded entries, and a strobe at its completion."""
        width = 32 - DROPPED + 1
        leaves = [Signal(signed(width), name=f"term_{lane}")
                  for lane in range(self.config.vector_lanes)]
        last = self.i_looked_up.ends_reading
        for lane, leaf in enumerate(leaves):
            entry = self.i_entries[lane]
            rounded = entry[DROPPED:].as_signed() + entry[DROPPED - 1]
            m.d.sync += leaf.eq(Mux(used[lane] | ~last, rounded, 0))
        top, valid, last = _reduce(m, "total", leaves, valid, last,
                                   lambda a, b: a + b, lambda depth: signed(width + depth))
        total, done = Signal(32), Signal()
        with m.If(clear):
            m.d.sync += total.eq(0)
        with m.Elif(valid):
            m.d.sync += total.eq(total + top)
        m.d.sync += done.eq(valid & last)
        return total, done


def _reduce(m, name, leaves, valid, last, combine, shape):
    """Add a tree that reduces ``leaves`` to one value, with a register at each node.

    Return the value, and ``valid`` and ``last`` with the same delay. ``combine`` combines two
    values, and ``shape`` maps a depth of the tree to the shape of its nodes. ``leaves`` are
    registers, one cycle later than ``valid`` and ``last``.
    """
    depth = 0
    while True:
        earlier = valid, last
        valid, last = Signal(name=f"{name}_valid_{depth}"), Signal(name=f"{name}_last_{depth}")
        m.d.sync += [valid.eq(earlier[0]), last.eq(earlier[1])]
        if len(leaves) == 1:
            return leaves[0], valid, last
        depth += 1
        nodes = [Signal(shape(depth), name=f"{name}_{depth}_{i}") for i in range(len(leaves) // 2)]
        m.d.sync += [node.eq(combine(a, b)) for node, a, b in zip(nodes, leaves[::2], leaves[1::2])]
        leaves = nodes
