"""SOFTMAX: three passes over each row, of which only the last reaches the lanes."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..control.instruction_layout import instruction_layout
from ..control.unit_interface import INSTRUCTION_SHAPE
from .map import MAP_PASS, Pass, Passed
from .reciprocal import Reciprocal

__all__ = ["SoftmaxControl"]

DROPPED = 12            # bits of an entry that the sum does without: its integer bits


class SoftmaxControl(wiring.Component):
    """Tells a :class:`MapReader` how to read each row, and finds multiplier and shift of the row.

    First the greatest byte of the row, then the sum of its entries, then the steps for the lanes. A
    pass begins when the one before it has been answered and reduced. While no SOFTMAX is in
    work, rows are read as MAP needs it.

    Parameters
    ----------
    config : :class:`Config`

    Members
    -------
    i_start : :py:`In(1)`
        The reader starts the SOFTMAX in ``i_instruction``.
    i_instruction : :py:`In(256)`
    o_pass : :py:`Out(Pass)`, ``o_next`` : :py:`Out(1)`
        For the reader.
    i_index, i_indexed, i_entries, i_looked_up
        What the reader gives.
    o_scale_en, o_multiplier, o_shift : :py:`Out(1)`, :py:`Out(31)`, :py:`Out(6)`
        What the steps of the row need, before the first of them is read.
    """

    def __init__(self, config):
        self.config = config
        lanes = config.vector_lanes
        super().__init__({
            "i_start": In(1),
            "i_instruction": In(INSTRUCTION_SHAPE),
            "o_pass": Out(Pass),
            "o_next": Out(1),
            "i_index": In(data.ArrayLayout(8, lanes)),
            "i_indexed": In(Passed),
            "i_entries": In(data.ArrayLayout(signed(32), lanes)),
            "i_looked_up": In(Passed),
            "o_scale_en": Out(1),
            "o_multiplier": Out(31),
            "o_shift": Out(6),
        })

    def elaborate(self, platform):
        m = Module()
        lanes = self.config.vector_lanes
        m.submodules.reciprocal = reciprocal = Reciprocal()
        offset = Signal(8, init=MAP_PASS["offset"])
        clear = Signal()
        next_pass = Signal()
        m.d.comb += [
            self.o_pass.offset.eq(offset),
            self.o_next.eq(next_pass),
            self.o_scale_en.eq(reciprocal.o_done),
            self.o_multiplier.eq(reciprocal.o_multiplier),
            self.o_shift.eq(reciprocal.o_shift),
        ]

        # lanes that the last step of a row has
        new = data.View(instruction_layout("SOFTMAX"), self.i_instruction)
        kept = Signal(lanes)
        with m.If(self.i_start):
            in_last = (new.bytes - 1)[:self.config.lane_index_width]
            m.d.sync += kept.eq(Cat(in_last >= lane for lane in range(lanes)))

        # a pass is over when its last step has been answered, but not yet looked up
        in_greatest, in_total = Signal(), Signal()
        greatest, has_greatest = self._greatest(m, kept, self.i_indexed.valid & in_greatest, clear)
        total, has_total = self._total(m, kept, self.i_looked_up.valid & in_total, clear)
        m.d.comb += reciprocal.i_total.eq(total)

        with m.FSM() as fsm:
            with m.State("IDLE"):
                m.d.comb += [self.o_pass.emit.eq(1), clear.eq(1)]
                with m.If(self.i_start):
                    m.next = "GREATEST"
            with m.State("GREATEST"):
                with m.If(has_greatest):
                    # x - greatest + 127 as the number of an entry; greatest is one already
                    m.d.sync += offset.eq(~greatest ^ 0x80)
                    m.d.comb += next_pass.eq(1)
                    m.next = "TOTAL"
            with m.State("TOTAL"):
                with m.If(has_total):
                    m.d.comb += reciprocal.i_start.eq(1)
                    m.next = "RECIPROCAL"
            with m.State("RECIPROCAL"):
                with m.If(reciprocal.o_done):
                    m.d.comb += next_pass.eq(1)
                    m.next = "STEPS"
            with m.State("STEPS"):
                m.d.comb += [self.o_pass.emit.eq(1), clear.eq(1)]
                with m.If(self.i_indexed.valid & self.i_indexed.last):
                    m.d.sync += offset.eq(MAP_PASS["offset"])
                    with m.If(self.i_indexed.end):
                        m.next = "IDLE"
                    with m.Else():
                        m.d.comb += next_pass.eq(1)
                        m.next = "GREATEST"
        m.d.comb += [
            self.o_pass.pause.eq(~fsm.ongoing("IDLE")),
            in_greatest.eq(fsm.ongoing("GREATEST")),
            in_total.eq(fsm.ongoing("TOTAL")),
            self.o_pass.again.eq(in_greatest | in_total),
        ]
        return m

    def _greatest(self, m, kept, valid, clear):
        """The greatest byte of a row, plus 128, and when it is there."""
        leaves = [Signal(8, name=f"index_{lane}") for lane in range(self.config.vector_lanes)]
        m.d.sync += [
            leaf.eq(Mux(kept[lane] | ~self.i_indexed.last, self.i_index[lane], 0))
            for lane, leaf in enumerate(leaves)]
        top, valid, last = _reduce(m, "greatest", leaves, valid, self.i_indexed.last,
                                   lambda a, b: Mux(a > b, a, b), lambda _: 8)
        greatest, done = Signal(8), Signal()
        with m.If(valid & (top > greatest)):
            m.d.sync += greatest.eq(top)
        with m.If(clear):
            m.d.sync += greatest.eq(0)
        m.d.sync += done.eq(valid & last)
        return greatest, done

    def _total(self, m, kept, valid, clear):
        """The sum of a row's entries, modulo 2^32, and when it is there."""
        width = 32 - DROPPED + 1
        leaves = [Signal(signed(width), name=f"term_{lane}")
                  for lane in range(self.config.vector_lanes)]
        for lane, leaf in enumerate(leaves):
            entry = self.i_entries[lane]
            rounded = entry[DROPPED:].as_signed() + entry[DROPPED - 1]
            m.d.sync += leaf.eq(Mux(kept[lane] | ~self.i_looked_up.last, rounded, 0))
        top, valid, last = _reduce(m, "total", leaves, valid, self.i_looked_up.last,
                                   lambda a, b: a + b, lambda depth: signed(width + depth))
        total, done = Signal(32), Signal()
        with m.If(clear):
            m.d.sync += total.eq(0)
        with m.Elif(valid):
            m.d.sync += total.eq(total + top)
        m.d.sync += done.eq(valid & last)
        return total, done


def _reduce(m, name, leaves, valid, last, combine, shape):
    """A tree with a register at each node: what comes out of it, and ``valid`` and ``last``.

    ``leaves`` are registers, one cycle after ``valid`` and ``last``.
    """
    depth = 0
    while True:
        old = valid, last
        valid, last = Signal(name=f"{name}_valid_{depth}"), Signal(name=f"{name}_last_{depth}")
        m.d.sync += [valid.eq(old[0]), last.eq(old[1])]
        if len(leaves) == 1:
            return leaves[0], valid, last
        depth += 1
        nodes = [Signal(shape(depth), name=f"{name}_{depth}_{i}") for i in range(len(leaves) // 2)]
        m.d.sync += [node.eq(combine(a, b)) for node, a, b in zip(nodes, leaves[::2], leaves[1::2])]
        leaves = nodes
