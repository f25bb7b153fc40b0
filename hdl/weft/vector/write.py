"""Writer of VECTOR, which moves the results from the queue to the scratchpad."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..control.instruction_layout import instruction_layout
from ..control.unit_interface import INSTRUCTION_SHAPE
from ..spec.isa import Mode
from ..sram.ports import WritePort

__all__ = ["VectorWriter"]

RAW_BYTES = 4


class _LoopRegisters:
    """Addresses and counters of the loops over rows, positions and steps."""

    def __init__(self, width):
        self.addr, self.x_addr, self.y_addr = (
            Signal(width, name=name) for name in ("addr", "x_addr", "y_addr"))
        # each counter contains the number of steps, positions or rows after the current one
        self.steps_left = Signal(width)
        self.xs_left, self.ys_left = Signal(16), Signal(16)
        # a flag beside each counter is high while the counter is 0, because three comparisons in
        # series are slow
        self.last_step, self.x_zero, self.y_zero = Signal(), Signal(), Signal()
        self.last_x = Signal()


class VectorWriter(wiring.Component):
    """Writer of the results of the lanes, which also reports completed instructions in order.

    It writes the bytes of one step per cycle while the queue contains a step and the scratchpad
    accepts the write, without a gap between instructions. For an instruction that writes nothing,
    it sends a write request with all bytes masked, so that this instruction completes in order,
    too.

    Parameters
    ----------
    config : :class:`Config`

    Members
    -------
    i_start : :py:`In(1)`
        Accept the instruction in ``i_instruction``. Allowed only while ``o_ready`` is high.
    i_instruction : :py:`In(256)`
        A validated DRAIN, unless ``i_map`` or ``i_empty`` is high.
    i_map : :py:`In(1)`
        The instruction is a MAP or SOFTMAX. Each row is written like one position whose channels
        are the bytes of the row.
    i_empty : :py:`In(1)`
        The instruction writes nothing.
    o_ready : :py:`Out(1)`
        No instruction waits behind the one in progress.
    i : :py:`In(stream.Signature(ArrayLayout(8, max(lanes, 4))))`
        Bytes of the steps, in order.
    spad_out : :py:`Out(WritePort(spad_addr_width, max(lanes, 4)))`
        Writes of the scratchpad.
    o_done : :py:`Out(1)`
        High for one cycle for each instruction, when all its bytes have been written.
    o_busy : :py:`Out(1)`
        An instruction is in progress or waits; also in the cycle of its ``o_done``.
    """

    def __init__(self, config):
        self.config = config
        self.addr_width = config.spad_addr_width
        self.width = config.vector_port_bytes
        super().__init__({
            "i_start": In(1),
            "i_instruction": In(INSTRUCTION_SHAPE),
            "i_map": In(1),
            "i_empty": In(1),
            "o_ready": Out(1),
            "i": In(stream.Signature(data.ArrayLayout(8, self.width))),
            "spad_out": Out(WritePort(self.addr_width, self.width)),
            "o_done": Out(1),
            "o_busy": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        config, width = self.config, self.addr_width
        lanes = config.vector_lanes
        job_layout = data.StructLayout({
            "empty": 1, "raw": 1, "last_channel": width, "addr": width,
            "x_pitch": width, "y_pitch": width, "x_left": 16, "y_left": 16,
        })

        # the next instruction is stored, so that its bytes follow without a gap
        waiting = Signal()
        next_job = Signal(job_layout)
        m.d.comb += self.o_ready.eq(~waiting)
        self._elaborate_start(m, next_job)

        active = Signal()
        job = Signal(job_layout)
        loop = _LoopRegisters(width)
        last = Signal()

        # number of instructions that were started and are not done
        in_progress = Signal(range(8))
        m.d.comb += self.o_done.eq(self.spad_out.done)
        with m.If(self.i_start & ~self.o_done):
            m.d.sync += [in_progress.eq(in_progress + 1), self.o_busy.eq(1)]
        with m.If(self.o_done & ~self.i_start):
            m.d.sync += [in_progress.eq(in_progress - 1), self.o_busy.eq(in_progress != 1)]

        # the request to the scratchpad
        out = self.spad_out.req
        advance = Signal()
        write = Signal()
        m.d.comb += [
            advance.eq(~out.valid | out.ready),
            write.eq(active & advance & (self.i.valid | job.empty)),
            self.i.ready.eq(active & advance & ~job.empty),
            loop.last_x.eq(loop.last_step & loop.x_zero),
            last.eq(loop.last_x & loop.y_zero | job.empty),
        ]
        # the last step of a position writes only the channels up to the last one
        mask = Signal(self.width)
        in_group = job.last_channel[:self.config.lane_index_width]
        m.d.comb += mask.eq(Mux(
            job.raw, (1 << RAW_BYTES) - 1,
            Mux(loop.last_step, Cat(in_group >= i for i in range(lanes)), (1 << lanes) - 1)))
        with m.If(advance):
            m.d.sync += [
                out.valid.eq(write),
                out.payload.addr.eq(loop.addr),
                out.payload.data.eq(self.i.payload),
                out.payload.mask.eq(Mux(job.empty, 0, mask)),
                out.payload.last.eq(last),
            ]

        # At the end of an instruction, `next_job` is loaded even if no instruction waits; `active`
        # then goes low. The next values therefore do not depend on the handshakes.
        row_steps, first_steps = self._last_step(job), self._last_step(next_job)
        with m.If(write | ~active):
            with m.If(last | ~active):
                m.d.sync += [
                    waiting.eq(0), active.eq(waiting), job.eq(next_job),
                    loop.addr.eq(next_job.addr), loop.x_addr.eq(next_job.addr),
                    loop.y_addr.eq(next_job.addr),
                    loop.steps_left.eq(first_steps), loop.last_step.eq(first_steps == 0),
                    loop.xs_left.eq(next_job.x_left), loop.x_zero.eq(next_job.x_left == 0),
                    loop.ys_left.eq(next_job.y_left), loop.y_zero.eq(next_job.y_left == 0),
                ]
            with m.Else():
                self._elaborate_advance(m, job, loop, row_steps)
        with m.If(self.i_start):
            m.d.sync += waiting.eq(1)
        return m

    def _elaborate_start(self, m, next_job):
        """Load the instruction in ``i_instruction`` into ``next_job``."""
        drain = data.View(instruction_layout("DRAIN"), self.i_instruction)
        rows = data.View(instruction_layout("MAP"), self.i_instruction)
        with m.If(self.i_start):
            m.d.sync += [
                next_job.empty.eq(self.i_empty),
                next_job.raw.eq((drain.mode == Mode.RAW) & ~self.i_map),
                next_job.last_channel.eq(Mux(self.i_map, rows.bytes, drain.channels) - 1),
                next_job.addr.eq(Mux(self.i_map, rows.out_addr, drain.out_addr)),
                next_job.x_pitch.eq(drain.x_pitch),
                next_job.y_pitch.eq(Mux(self.i_map, rows.out_pitch, drain.y_pitch)),
                next_job.x_left.eq(Mux(self.i_map, 0, drain.x_count - 1)),
                next_job.y_left.eq(Mux(self.i_map, rows.count, drain.y_count) - 1),
            ]

    def _elaborate_advance(self, m, job, loop, row_steps):
        """Advance the loop registers to the next step of the instruction."""
        width = self.addr_width
        m.d.sync += [
            loop.steps_left.eq(loop.steps_left - 1), loop.last_step.eq(loop.steps_left == 1),
            loop.addr.eq(loop.addr + Mux(job.raw, Const(RAW_BYTES),
                                         Const(self.config.vector_lanes))),
        ]
        with m.If(loop.last_step):
            next_x = (loop.x_addr + job.x_pitch)[:width]
            m.d.sync += [
                loop.steps_left.eq(row_steps), loop.last_step.eq(row_steps == 0),
                loop.xs_left.eq(loop.xs_left - 1), loop.x_zero.eq(loop.xs_left == 1),
                loop.addr.eq(next_x), loop.x_addr.eq(next_x),
            ]
        with m.If(loop.last_x):
            next_y = (loop.y_addr + job.y_pitch)[:width]
            m.d.sync += [
                loop.xs_left.eq(job.x_left), loop.x_zero.eq(job.x_left == 0),
                loop.ys_left.eq(loop.ys_left - 1), loop.y_zero.eq(loop.ys_left == 1),
                loop.addr.eq(next_y), loop.x_addr.eq(next_y), loop.y_addr.eq(next_y),
            ]

    def _last_step(self, job):
        """Return the index of the last step of a position."""
        return Mux(job.raw, job.last_channel, job.last_channel // self.config.vector_lanes)
