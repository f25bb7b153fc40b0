"""Collection of the operands of steps, and their order in the lanes."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...spec.fixed_point_instructions import InputType
from .operands import operand_signature
from .settings import Settings, lane_count

__all__ = ["LaneStep", "StepCollector"]


class LaneStep(data.StructLayout):
    """Layout of the control of a step in the lanes.

    ``second`` adds the product to that of the previous cycle. ``ends`` is set if a result leaves.
    ``odd`` is set for the second result of a pair of ROTATE in a single lane. ``first`` and
    ``last`` mark the first and last result of a row. ``base`` is the shift without that of a
    channel.
    """

    def __init__(self, config):
        super().__init__({
            "valid": 1, "second": 1, "odd": 1, "ends": 1, "first": 1, "last": 1,
            "base": signed(8),
        })


class StepCollector(wiring.Component):
    """Collector that unpacks operands and sends them to the lanes, step by step.

    A step leaves when its last operand has arrived; it takes one cycle for each of its reads, and
    at least one. A read of 16-bit operands is for two steps. ROTATE takes one cycle more, or seven
    cycles for a pair in a single lane.

    Parameters
    ----------
    config : :class:`Config`

    Members
    -------
    i_start : :py:`In(1)`
        Start an instruction.
    i_settings : :py:`In(Settings(config))`
        Settings of the instruction, from the next cycle on.
    i : :py:`In(...)`
        Operands; see :class:`OperandReader`.
    i_space : :py:`In(1)`
        A step may enter the lanes. A step affects this input two cycles later.
    i_rows_ready : :py:`In(1)`
        The accumulator rows of the position are available.
    i_row_space : :py:`In(1)`
        A row may start.
    o_step_en, o_step_last : :py:`Out(1)` each
        A step is complete, and is the last one of its row. It enters the lanes in the next cycle.
    o_row_en : :py:`Out(1)`
        A row starts.
    o_step : :py:`Out(LaneStep(config))`
        Step that enters the lanes.
    o_a, o_b, o_bias : :py:`Out(ArrayLayout(signed(32), lane_count(config)))` each
        Its operands.
    """

    def __init__(self, config):
        self.config = config
        lanes = lane_count(config)
        operands = data.ArrayLayout(signed(32), lanes)
        super().__init__({
            "i_start": In(1),
            "i_settings": In(Settings(config)),
            "i": In(operand_signature(config)),
            "i_space": In(1),
            "i_rows_ready": In(1),
            "i_row_space": In(1),
            "o_step_en": Out(1),
            "o_step_last": Out(1),
            "o_row_en": Out(1),
            "o_step": Out(LaneStep(config)),
            "o_a": Out(operands),
            "o_b": Out(operands),
            "o_bias": Out(operands),
        })

    def elaborate(self, platform):
        m = Module()
        settings = self.i_settings
        tag = self.i.payload.tag
        lanes = lane_count(self.config)

        # ROTATE: a step takes `micros` cycles, the products of each result one after the other
        micros = 2 if lanes > 1 else 4
        held = max(lanes, 2)
        launch, in_pair = Signal(), Signal()            # in_pair: the first element has arrived
        micro = Signal(range(micros))
        rotates, busy = Signal(), Signal()
        m.d.comb += [
            rotates.eq(settings.rotate & (launch | (micro != 0))),
            busy.eq(rotates & (micro != micros - 1)),
        ]
        m.d.sync += micro.eq(Mux(rotates, micro + 1, 0))

        take, ends = Signal(), Signal()
        m.d.comb += [
            self.i.ready.eq(~busy & ~(tag.opens & ~self.i_row_space) & ~(
                tag.ends_step & (~self.i_space | settings.drain & ~self.i_rows_ready))),
            take.eq(self.i.valid & self.i.ready),
            ends.eq(take & tag.ends_step),
            self.o_step_en.eq(ends), self.o_step_last.eq(tag.ends_row),
            self.o_row_en.eq(take & tag.opens),
        ]
        if lanes == 1:
            with m.If(ends):
                m.d.sync += in_pair.eq(settings.rotate & ~in_pair)

        a, b = (Signal(data.ArrayLayout(signed(32), held), name=name, reset_less=True)
                for name in ("a", "b"))
        self._load(m, take, a, b, in_pair)

        # flags of the row
        row_opens, first, last = Signal(), Signal(), Signal()
        with m.If(take & tag.opens):
            m.d.sync += row_opens.eq(1)
        with m.If(ends):
            m.d.sync += [first.eq((row_opens | tag.opens) & ~in_pair | first & in_pair),
                         last.eq(tag.ends_row), row_opens.eq(0)]
        complete = ~settings.rotate | in_pair if lanes == 1 else 1
        m.d.sync += launch.eq(ends & complete)

        step = self.o_step
        second, odd = micro[0], micro[-1] if lanes == 1 else 0
        m.d.comb += [
            step.valid.eq(launch | (micro != 0)),
            step.second.eq(second),
            step.odd.eq(odd),
            step.ends.eq(~settings.rotate | second),
            step.first.eq(first & ~odd),
            step.last.eq(last & (~settings.rotate | odd if lanes == 1 else 1)),
            step.base.eq(self._base(m, take)),
        ]
        for lane in range(lanes):
            index = second & settings.rotate
            pair = lane & ~1
            other = index ^ (odd if lanes == 1 else lane & 1)
            m.d.comb += [
                self.o_a[lane].eq(Mux(settings.rotate, Mux(index, a[pair + 1], a[pair]), a[lane])),
                self.o_b[lane].eq(Mux(settings.rotate, Mux(other, b[pair + 1], b[pair]), b[lane])),
            ]
        return m

    def _load(self, m, take, a, b, in_pair):
        """Unpack the operands that arrive into the registers of the next step."""
        settings = self.i_settings
        lanes = lane_count(self.config)
        tag, word = self.i.payload.tag, self.i.payload.word
        row_b = Signal(signed(32))
        with m.If(self.i_start):
            m.d.sync += row_b.eq(1)
        with m.If(take & tag.row):
            m.d.sync += row_b.eq(word[:32])
        # operands of 16 bits for the next step; they are taken with the last read of that step
        held_a, held_b = (Signal(16 * lanes, name=f"held_{name}", reset_less=True)
                          for name in "ab")
        with m.If(take & tag.a & ~tag.odd):
            m.d.sync += held_a.eq(word[16 * lanes:])
        with m.If(take & tag.b & ~tag.odd):
            m.d.sync += held_b.eq(word[16 * lanes:])
        late_a, late_b = Signal(), Signal()
        m.d.comb += [late_a.eq(tag.odd & tag.ends_step & settings.a_half),
                     late_b.eq(tag.odd & tag.ends_step & settings.b_half)]
        for lane in range(lanes):
            whole, byte = word.word_select(lane, 32), word.word_select(lane, 8)
            half, b_half = (
                Mux(tag.odd, held.word_select(lane, 16), word.word_select(lane, 16))
                for held in (held_a, held_b))
            new_a, new_b = (Signal(signed(32), name=f"new_{name}_{lane}") for name in "ab")
            with m.Switch(settings.a_type):
                with m.Case(InputType.INT32):
                    m.d.comb += new_a.eq(whole)
                with m.Case(InputType.UINT16):
                    m.d.comb += new_a.eq(half)
                with m.Case(InputType.INT8):
                    m.d.comb += new_a.eq(byte.as_signed())
                with m.Case(InputType.INT16):
                    m.d.comb += new_a.eq(half.as_signed())
            m.d.comb += new_b.eq(Mux(
                tag.b | late_b, Mux(settings.b_int32, whole, b_half),
                Mux(settings.squares, new_a, row_b)))
            with m.If(take & tag.bias):
                m.d.sync += self.o_bias[lane].eq(whole)
            slots = [(lane, 1)] if lanes > 1 else [(0, ~in_pair), (1, in_pair)]
            for slot, enable in slots:
                with m.If(take & (tag.a & tag.reads | late_a) & enable):
                    m.d.sync += a[slot].eq(new_a)
                with m.If(take & (tag.a | tag.b | late_b) & enable):
                    m.d.sync += b[slot].eq(new_b)

    def _base(self, m, take):
        """Return the shift of the row, limited to 8 bits."""
        settings, tag = self.i_settings, self.i.payload.tag
        total, base = Signal(signed(34)), Signal(signed(8))
        value = self.i.payload.word[:32].as_signed()
        minus = settings.exponent
        start = Mux(tag.opens, settings.shift, total)
        starting = Signal()
        m.d.sync += starting.eq(self.i_start)
        with m.If(starting):                    # of rows without a shift of their own
            m.d.sync += total.eq(settings.shift)
        with m.If(take & (tag.opens | tag.shift)):
            change = Mux(tag.shift, value ^ minus.replicate(32).as_signed(), 0)
            m.d.sync += total.eq(start + change + (minus & tag.shift))
        high = total[7:]
        m.d.sync += base.eq(Mux(high.all() | ~high.any(), total[:8],
                                Cat((~total[-1]).replicate(7), total[-1])))
        return base
