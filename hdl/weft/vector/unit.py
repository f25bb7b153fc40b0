"""VECTOR unit: requantises accumulators, maps bytes through tables, computes softmax."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..bus.memory_queue import MemoryQueue
from ..control.instruction_register import InstructionRegister
from ..control.unit_interface import UnitSignature
from ..sram.ports import AccReadPort, ReadPort, WritePort
from ..vendor.lut_ram import lut_ram_attributes
from .channel_memory import ChannelMemory
from .drain import DrainReader
from .fixed_point.part import FIXED_POINT_NAMES, FixedPointPart
from .lanes import Lanes
from .map import MapReader
from .params import ParamsReader
from .read import SharedRead
from .softmax import SoftmaxControl
from .tables import TableReader
from .write import VectorWriter

__all__ = ["VectorUnit"]

PIPELINE_DEPTH = 34
"""Cycles from the request of a step of MAP to the write of its bytes, with a scratchpad latency of
up to seven cycles. As many steps are in flight at full throughput; DRAIN has fewer."""


class VectorUnit(wiring.Component):
    """Unit that executes the instructions of VECTOR, which :mod:`weft.spec.isa` defines.

    A DRAIN of *n* positions takes ``n * ceil(channels / vector_lanes)`` cycles, or ``n * channels``
    cycles in mode RAW, plus a constant. Positions and rows follow each other without a gap. The
    next DRAIN starts while the last bytes of the previous one are still in flight. Instructions
    that read the scratchpad wait until these bytes are written, because of the read-after-write
    hazard.

    A MAP takes one cycle for each ``vector_lanes`` bytes of a row, or two cycles with two operands,
    plus a constant.

    With ``config.fixed_point``, a COMPUTE, SOLVE or DRAIN_PLANES starts when all earlier results
    are written, and is done before the next instruction starts;
    :class:`weft.vector.fixed_point.engine.FixedPointEngine` states its cycles.

    Parameters
    ----------
    config : :class:`Config`

    Members
    -------
    unit : :py:`In(UnitSignature())`
        ``conflict`` refers to the previous cycle. ``error`` and ``wait_memory`` are constant 0.
    acc : :py:`Out(AccReadPort(row_width, cols))`
        Reads of DRAIN and DRAIN_PLANES. The latency must be 1 to 15 cycles; above 6 cycles, DRAIN
        is slower than one step per cycle.
    spad : :py:`Out(ReadPort(spad_addr_width, max(vector_lanes, 4)))`
        Reads of all other instructions.
    spad_out : :py:`Out(WritePort(spad_addr_width, max(vector_lanes, 4)))`
        Writes of the results.
    o_progress : :py:`Out(1)`
        Bytes of the scratchpad were read or written in the previous cycle. The watchdog uses this
        signal to distinguish a long instruction from a deadlock.
    i_clear : :py:`In(1)`
        Zero the parameters of all slots, the tables, and the multiplier and shift of TABLE. It
        stays high until ``o_clearing`` has risen and fallen again; no instruction is in progress in
        the meantime. After a reset, the clear starts again.
    o_clearing : :py:`Out(1)`
        A clear is in progress: high from the cycle after ``i_clear``.
    """

    def __init__(self, config):
        self.config = config
        spad_addr_width = config.spad_addr_width
        super().__init__({
            "unit": In(UnitSignature()),
            "acc": Out(AccReadPort(row_width=config.acc_addr_width,
                                   cols=config.cols)),
            "spad": Out(ReadPort(spad_addr_width, config.vector_port_bytes)),
            "spad_out": Out(WritePort(spad_addr_width, config.vector_port_bytes)),
            "o_progress": Out(1),
            "i_clear": In(1),
            "o_clearing": Out(1),
        })

    @property
    def queue_depth(self):
        """Number of entries of the queue between lanes and scratchpad, a power of two."""
        return 1 << (self.config.cols + PIPELINE_DEPTH - 1).bit_length()

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.params = params = ParamsReader(config)
        m.submodules.table = table = TableReader(config)
        m.submodules.read = read = SharedRead(config)
        m.submodules.reader = reader = DrainReader(config, queue_depth=self.queue_depth)
        m.submodules.map = map_ = MapReader(config)
        m.submodules.softmax = softmax = SoftmaxControl(config)
        m.submodules.lanes = lanes = Lanes(config)
        m.submodules.writer = writer = VectorWriter(config)
        m.submodules.queue = queue = MemoryQueue(
            lanes.o_bytes.shape(), depth=self.queue_depth,
            attrs=lut_ram_attributes(config.multiplier))

        shapes = {"bias": signed(32), "multiplier": 31, "shift": 6}
        channels = (lanes.o_bias_channel, lanes.o_multiplier_channel, lanes.o_shift_channel)
        # with the fixed-point instructions, the part that executes them shares these
        acc, spad_out, results = flipped(self.acc), flipped(self.spad_out), queue.o
        entry_en, entry = lanes.o_en, lanes.o_bytes
        fixed = None
        if config.fixed_point:
            m.submodules.fixed_point = fixed = FixedPointPart(config, queue_depth=self.queue_depth)
            self._connect_fixed_point(m, fixed, lanes, read, queue)
            acc, spad_out, results = fixed.other_acc, fixed.other_spad_out, fixed.o
            entry_en, entry = fixed.o_en, fixed.o_bytes
        values = (lanes.i_biases, lanes.i_multipliers, lanes.i_shifts)
        for (name, shape), channel, value in zip(shapes.items(), channels, values):
            channel_memory = ChannelMemory(
                channels=config.param_channels, lanes=config.vector_lanes, shape=shape)
            m.submodules[f"{name}_memory"] = channel_memory
            m.d.comb += [
                channel_memory.i_write_en.eq(getattr(params, f"o_{name}_en")),
                channel_memory.i_write_channel.eq(params.o_channel),
                channel_memory.i_write_value.eq(getattr(params, f"o_{name}")),
                channel_memory.i_channel.eq(channel),
                value.eq(channel_memory.o_values),
            ]

        connect(m, reader.acc, acc)
        connect(m, params.spad, read.params)
        connect(m, table.spad, read.table)
        connect(m, map_.spad, read.map)
        connect(m, read.spad, flipped(self.spad))
        connect(m, results, writer.i)
        connect(m, writer.spad_out, spad_out)
        m.d.comb += [
            read.i_table.eq(table.o_busy),
            read.i_map.eq(map_.o_busy),
            map_.i_table_en.eq(table.o_en),
            map_.i_table_index.eq(table.o_index),
            map_.i_table_entry.eq(table.o_entry),
            table.i_clear.eq(self.i_clear),
            self.o_clearing.eq(table.o_clearing),
            params.i_clear.eq(table.o_clearing),
            params.i_clear_channel.eq(table.o_clear_index[:len(params.i_clear_channel)]),
            map_.i_reading.eq(softmax.o_reading),
            map_.i_next.eq(softmax.o_next),
            map_.i_space.eq(reader.o_space),
            reader.i_reserve.eq(map_.o_reserve),
            softmax.i_index.eq(map_.o_index),
            softmax.i_indexed.eq(map_.o_indexed),
            softmax.i_entries.eq(map_.o_entries),
            softmax.i_looked_up.eq(map_.o_looked_up),
            lanes.i_step.eq(Mux(map_.o_step.valid, map_.o_step, reader.o_step)),
            lanes.i_acc.eq(reader.o_acc),
            lanes.i_values.eq(map_.o_values),
            queue.i_en.eq(entry_en),
            queue.i.eq(entry),
            reader.i_freed.eq(writer.i.valid & writer.i.ready),
        ]
        self._issue(m, params, table, reader, map_, softmax, lanes, writer, fixed)
        return m

    def _connect_fixed_point(self, m, fixed, lanes, read, queue):
        """Connect the part that executes the fixed-point instructions."""
        connect(m, fixed.acc, flipped(self.acc))
        connect(m, fixed.spad_out, flipped(self.spad_out))
        connect(m, fixed.spad, read.fixed)
        connect(m, queue.o, fixed.i)
        m.d.comb += [
            read.i_fixed.eq(fixed.o_busy),
            lanes.i_fixed.eq(fixed.o_busy),
            lanes.i_fixed_value.eq(fixed.o_value),
            lanes.i_fixed_multiplier.eq(fixed.o_multiplier),
            fixed.i_product.eq(lanes.o_product),
            fixed.i_en.eq(lanes.o_en),
            fixed.i_bytes.eq(lanes.o_bytes),
        ]

    def _issue(self, m, params, table, reader, map_, softmax, lanes, writer, fixed):
        """Start each instruction in the parts that execute it."""
        unit = self.unit
        m.submodules.instruction = instruction = InstructionRegister(
            ["DRAIN", "PARAMS", "TABLE", "MAP", "SOFTMAX"]
            + (list(FIXED_POINT_NAMES) if fixed is not None else []))
        connect(m, flipped(unit.cmd), instruction.i)
        opcode, word = instruction.o_is, instruction.o.payload
        is_known = opcode.as_value().any()              # 0 for SYNC_VECTOR

        settings = Signal()
        free, empty = Signal(), Signal()
        starting, drain, sync = Signal(), Signal(), Signal()
        start_params, start_table, start_map = Signal(), Signal(), Signal()
        is_free = (instruction.o.valid & ~starting & writer.o_ready
                   & ~params.o_busy & ~table.o_busy & ~map_.o_busy)
        done, busy = writer.o_done, (instruction.o.valid | params.o_busy | table.o_busy
                                     | map_.o_busy | writer.o_busy)
        if fixed is not None:
            is_free, done, busy = (is_free & ~fixed.o_busy, done | fixed.o_done,
                                   busy | fixed.o_busy)
            kinds = [opcode[name] for name in FIXED_POINT_NAMES]
            m.d.sync += fixed.i_start.eq(empty & Cat(kinds).any())
            m.d.comb += [fixed.i_instruction.eq(word),
                         Cat(fixed.i_kind[name] for name in FIXED_POINT_NAMES).eq(Cat(kinds))]
        m.d.comb += [
            instruction.i_halt.eq(unit.halt),
            free.eq(is_free),
            # all earlier results are written, and no step in flight uses the parameters or tables
            empty.eq(free & ~writer.o_busy),
            params.i_start.eq(start_params),
            table.i_start.eq(start_table),
            softmax.i_start.eq(start_map & opcode.SOFTMAX),
            map_.i_start.eq(start_map),
            instruction.o.ready.eq(starting),
        ]
        # registers, because of their high fan-out; they delay the start by one cycle
        m.d.sync += [
            drain.eq(free & opcode.DRAIN & reader.o_ready),
            start_params.eq(empty & opcode.PARAMS),
            start_table.eq(empty & opcode.TABLE),
            start_map.eq(empty & (opcode.MAP | opcode.SOFTMAX)),
            sync.eq(free & ~is_known),
            starting.eq(Mux(is_known, Mux(opcode.DRAIN, free & reader.o_ready, empty), free)),
        ]
        with m.If(drain | map_.i_start):
            # at most one earlier instruction has steps in flight; it uses the other settings
            m.d.sync += settings.eq(~settings)

        for part in (reader, lanes, map_):
            m.d.comb += [part.i_instruction.eq(word), part.i_settings.eq(settings)]
        # MAP uses multiplier and shift of the last TABLE. They may change between two rows of a
        # SOFTMAX, because all steps of a row leave the lanes before the next scale is computed.
        with m.If(map_.i_start):
            m.d.sync += [lanes.i_map_multiplier.eq(table.o_multiplier),
                         lanes.i_map_shift.eq(table.o_shift)]
        with m.If(softmax.o_scale_en):
            m.d.sync += [lanes.i_map_multiplier.eq(softmax.o_multiplier),
                         lanes.i_map_shift.eq(softmax.o_shift)]

        acc_conflict = Signal()
        m.d.sync += self.o_progress.eq(
            self.spad.valid | (self.spad_out.req.valid & self.spad_out.req.ready))
        m.d.sync += acc_conflict.eq(self.acc.req.valid & ~self.acc.req.ready)
        m.d.comb += [
            reader.i_start.eq(drain),
            lanes.i_start.eq(drain | map_.i_start),
            lanes.i_softmax.eq(opcode.SOFTMAX),
            params.i_instruction.eq(word),
            table.i_instruction.eq(word),
            softmax.i_instruction.eq(word),
            writer.i_start.eq(drain | map_.i_start | sync | params.o_done | table.o_done),
            writer.i_instruction.eq(word),
            writer.i_map.eq(map_.i_start),
            writer.i_empty.eq(~(drain | map_.i_start)),
            unit.done.eq(done),
            unit.busy.eq(busy),
            unit.conflict.eq(acc_conflict | self.spad.conflict | self.spad_out.conflict),
        ]
