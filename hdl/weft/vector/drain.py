"""Reader of DRAIN, which sends accumulator rows to the lanes in steps."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..control.instruction_layout import instruction_layout
from ..control.unit_interface import INSTRUCTION_SHAPE
from ..spec.isa import Mode
from ..sram.ports import AccReadPort

__all__ = ["DrainReader", "Step"]


class Step(data.StructLayout):
    """Layout of a step, the group of channels or bytes that the lanes process in one cycle.

    ``channel`` is the parameter slot of the first channel of the group. In mode RAW (``raw``), the
    step has a single channel, and ``channel`` is its parameter slot. ``map`` marks a step of a MAP
    or SOFTMAX, which has no channels. ``settings`` is the index, 0 or 1, of the settings of the
    instruction in the lanes.
    """

    def __init__(self, config):
        super().__init__({
            "valid": 1,
            "channel": range(config.param_channels),
            "raw": 1,
            "map": 1,
            "settings": 1,
        })


class DrainReader(wiring.Component):
    """Reader that sends the accumulator rows of DRAIN instructions to the lanes in steps.

    A step is a group of ``vector_lanes`` channels, or one channel in mode RAW. Steps follow each
    other without a gap, also from row to row. The pipeline after this component cannot stall. A row
    is therefore requested only if the output queue has space for all its steps, and only if its
    data will arrive after the last step of the previous row is sent.

    Steps in mode RAW take a shorter path through the lanes. When the mode changes to or from RAW,
    the first row therefore waits until all earlier steps have left the queue.

    Parameters
    ----------
    config : :class:`Config`
    queue_depth : :class:`int`
        Number of entries of the output queue; at least ``config.cols``.

    Members
    -------
    i_start : :py:`In(1)`
        Start the instruction in ``i_instruction``. Allowed only while ``o_ready`` is high.
    i_instruction : :py:`In(256)`
        A validated DRAIN.
    i_settings : :py:`In(1)`
        Index of the settings for the steps of this instruction.
    o_ready : :py:`Out(1)`
        All rows of earlier instructions have arrived.
    acc : :py:`Out(AccReadPort(acc_row_width, cols))`
        Reads of accumulator rows.
    i_freed : :py:`In(1)`
        An entry of the output queue becomes free in this cycle.
    i_reserve : :py:`In(1)`
        Reserve an entry for a step of another component. Not allowed while a DRAIN is in progress
        in this component.
    o_space : :py:`Out(1)`
        The queue had at least ``AHEAD`` free entries in the previous cycle.
    o_step : :py:`Out(Step(config))`
        The step that enters the lanes in this cycle.
    o_acc : :py:`Out(ArrayLayout(signed(32), lanes))`
        Accumulators of the step of the previous cycle.
    """

    MAX_READ_LATENCY = 15
    AHEAD = 3           # reservations that may follow before ``o_space`` includes the first one

    def __init__(self, config, *, queue_depth):
        self.config = config
        self.queue_depth = queue_depth
        self.row_width = config.acc_addr_width
        super().__init__({
            "i_start": In(1),
            "i_instruction": In(INSTRUCTION_SHAPE),
            "i_settings": In(1),
            "o_ready": Out(1),
            "acc": Out(AccReadPort(row_width=self.row_width, cols=config.cols)),
            "i_freed": In(1),
            "i_reserve": In(1),
            "o_space": Out(1),
            "o_step": Out(Step(config)),
            "o_acc": Out(data.ArrayLayout(signed(32), config.vector_lanes)),
        })

    def elaborate(self, platform):
        m = Module()
        cols, lanes = self.config.cols, self.config.vector_lanes
        new = data.View(instruction_layout("DRAIN"), self.i_instruction)
        step_shape = range(cols)            # steps of a row, minus 1

        raw, settings = Signal(), Signal()
        last_step = Signal(step_shape)
        x_count, xs_left, ys_left = Signal(16), Signal(16), Signal(16)
        row, row_first, pitch = (
            Signal(self.row_width, name=name) for name in ("row", "row_first", "pitch"))
        requesting = Signal()

        free = Signal(range(self.queue_depth + 1), init=self.queue_depth)
        gap = Signal(step_shape)            # cycles until the next row may be requested
        was_raw = Signal()
        # computed one cycle ahead, because these signals control logic far from the accumulators
        may_request, is_last_x, is_last_y = Signal(), Signal(), Signal()
        outstanding = Signal(range(self.MAX_READ_LATENCY + 1))
        accept = Signal()
        # The results of the comparisons with the number of free entries are registered. If entries
        # were reserved in the same cycle, there must be space for two rows. This suffices: rows
        # of more than one step are at least two cycles apart.
        is_raw = new.mode == Mode.RAW
        last_channel = (new.channels - 1)[:len(last_step)]
        new_last_step = Mux(is_raw, last_channel, last_channel // lanes)
        next_last_step = Signal(step_shape)
        space_for_one, space_for_two, reserved = Signal(), Signal(), Signal()
        m.d.comb += next_last_step.eq(Mux(self.i_start, new_last_step, last_step))
        m.d.sync += [
            space_for_one.eq(free > next_last_step),
            space_for_two.eq(free > Cat(Const(1, 1), next_last_step)),
            reserved.eq(accept | self.i_reserve),
            # a row with another path through the lanes waits until the queue is empty
            may_request.eq(Mux(
                accept, (last_step == 0) & ~(is_last_x & is_last_y),
                (requesting | self.i_start) & (gap <= 1)
                & ((Mux(self.i_start, is_raw, raw) == (was_raw & ~self.i_reserve))
                   | ((free == self.queue_depth) & ~self.i_reserve)))),
        ]
        m.d.comb += [
            self.acc.req.valid.eq(may_request & Mux(reserved, space_for_two, space_for_one)),
            self.acc.req.payload.eq(row),
            accept.eq(self.acc.req.valid & self.acc.req.ready),
            self.o_ready.eq(~requesting & (outstanding == 0)),
        ]
        m.d.sync += [
            free.eq(free + self.i_freed - Mux(accept, last_step + 1, self.i_reserve)),
            self.o_space.eq(free >= self.AHEAD),
            outstanding.eq(outstanding + accept - self.acc.valid),
        ]
        with m.If(self.i_reserve):
            m.d.sync += was_raw.eq(0)
        with m.If(gap != 0):
            m.d.sync += gap.eq(gap - 1)
        with m.If(accept):
            m.d.sync += [gap.eq(last_step), was_raw.eq(raw), row.eq(row + 1),
                         xs_left.eq(xs_left - 1), is_last_x.eq(xs_left == 2)]
            with m.If(is_last_x):
                next_row = (row_first + pitch)[:self.row_width]
                m.d.sync += [row.eq(next_row), row_first.eq(next_row), xs_left.eq(x_count),
                             is_last_x.eq(x_count == 1), ys_left.eq(ys_left - 1),
                             is_last_y.eq(ys_left == 2)]
                with m.If(is_last_y):
                    m.d.sync += requesting.eq(0)

        with m.If(self.i_start):
            m.d.sync += [
                requesting.eq(1), raw.eq(is_raw), settings.eq(self.i_settings),
                last_step.eq(new_last_step),
                row.eq(new.acc_addr), row_first.eq(new.acc_addr), pitch.eq(new.acc_pitch),
                x_count.eq(new.x_count), xs_left.eq(new.x_count), ys_left.eq(new.y_count),
                is_last_x.eq(new.x_count == 1), is_last_y.eq(new.y_count == 1),
            ]

        self._split(m, raw, settings, last_step, self._slot_group(m, new, x_count))
        return m

    def _slot_group(self, m, new, x_count):
        """Return the first parameter slot of the next row that arrives, in multiples of ``cols``.

        The rows are counted when they arrive, separately from the requests, which are ahead.
        """
        config = self.config
        group = Signal(range(config.param_channels // config.cols))
        apart = Signal()
        xs_left = Signal(range(config.acc_rows + 1))        # a valid x_count is at most acc_rows
        with m.If(self.acc.valid):
            m.d.sync += xs_left.eq(xs_left - 1)
            with m.If(xs_left == 1):
                m.d.sync += [xs_left.eq(x_count), group.eq(group + apart)]
        with m.If(self.i_start):        # no row is outstanding
            m.d.sync += [xs_left.eq(new.x_count), apart.eq(new.apart),
                         group.eq(new.channel >> config.col_index_width)]
        return group

    def _split(self, m, raw, settings, last_step, slot_group):
        """Store each row that arrives, and send its steps."""
        cols, lanes = self.config.cols, self.config.vector_lanes
        lane_shape = data.ArrayLayout(signed(32), lanes)
        rows = Signal(data.ArrayLayout(lane_shape, cols // lanes), reset_less=True)
        left = Signal.like(last_step)
        step = self.o_step
        bits = self.config.col_index_width
        in_row = step.channel[:bits]
        m.d.sync += [
            left.eq(left - 1),
            in_row.eq(in_row + Mux(step.raw, Const(1), Const(lanes))),
            self.o_acc.eq(rows[in_row[self.config.lane_index_width:]]),
        ]
        with m.If(left == 0):
            m.d.sync += step.valid.eq(0)
        with m.If(self.acc.valid):
            m.d.sync += [
                rows.eq(self.acc.data), left.eq(last_step),
                step.valid.eq(1), step.channel.eq(slot_group << bits), step.raw.eq(raw),
                step.settings.eq(settings),
            ]
