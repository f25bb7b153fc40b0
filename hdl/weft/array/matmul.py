"""The MATMUL unit: tiles into the array, vectors through it, sums into the accumulators."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from ..control.instruction_register import InstructionHold
from ..control.unit_interface import UnitSignature
from ..sram.ports import AccUpdatePort, ReadPort
from .positions import PositionLoops, Tag
from .systolic import SystolicArray
from .tiles import TileLoader

__all__ = ["MatmulUnit"]

LEAVES_AFTER = 2        # cycles, at least


class MatmulUnit(wiring.Component):
    """Executes MATMUL and SYNC_MATMUL.

    Two machines work on the instructions, in order: the tile loader shifts each pass's weights
    into the array while the pass before it runs, and the position loops read one vector a cycle.
    A pass of M vectors takes max(M, ``rows``) cycles, and passes follow each other without a
    bubble, across instructions too, if the scratchpad does not put a read off. The vectors are the
    positions; in a depthwise pass ``lead`` more for each row of positions. With ``hold``
    only the first pass of an instruction waits for its tile, and all take M cycles. A vector that
    would update an accumulator row sooner than ``UPDATE_DISTANCE`` cycles after the last
    vector for that row waits.

    Parameters
    ----------
    config : :class:`Config`
    spad_latency, wgt_latency : :class:`int`
        Read latencies of scratchpad and weight buffer, in cycles.
    answer_latency : :class:`int`
        Cycles from the scratchpad's ``going`` to its data; 2 to ``rows - 2`` less than
        ``spad_latency``.
    acc_latency : :class:`int`
        Cycles from an update to a read that sees it.

    Members
    -------
    unit : :py:`In(UnitSignature())`
    spad : :py:`Out(ReadPort(spad_addr_width, rows))`
    wgt : :py:`Out(ReadPort(line_width, cols))`
        Lines of the weight buffer, which never puts a read off.
    acc : :py:`Out(AccUpdatePort(...))`
    o_mac_busy : :py:`Out(1)`
        A vector enters the array in this cycle.
    o_wait_weights : :py:`Out(1)`
        The next vector waits for its tile.
    """

    def __init__(self, config, *, spad_latency, answer_latency, wgt_latency, acc_latency):
        if spad_latency - answer_latency < LEAVES_AFTER:
            raise ValueError(f"a vector must leave the scratchpad's port {LEAVES_AFTER} cycles "
                             f"after it was asked for, not {spad_latency - answer_latency}")
        self.config = config
        self.spad_latency = spad_latency
        self.answer_latency = answer_latency
        self.wgt_latency = wgt_latency
        self.acc_latency = acc_latency
        # lines are requested one cycle after the vector with the swap that frees the shadow
        # registers is on its way, and must not reach the array before it does
        self.line_delay = max(0, answer_latency - wgt_latency - 1)
        self.act_delay = max(0, wgt_latency + 1 - answer_latency)
        row_width = (config.acc_rows - 1).bit_length()
        super().__init__({
            "unit": In(UnitSignature()),
            "spad": Out(ReadPort((config.spad_bytes - 1).bit_length(), config.rows)),
            "wgt": Out(ReadPort(
                (config.wgt_bytes // config.cols - 1).bit_length(), config.cols)),
            "acc": Out(AccUpdatePort(
                row_width=row_width, sum_width=config.sum_width, cols=config.cols)),
            "o_mac_busy": Out(1),
            "o_wait_weights": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.array = array = SystolicArray(config)
        m.submodules.tiles = tiles = TileLoader(
            config, early=self.spad_latency - self.answer_latency)
        m.submodules.loops = loops = PositionLoops(config)

        in_work = Signal(range(64))
        sync_done = Signal()
        m.submodules.hold = hold = InstructionHold(["SYNC_MATMUL"])
        wiring.connect(m, wiring.flipped(self.unit.cmd), hold.i)
        is_sync = hold.o_is["SYNC_MATMUL"]
        idle = in_work == 0
        # an instruction goes to both machines at once; a SYNC waits until the array is empty
        accept = hold.o.valid & hold.o.ready
        m.d.comb += [
            hold.i_halt.eq(self.unit.halt),
            hold.o.ready.eq(
                ~self.unit.halt & Mux(is_sync, idle & ~sync_done, tiles.i.ready & loops.i.ready
                                      & (in_work != 63))),
            tiles.i.valid.eq(accept & ~is_sync),
            tiles.i.payload.eq(hold.o.payload),
            loops.i.valid.eq(accept & ~is_sync),
            loops.i.payload.eq(hold.o.payload),
            loops.i_tile_ready.eq(tiles.o_ready),
            tiles.i_claim.eq(loops.o_claim),
            self.o_wait_weights.eq(loops.o_wait_weights),
        ]
        m.d.sync += sync_done.eq(accept & is_sync)

        wiring.connect(m, loops.spad, wiring.flipped(self.spad))
        wgt_en, wgt_line = _delayed(m, "line", self.line_delay, tiles.o_en, tiles.o_line)
        m.d.comb += [self.wgt.req.valid.eq(wgt_en), self.wgt.req.payload.eq(wgt_line)]

        # the weight buffer is never late
        load, = _delayed(m, "load", self.line_delay + self.wgt_latency - 1, tiles.o_en)
        blank, = _delayed(m, "blank", self.line_delay + self.wgt_latency, tiles.o_blank)

        # which vector is on its way: two wait at their port at most, and one has just left it.
        # What was asked for is known a cycle later, a cycle before it may leave.
        accepted, kind, tag = Signal(), Signal(2), Signal(Tag(config))
        m.d.sync += [accepted.eq(loops.o_accept), tag.eq(loops.o_tag),
                     kind.eq(Cat(loops.o_first, loops.o_depthwise))]
        going = self.spad.going
        asked = _queue(m, "asked", 4, push=accepted, value=kind, pop=going)
        m.d.comb += tiles.i_swap.eq(going & asked[0])
        swap, swap_depthwise = _delayed(m, "swap", self.answer_latency + self.act_delay,
                                        tiles.i_swap, asked[1])
        # the tag of a vector waits for its sums
        tag_depth = array.latency + self.act_delay + 16
        m.submodules.tags = tags = SyncFIFOBuffered(width=Tag(config).size, depth=tag_depth)
        act_valid, act = _delayed(m, "act", self.act_delay, self.spad.valid,
                                  self.spad.data.as_value())
        m.d.comb += [
            tags.w_data.eq(tag),
            tags.w_en.eq(accepted),
            array.i_act.as_value().eq(act),
            array.i_valid.eq(act_valid),
            array.i_swap.eq(swap),
            array.i_depthwise.eq(swap_depthwise),
            # rows of the array without a tap still multiply what filters before have left in them
            # byte by byte: one wide choice looks like a loop to the simulator that is made of this
            *(array.i_wgt[column].eq(Mux(blank, 0, self.wgt.data[column]))
              for column in range(config.cols)),
            array.i_load_next.eq(load),
            self.o_mac_busy.eq(act_valid),
        ]

        # out of registers: whether VECTOR may read depends on it in the same cycle
        done_tag = data.View(Tag(config), tags.r_data)
        m.d.comb += [tags.r_en.eq(array.o_next), self.acc.data.eq(array.o_sum)]
        m.d.sync += [
            self.acc.en.eq(array.o_next & ~done_tag.lead),
            self.acc.row.eq(done_tag.row),
            self.acc.op.eq(done_tag.op),
        ]
        done, = _delayed(m, "done", self.acc_latency, array.o_next & done_tag.last)
        m.d.comb += [
            self.unit.done.eq(done | sync_done),
            self.unit.busy.eq(hold.o.valid | ~idle | sync_done),
            self.unit.conflict.eq(self.spad.conflict),
        ]
        m.d.sync += in_work.eq(in_work + (accept & ~is_sync) - done)
        return m


def _queue(m, name, depth, *, push, value, pop):
    """The oldest of at most ``depth`` values, out of a register: a memory would be slower, and
    could not be everywhere. There is no ``pop`` while there is none."""
    entries = [Signal(len(value), name=f"{name}{age}") for age in range(depth)]
    count = Signal(range(depth + 1), name=f"{name}_count")
    m.d.sync += count.eq(count + push - pop)
    for at, (entry, older) in enumerate(zip(entries, [*entries[1:], entries[-1]])):
        with m.If(pop):
            m.d.sync += entry.eq(older)
        with m.If(push & (count == at + pop)):
            m.d.sync += entry.eq(value)
    return entries[0]


def _delayed(m, name, cycles, *signals):
    """``signals`` registered ``cycles`` times, as a list."""
    value = Cat(*signals)
    for cycle in range(cycles):
        stage = Signal(len(value), name=f"{name}_delay{cycle}")
        m.d.sync += stage.eq(value)
        value = stage
    parts, offset = [], 0
    for signal in signals:
        parts.append(value[offset:offset + len(signal)])
        offset += len(signal)
    return parts
