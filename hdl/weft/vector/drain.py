"""The reading side of DRAIN: accumulator rows in, groups of channels out."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..control.instruction_layout import instruction_layout
from ..control.unit_interface import INSTRUCTION_SHAPE
from ..spec.isa import Mode
from ..sram.ports import AccReadPort

__all__ = ["DrainReader", "Step"]


class Step(data.StructLayout):
    """What goes through the lanes in one cycle.

    ``channel`` is the place of the parameters of the group's first channel, or in mode RAW
    (``raw``) of the one channel: the instruction's place plus the channel itself.
    ``map`` tells that it is of a MAP or SOFTMAX, and has no channels. ``slot`` tells which of two
    instructions it belongs to.
    """

    def __init__(self, config):
        super().__init__({
            "valid": 1,
            "channel": range(config.param_channels),
            "raw": 1,
            "map": 1,
            "slot": 1,
        })


class DrainReader(wiring.Component):
    """Reads the accumulator rows of DRAIN instructions and sends them on in steps.

    A step is a group of ``vector_lanes`` channels, or one channel in mode RAW. Steps follow each
    other without a gap, from row to row. Nothing behind this component can hold a step back:
    a row is requested only when the output queue has room for all its steps, and so many cycles
    after the row before that it arrives when that one's steps are out.

    Rows of mode RAW take a shorter way through the lanes, so the first waits until every other
    step has left the queue, and the reverse.

    Parameters
    ----------
    config : :class:`Config`
    room : :class:`int`
        Entries of the output queue; at least ``config.cols``.

    Members
    -------
    i_start : :py:`In(1)`
        Start the instruction in ``i_instruction``. Only while ``o_ready`` is high.
    i_instruction : :py:`In(256)`
        A validated DRAIN.
    i_slot : :py:`In(1)`
    o_ready : :py:`Out(1)`
        All rows of earlier instructions have arrived.
    acc : :py:`Out(AccReadPort(acc_row_width, cols))`
    i_free : :py:`In(1)`
        The output queue has given away an entry.
    i_take : :py:`In(1)`
        A step that is not of this component will need an entry. Not while a DRAIN is read.
    o_room : :py:`Out(1)`
        The queue had room for ``AHEAD`` entries a cycle ago.
    o_step : :py:`Out(Step(config))`
    o_acc : :py:`Out(ArrayLayout(signed(32), lanes))`
        The accumulators of the step of one cycle ago.
    """

    MAX_READ_LATENCY = 15
    AHEAD = 3           # steps that are asked for before ``o_room`` tells of the first of them

    def __init__(self, config, *, room):
        self.config = config
        self.room = room
        self.row_width = config.acc_addr_width
        super().__init__({
            "i_start": In(1),
            "i_instruction": In(INSTRUCTION_SHAPE),
            "i_slot": In(1),
            "o_ready": Out(1),
            "acc": Out(AccReadPort(row_width=self.row_width, cols=config.cols)),
            "i_free": In(1),
            "i_take": In(1),
            "o_room": Out(1),
            "o_step": Out(Step(config)),
            "o_acc": Out(data.ArrayLayout(signed(32), config.vector_lanes)),
        })

    def elaborate(self, platform):
        m = Module()
        cols, lanes = self.config.cols, self.config.vector_lanes
        new = data.View(instruction_layout("DRAIN"), self.i_instruction)
        step_shape = range(cols)            # steps of a row, less one

        raw, slot = Signal(), Signal()
        last_step = Signal(step_shape)
        x_count, xs_left, ys_left = Signal(16), Signal(16), Signal(16)
        row, row_first, pitch = (
            Signal(self.row_width, name=name) for name in ("row", "row_first", "pitch"))
        asking = Signal()

        free = Signal(range(self.room + 1), init=self.room)
        gap = Signal(step_shape)            # cycles until the next row may be requested
        was_raw = Signal()
        # known a cycle before: what hangs on an accepted row is far from the accumulators
        may_ask, is_last_x, is_last_y = Signal(), Signal(), Signal()
        outstanding = Signal(range(self.MAX_READ_LATENCY + 1))
        accept = Signal()
        # Whether there is room is looked at a cycle before: for two rows, if one has been
        # asked for since. Between longer rows there is time to look again.
        is_raw = new.mode == Mode.RAW
        last_channel = (new.channels - 1)[:len(last_step)]
        new_last_step = Mux(is_raw, last_channel, last_channel // lanes)
        next_last_step = Signal(step_shape)
        room_for_one, room_for_two, took = Signal(), Signal(), Signal()
        m.d.comb += next_last_step.eq(Mux(self.i_start, new_last_step, last_step))
        m.d.sync += [
            room_for_one.eq(free > next_last_step),
            room_for_two.eq(free > Cat(Const(1, 1), next_last_step)),
            took.eq(accept | self.i_take),
            # a row of the other kind waits until the queue is empty
            may_ask.eq(Mux(accept, (last_step == 0) & ~(is_last_x & is_last_y),
                           (asking | self.i_start) & (gap <= 1)
                           & ((Mux(self.i_start, is_raw, raw) == (was_raw & ~self.i_take))
                              | ((free == self.room) & ~self.i_take)))),
        ]
        m.d.comb += [
            self.acc.req.valid.eq(may_ask & Mux(took, room_for_two, room_for_one)),
            self.acc.req.payload.eq(row),
            accept.eq(self.acc.req.valid & self.acc.req.ready),
            self.o_ready.eq(~asking & (outstanding == 0)),
        ]
        m.d.sync += [
            free.eq(free + self.i_free - Mux(accept, last_step + 1, self.i_take)),
            self.o_room.eq(free >= self.AHEAD),
            outstanding.eq(outstanding + accept - self.acc.valid),
        ]
        with m.If(self.i_take):
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
                    m.d.sync += asking.eq(0)

        with m.If(self.i_start):
            m.d.sync += [
                asking.eq(1), raw.eq(is_raw), slot.eq(self.i_slot),
                last_step.eq(new_last_step),
                row.eq(new.acc_addr), row_first.eq(new.acc_addr), pitch.eq(new.acc_pitch),
                x_count.eq(new.x_count), xs_left.eq(new.x_count), ys_left.eq(new.y_count),
                is_last_x.eq(new.x_count == 1), is_last_y.eq(new.y_count == 1),
            ]

        self._split(m, raw, slot, last_step, self._place(m, new, x_count))
        return m

    def _place(self, m, new, x_count):
        """Where parameters of the next row that arrives are, in multiples of ``cols``.

        Rows arrive after later ones have been asked for, so they are counted once more.
        """
        config = self.config
        place = Signal(range(config.param_channels // config.cols))
        apart = Signal()
        xs_left = Signal(range(config.acc_rows + 1))        # a valid x_count is at most acc_rows
        with m.If(self.acc.valid):
            m.d.sync += xs_left.eq(xs_left - 1)
            with m.If(xs_left == 1):
                m.d.sync += [xs_left.eq(x_count), place.eq(place + apart)]
        with m.If(self.i_start):        # no row is on its way
            m.d.sync += [xs_left.eq(new.x_count), apart.eq(new.apart),
                         place.eq(new.channel >> config.col_index_width)]
        return place

    def _split(self, m, raw, slot, last_step, place):
        """Holds the row that has arrived for as many cycles as it has steps."""
        cols, lanes = self.config.cols, self.config.vector_lanes
        lane_shape = data.ArrayLayout(signed(32), lanes)
        rows = Signal(data.ArrayLayout(lane_shape, cols // lanes), reset_less=True)
        left = Signal.like(last_step)
        step = self.o_step
        bits = self.config.col_index_width
        of_row = step.channel[:bits]
        m.d.sync += [
            left.eq(left - 1),
            of_row.eq(of_row + Mux(step.raw, Const(1), Const(lanes))),
            self.o_acc.eq(rows[of_row[self.config.lane_index_width:]]),
        ]
        with m.If(left == 0):
            m.d.sync += step.valid.eq(0)
        with m.If(self.acc.valid):
            m.d.sync += [
                rows.eq(self.acc.data), left.eq(last_step),
                step.valid.eq(1), step.channel.eq(place << bits), step.raw.eq(raw),
                step.slot.eq(slot),
            ]
