"""The writing side of DRAIN, MAP and SOFTMAX: bytes out of the queue, to where they belong."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..control.instruction_layout import instruction_layout
from ..control.unit_interface import INSTRUCTION_SHAPE
from ..spec.isa import Mode
from ..sram.ports import WritePort

__all__ = ["DrainWriter"]

RAW_BYTES = 4


class DrainWriter(wiring.Component):
    """Writes what the lanes have produced, and tells which instructions are done, in order.

    One write a cycle while the queue has bytes and the scratchpad takes them, from one
    instruction to the next without a gap. For instructions that write nothing a request without
    a byte takes its turn, so that they are done in order, too.

    Parameters
    ----------
    config : :class:`Config`

    Members
    -------
    i_start : :py:`In(1)`
        Take the instruction in ``i_instruction``. Only while ``o_ready`` is high.
    i_instruction : :py:`In(256)`
        A validated DRAIN, unless ``i_map`` or ``i_empty`` is high.
    i_map : :py:`In(1)`
        The instruction is a MAP or SOFTMAX: a row is written as a position whose channels are
        its bytes.
    i_empty : :py:`In(1)`
        The instruction writes nothing.
    o_ready : :py:`Out(1)`
        At most one instruction is in work, and none waits.
    i : :py:`In(stream.Signature(ArrayLayout(8, max(lanes, 4))))`
        The bytes of the steps, in order.
    spad_out : :py:`Out(WritePort(spad_addr_width, max(lanes, 4)))`
    o_done : :py:`Out(1)`
        High for one cycle for each instruction, when all that it writes is written.
    o_busy : :py:`Out(1)`
        An instruction is in work or waits; also in the cycle of its ``o_done``.
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

        # one instruction waits, so that the next one's bytes follow without a gap
        drain = data.View(instruction_layout("DRAIN"), self.i_instruction)
        rows = data.View(instruction_layout("MAP"), self.i_instruction)
        waiting = Signal()
        waits = Signal(job_layout)
        m.d.comb += self.o_ready.eq(~waiting)
        with m.If(self.i_start):
            m.d.sync += [
                waits.empty.eq(self.i_empty),
                waits.raw.eq((drain.mode == Mode.RAW) & ~self.i_map),
                waits.last_channel.eq(Mux(self.i_map, rows.bytes, drain.channels) - 1),
                waits.addr.eq(Mux(self.i_map, rows.out_addr, drain.out_addr)),
                waits.x_pitch.eq(drain.x_pitch),
                waits.y_pitch.eq(Mux(self.i_map, rows.out_pitch, drain.y_pitch)),
                waits.x_left.eq(Mux(self.i_map, 0, drain.x_count - 1)),
                waits.y_left.eq(Mux(self.i_map, rows.count, drain.y_count) - 1),
            ]

        active = Signal()
        job = Signal(job_layout)
        addr, x_addr, y_addr = (Signal(width, name=name) for name in ("addr", "x_addr", "y_addr"))
        steps_left = Signal(width)                      # after this one, in each counter
        xs_left, ys_left = Signal(16), Signal(16)
        # whether a counter is at 0 is kept beside it: three comparisons in a row are slow
        last_step, x_zero, y_zero = Signal(), Signal(), Signal()
        last_x, last = Signal(), Signal()

        # instructions that were started and are not done
        in_work = Signal(range(8))
        m.d.comb += self.o_done.eq(self.spad_out.done)
        with m.If(self.i_start & ~self.o_done):
            m.d.sync += [in_work.eq(in_work + 1), self.o_busy.eq(1)]
        with m.If(self.o_done & ~self.i_start):
            m.d.sync += [in_work.eq(in_work - 1), self.o_busy.eq(in_work != 1)]

        # the write that is offered to the scratchpad
        out = self.spad_out.req
        advance = Signal()
        move = Signal()
        m.d.comb += [
            advance.eq(~out.valid | out.ready),
            move.eq(active & advance & (self.i.valid | job.empty)),
            self.i.ready.eq(active & advance & ~job.empty),
            last_x.eq(last_step & x_zero),
            last.eq(last_x & y_zero | job.empty),
        ]
        # a last step in lanes: channels up to the last one
        last_mask = Signal(self.width)
        in_group = job.last_channel[:self.config.lane_index_width]
        m.d.comb += last_mask.eq(Mux(
            job.raw, (1 << RAW_BYTES) - 1,
            Mux(last_step, Cat(in_group >= i for i in range(lanes)), (1 << lanes) - 1)))
        with m.If(advance):
            m.d.sync += [
                out.valid.eq(move),
                out.payload.addr.eq(addr),
                out.payload.data.eq(self.i.payload),
                out.payload.mask.eq(Mux(job.empty, 0, last_mask)),
                out.payload.last.eq(last),
            ]

        # What comes next is chosen without a look at the handshake: at the end of an instruction
        # the one that waits is taken, and ``waiting`` only decides what that means.
        row_steps, first_steps = self._last_step(job), self._last_step(waits)
        with m.If(move | ~active):
            with m.If(last | ~active):
                m.d.sync += [
                    waiting.eq(0), active.eq(waiting), job.eq(waits),
                    addr.eq(waits.addr), x_addr.eq(waits.addr), y_addr.eq(waits.addr),
                    steps_left.eq(first_steps), last_step.eq(first_steps == 0),
                    xs_left.eq(waits.x_left), x_zero.eq(waits.x_left == 0),
                    ys_left.eq(waits.y_left), y_zero.eq(waits.y_left == 0),
                ]
            with m.Else():
                m.d.sync += [
                    steps_left.eq(steps_left - 1), last_step.eq(steps_left == 1),
                    addr.eq(addr + Mux(job.raw, Const(RAW_BYTES), Const(lanes))),
                ]
                with m.If(last_step):
                    next_x = (x_addr + job.x_pitch)[:width]
                    m.d.sync += [
                        steps_left.eq(row_steps), last_step.eq(row_steps == 0),
                        xs_left.eq(xs_left - 1), x_zero.eq(xs_left == 1),
                        addr.eq(next_x), x_addr.eq(next_x),
                    ]
                with m.If(last_x):
                    next_y = (y_addr + job.y_pitch)[:width]
                    m.d.sync += [
                        xs_left.eq(job.x_left), x_zero.eq(job.x_left == 0),
                        ys_left.eq(ys_left - 1), y_zero.eq(ys_left == 1),
                        addr.eq(next_y), x_addr.eq(next_y), y_addr.eq(next_y),
                    ]
        with m.If(self.i_start):
            m.d.sync += waiting.eq(1)
        return m

    def _last_step(self, job):
        """Steps of a position, less one."""
        return Mux(job.raw, job.last_channel, job.last_channel // self.config.vector_lanes)
