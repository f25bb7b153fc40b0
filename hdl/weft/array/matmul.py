"""MATMUL unit: moves tiles and vectors into the array, and sums into the accumulators."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from ..control.instruction_layout import instruction_layout
from ..control.instruction_register import InstructionRegister
from ..control.unit_interface import INSTRUCTION_SHAPE, UnitSignature
from ..delay_line import delay_line
from ..sram.ports import AccUpdatePort, ReadPort
from ..sram.ring_interface import RingSignature
from .positions import PositionLoops, Tag
from .systolic import SystolicArray
from .tiles import TileLoader

__all__ = ["MatmulUnit"]

_SHARED = ("opcode", "accumulate", "act_addr", "acc_addr", "row_count", "row_pitch", "chunk_count",
           "chunk_pitch", "x_count", "x_pitch")     # fields of both MATMUL and MATMUL_RING

LEAST_GRANT_DELAY = 2
"""Minimum number of cycles from the request of a vector to the grant of its read."""


class MatmulUnit(wiring.Component):
    """Unit that executes MATMUL and SYNC_MATMUL.

    Two state machines process the same instructions in order: the tile loader shifts the weights
    of each pass into the array while the previous pass runs, and the position loops read one vector
    per cycle. A pass of M vectors takes max(M, ``tile_cycles``) cycles, and passes follow each
    other without a bubble, also from one instruction to the next, as long as the scratchpad grants
    every read. A pass has one vector for each position and, in depthwise mode, ``lead`` further
    vectors for each row of positions. With ``hold``, only the first pass of an instruction waits
    for its tile, and each pass takes M cycles. A vector is delayed if its update of an accumulator
    row would follow an earlier update of that row by less than ``UPDATE_DISTANCE`` cycles.

    Parameters
    ----------
    config : :class:`Config`
    spad_latency, wgt_latency : :class:`int`
        Read latencies of scratchpad and weight buffer, in cycles.
    data_latency : :class:`int`
        Cycles from ``granted`` of the scratchpad to the data; at least 2 and at most
        ``tile_cycles - 2`` cycles less than ``spad_latency``.
    acc_latency : :class:`int`
        Cycles from the update of an accumulator to a read that returns the new value.

    Members
    -------
    unit : :py:`In(UnitSignature())`
    spad : :py:`Out(ReadPort(spad_addr_width, rows))`
        Reads of vectors from the scratchpad.
    wgt : :py:`Out(ReadPort(line_width, cols))`
        Reads of lines from the weight buffer, which never stalls one.
    wgt_lower : :py:`Out(ReadPort(line_width, cols))`
        With two lines per cycle: the lines of the lower half of the array's rows; ``wgt`` reads
        those of the upper half.
    acc : :py:`Out(AccUpdatePort(...))`
        Updates of accumulator rows with the sums of one vector.
    ring : :py:`In(RingSignature(config))`
        With the fixed-point instructions: fill level of the ring.
    i_ring_clear : :py:`In(1)`
        Empty the ring. Allowed only while no instruction is in progress.
    o_mac_busy : :py:`Out(1)`
        A vector enters the array in this cycle.
    o_wait_weights : :py:`Out(1)`
        The next vector waits only for its tile.
    """

    def __init__(self, config, *, spad_latency, data_latency, wgt_latency, acc_latency):
        grant_delay = spad_latency - data_latency
        if grant_delay < LEAST_GRANT_DELAY:
            raise ValueError(f"spad_latency must be at least {LEAST_GRANT_DELAY} cycles more than "
                             f"data_latency, not {grant_delay}")
        self.config = config
        self.spad_latency = spad_latency
        self.data_latency = data_latency
        self.wgt_latency = wgt_latency
        self.acc_latency = acc_latency
        # The lines of a tile are requested one cycle after the grant of the vector whose swap frees
        # the shadow registers, and must not reach the array before that vector.
        self.line_delay = max(0, data_latency - wgt_latency - 1)
        self.act_delay = max(0, wgt_latency + 1 - data_latency)
        super().__init__({
            "unit": In(UnitSignature()),
            "spad": Out(ReadPort(config.spad_addr_width, config.rows)),
            "wgt": Out(ReadPort(config.wgt_line_addr_width, config.cols)),
            "acc": Out(AccUpdatePort(row_width=config.acc_addr_width, sum_width=config.sum_width,
                                     cols=config.cols)),
            "o_mac_busy": Out(1),
            "o_wait_weights": Out(1),
            **({"wgt_lower": Out(ReadPort(config.wgt_line_addr_width, config.cols))}
               if config.tile_lines > 1 else {}),
            **({"ring": In(RingSignature(config)), "i_ring_clear": In(1)}
               if config.fixed_point else {}),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.array = array = SystolicArray(config)
        m.submodules.tiles = tiles = TileLoader(
            config, grant_delay=self.spad_latency - self.data_latency)
        m.submodules.loops = loops = PositionLoops(config)

        in_flight = Signal(range(64))       # MATMUL instructions that are not done
        sync_done = Signal()
        m.submodules.instruction = instruction = InstructionRegister(
            ["SYNC_MATMUL", *(["MATMUL_RING"] if config.fixed_point else [])])
        wiring.connect(m, wiring.flipped(self.unit.cmd), instruction.i)
        is_sync = instruction.o_is["SYNC_MATMUL"]
        idle = in_flight == 0
        # both state machines accept an instruction in the same cycle; a SYNC_MATMUL waits until
        # all earlier instructions are done
        accept = instruction.o.valid & instruction.o.ready
        m.d.comb += [
            instruction.i_halt.eq(self.unit.halt),
            instruction.o.ready.eq(
                ~self.unit.halt & Mux(is_sync, idle & ~sync_done, tiles.i.ready & loops.i.ready
                                      & (in_flight != 63))),
            tiles.i.valid.eq(accept & ~is_sync),
            tiles.i.payload.eq(instruction.o.payload),
            loops.i.valid.eq(accept & ~is_sync),
            loops.i.payload.eq(instruction.o.payload),
            loops.i_tile_ready.eq(tiles.o_ready),
            tiles.i_tile_start.eq(loops.o_tile_start),
            self.o_wait_weights.eq(loops.o_wait_weights),
        ]
        m.d.sync += sync_done.eq(accept & is_sync)
        if config.fixed_point:
            self._elaborate_ring(m, instruction, tiles, loops)

        wiring.connect(m, loops.spad, wiring.flipped(self.spad))
        line, = delay_line(m, "line", self.line_delay, Cat(tiles.o_en, tiles.o_line))
        m.d.comb += [self.wgt.req.valid.eq(line[0]), self.wgt.req.payload.eq(line[1:])]

        # these delays match the fixed latency of the weight buffer
        load, = delay_line(m, "load", self.line_delay + self.wgt_latency - 1, tiles.o_en)
        blank, = delay_line(m, "blank", self.line_delay + self.wgt_latency, tiles.o_blank)
        if config.tile_lines > 1:
            self._elaborate_lower_lines(m, tiles, array, line)

        # Queue of the requested vectors whose read was not granted before this cycle: at most two
        # that wait at the port, and one whose grant is reported in this cycle. A request enters the
        # queue one cycle after its acceptance, which is at least one cycle before `granted`.
        accepted, kind, tag = Signal(), Signal(2), Signal(Tag(config))
        m.d.sync += [accepted.eq(loops.o_accept), tag.eq(loops.o_tag),
                     kind.eq(Cat(loops.o_first, loops.o_depthwise))]
        granted = self.spad.granted
        first, depthwise = _queue(m, "kind", 4, push=accepted, value=kind, pop=granted)
        m.d.comb += tiles.i_swap.eq(granted & first)
        controls, = delay_line(m, "controls", self.data_latency + self.act_delay,
                            Cat(tiles.i_swap, depthwise))
        # queue of the tags of the vectors whose sums have not left the array
        tag_depth = array.latency + self.act_delay + 16
        m.submodules.tags = tags = SyncFIFOBuffered(width=Tag(config).size, depth=tag_depth)
        vector, = delay_line(m, "vector", self.act_delay,
                          Cat(self.spad.valid, self.spad.data.as_value()))
        m.d.comb += [
            tags.w_data.eq(tag),
            tags.w_en.eq(accepted),
            array.i_act.as_value().eq(vector[1:]),
            array.i_valid.eq(vector[0]),
            array.i_swap.eq(controls[0]),
            array.i_depthwise.eq(controls[1]),
            # Array rows without a tap still multiply old operands, so their weights must be 0. The
            # selection is per byte, because CXXRTL takes one wide Mux for a combinational loop.
            *(array.i_wgt[column].eq(Mux(blank, 0, self.wgt.data[column]))
              for column in range(config.cols)),
            array.i_load_next.eq(load),
            self.o_mac_busy.eq(vector[0]),
        ]

        # en, row and op come from registers, because VECTOR's read in the same cycle depends on
        # them
        done_tag = data.View(Tag(config), tags.r_data)
        m.d.comb += [tags.r_en.eq(array.o_next), self.acc.data.eq(array.o_sum)]
        m.d.sync += [
            self.acc.en.eq(array.o_next & ~done_tag.lead),
            self.acc.row.eq(done_tag.row),
            self.acc.op.eq(done_tag.op),
        ]
        done, = delay_line(m, "done", self.acc_latency, array.o_next & done_tag.last)
        m.d.comb += [
            self.unit.done.eq(done | sync_done),
            self.unit.busy.eq(instruction.o.valid | ~idle | sync_done),
            self.unit.conflict.eq(self.spad.conflict),
        ]
        m.d.sync += in_flight.eq(in_flight + (accept & ~is_sync) - done)
        return m

    def _elaborate_ring(self, m, instruction, tiles, loops):
        """Execute MATMUL_RING as a MATMUL whose tiles come from the ring."""
        config = self.config
        is_ring = instruction.o_is["MATMUL_RING"]
        ring = data.View(instruction_layout("MATMUL_RING"), instruction.o.payload)
        word = Signal(INSTRUCTION_SHAPE)
        matmul = data.View(instruction_layout("MATMUL"), word)
        for name in _SHARED:
            assert matmul.shape()[name] == ring.shape()[name], name
            m.d.comb += matmul[name].eq(ring[name])
        m.d.comb += [matmul.apart.eq(ring.acc_pitch != 0), matmul.y_count.eq(1)]
        with m.If(is_ring):
            m.d.comb += [tiles.i.payload.eq(word), loops.i.payload.eq(word)]

        available = Signal(range(config.wgt_tiles + 1))
        lag = config.tile_cycles if config.tile_lines > 1 else 0
        release, = delay_line(m, "release", self.line_delay + self.wgt_latency + lag,
                              tiles.o_ring_end)
        m.d.sync += available.eq(available + self.ring.tiles - tiles.o_ring_begin)
        with m.If(self.i_ring_clear):
            m.d.sync += available.eq(0)
        m.d.comb += [
            tiles.i_ring.eq(is_ring),
            tiles.i_available.eq(available != 0),
            tiles.i_clear.eq(self.i_ring_clear),
            self.ring.release.eq(release),
        ]

    def _elaborate_lower_lines(self, m, tiles, array, line):
        """Read the lines of the lower half of the rows, later than those of the upper half."""
        lag = self.config.tile_cycles
        delayed, = delay_line(m, "lower_line", lag, line)
        m.d.comb += [self.wgt_lower.req.valid.eq(delayed[0]),
                     self.wgt_lower.req.payload.eq(delayed[1:])]
        blank, = delay_line(m, "lower_blank", self.line_delay + lag + self.wgt_latency,
                            tiles.o_blank_lower)
        m.d.comb += [array.i_wgt_lower[column].eq(Mux(blank, 0, self.wgt_lower.data[column]))
                     for column in range(self.config.cols)]


def _queue(m, name, depth, *, push, value, pop):
    """Add a FIFO of ``depth`` values to ``m`` and return its oldest value.

    The values are in registers, and the oldest one is always in the same register. ``push`` adds
    ``value``; ``pop`` removes the oldest value and is only allowed while there is one.
    """
    entries = [Signal(len(value), name=f"{name}{age}") for age in range(depth)]
    count = Signal(range(depth + 1), name=f"{name}_count")
    m.d.sync += count.eq(count + push - pop)
    for index, (entry, younger) in enumerate(zip(entries, [*entries[1:], entries[-1]])):
        with m.If(pop):
            m.d.sync += entry.eq(younger)
        with m.If(push & (count == index + pop)):
            m.d.sync += entry.eq(value)
    return entries[0]
