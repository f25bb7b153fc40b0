"""Check that every address that an instruction accesses is within its memory or a window."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from ..spec import isa
from ..spec.extent_format import HOST, multiple
from .extent_steps import StepTable
from .layouts import WINDOW_ARRAY
from .step_pipeline import StepPipeline
from .unit_interface import INSTRUCTION_SHAPE
from .window_check import WindowCheck

__all__ = ["ExtentCheck"]


class ExtentCheck(wiring.Component):
    """Pipeline that computes the ends of an instruction's extents and checks them.

    The tables in :mod:`weft.spec.extents` define the extents. Each step multiplies and adds one
    term of one extent. One step enters per cycle and leaves ``LATENCY`` cycles later.

    Values have as many bits as an address of the largest memory. A flag ``large`` accompanies each
    of them. It is set if an operand did not fit; all operands are unsigned, so the sum does not fit
    either.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`

    Attributes
    ----------
    table : :class:`weft.control.extent_steps.StepTable`
        The steps.

    Members
    -------
    i_word : :py:`In(256)`
        Instruction of the step that enters.
    i_host : :py:`In(33)`
        MEM_BASE plus the ``host_addr`` of that instruction.
    i_step : :py:`In(range(len(table.steps)))`, ``i_valid`` : :py:`In(1)`
        Index of the step that enters in this cycle, and its valid bit.
    i_host_held : :py:`In(33)`
        ``i_host`` of the instruction whose last step has entered, stable until that step leaves.
    i_windows : :py:`In(WINDOW_ARRAY)`
        Address windows, stable while steps are in progress.
    o_step : :py:`Out(range(len(table.steps)))`, ``o_valid`` : :py:`Out(1)`
        Index of the step that leaves in this cycle, and its valid bit.
    i_skip : :py:`In(1)`
        Only with ``fixed_point``: the instruction of the step that enters accesses no memory.
    o_fail : :py:`Out(1)`
        The step that leaves completes an extent that exceeds its memory or is not contained in a
        window with the required permission.
    """

    LATENCY = 7

    def __init__(self, config):
        self.config = config
        self.sizes = {"spad": config.spad_bytes, "wgt": config.wgt_bytes,
                      "tiles": config.wgt_tiles, "acc": config.acc_rows}
        self.table = StepTable(config)
        step_shape = range(len(self.table.steps))
        super().__init__({
            "i_word": In(INSTRUCTION_SHAPE),
            "i_host": In(33),
            "i_step": In(step_shape),
            "i_valid": In(1),
            "i_host_held": In(33),
            "i_windows": In(WINDOW_ARRAY),
            "o_step": Out(step_shape),
            "o_valid": Out(1),
            "o_fail": Out(1),
            **({"i_skip": In(1)} if config.fixed_point else {}),
        })

    def elaborate(self, platform):
        m = Module()
        pipeline = StepPipeline(m, self.table, self.i_step, self.i_valid, self.LATENCY)
        count, pitch, base, extra, skip = self._operands(m, pipeline)
        last, large = self._sum(m, pipeline, count, pitch, base, extra)
        skips = [None, skip]
        for stage in range(2, self.LATENCY + 1):
            skips.append(Signal(name=f"s{stage}_skip"))
            m.d.sync += skips[stage].eq(skips[stage - 1])
        self._compare(m, pipeline, last, large, skips[7])
        return m

    def _field(self, step, name):
        """Return field ``name`` of the step's instruction as key and value for ``select``."""
        field = isa.BY_NAME[step.instruction].field(name)
        return (field.offset, field.width), self.i_word[field.offset:field.offset + field.width]

    def _operands(self, m, pipeline):
        """Select the operands of the step in stage 0, into the registers of stage 1.

        Return count, pitch, base, extra and skip; pitch, base and extra are pairs of a value and
        its ``large`` flag. If ``skip`` is set, the instruction does not access the extent.
        """
        bits = max(self.config.addr_width, *(size.bit_length() - 1 for size in self.sizes.values()))
        count = Signal(16)
        pitch, base, extra = (Signal(bits, name=name) for name in ("pitch", "base", "extra"))
        pitch_large, base_large, extra_large = (Signal(name=f"{name}_large")
                                                for name in ("pitch", "base", "extra"))
        less = Signal()
        skip = Signal()

        one = Signal()      # the term is 1 instead of its product
        pipeline.select(0, one, lambda step: self._field(step, "hold")
                        if step.term and step.term.hold else None, "comb")
        pipeline.flag(0, less, lambda step: step.term and step.term.less)
        factor = Signal(16)
        pipeline.select(0, factor, lambda step: self._count(step) if step.term else None, "comb")
        multiplicand = Signal(bits)
        multiplicand_large = Signal()
        pipeline.select(0, multiplicand, lambda step: self._operand(step, step.term.pitch)
                        if step.term else None, "comb", multiplicand_large)
        m.d.sync += [count.eq(Mux(one, 1, factor - less)), pitch.eq(Mux(one, 1, multiplicand)),
                     pitch_large.eq(multiplicand_large & ~one)]
        pipeline.select(0, base, lambda step: self._base(step)
                        if step.first and step.extent else None, large=base_large)
        pipeline.select(0, extra, lambda step: self._extra(step)
                        if step.final and step.extent else None, large=extra_large)
        needed = Signal()
        pipeline.select(0, needed, lambda step: self._needed(step) if step.extent else None, "comb")
        if self.config.fixed_point:
            m.d.sync += skip.eq(~needed | self.i_skip)
        else:
            m.d.sync += skip.eq(~needed)
        return count, (pitch, pitch_large), (base, base_large), (extra, extra_large), skip

    def _operand(self, step, operand):
        """Return an operand of a term, a field or a constant, as key and value."""
        if isinstance(operand, int):
            return operand, Const(operand)
        factor, name = multiple(operand)
        if name == "cols":
            return operand, Const(factor * self.config.cols)
        return self._field(step, operand)

    def _count(self, step):
        key, value = self._operand(step, step.term.count)
        if step.term.apart:
            other_key, other_value = self._field(step, step.term.apart)
            key = key, other_key
            value = Mux(self._field(step, "apart")[1], other_value, value)
        return key, value

    def _base(self, step):
        if step.extent.memory == HOST:
            return "host", self.i_host
        return self._field(step, step.extent.base)

    def _extra(self, step):
        name = step.extent.extra
        if step.extent.kind:
            return self._extra_by_kind(step)
        if not name:
            return None
        if name == "rows":
            return "rows", Const(self.config.rows, 24)
        if name == "table":
            return "table", Const(isa.TABLE_BYTES, 24)
        if name == "outputs":
            key, channels = self._field(step, "channels")
            raw = self._field(step, "mode")[1] == isa.Mode.RAW
            return (name, key), Mux(raw, channels << 2, channels)
        return self._multiple(step, name)

    def _multiple(self, step, expression):
        """Return a multiple of a field, or a constant, as key and value."""
        factor, name = multiple(expression)
        if not name:
            return f"{factor}", Const(factor)
        key, value = self._field(step, name)
        if factor == 1:
            return key, value
        return (f"{factor}*{name}", key), value << exact_log2(factor)

    def _extra_by_kind(self, step):
        """Return the last addend of an extent that a field of the instruction selects."""
        kind_key, kind = self._field(step, step.extent.kind)
        values = {}                 # by expression: the values of the field that select it
        for value, expression in step.extent.extras:
            values.setdefault(expression, []).append(value)
        addend = 0
        for expression, selecting in values.items():
            addend = addend | Mux(kind.matches(*selecting), self._multiple(step, expression)[1], 0)
        return (kind_key, step.extent.extras), addend

    def _needed(self, step):
        if step.extent.kind:
            key, kind = self._field(step, step.extent.kind)
            needing = tuple(step.extent.by_kind)
            return (key, needing), kind.matches(*needing)
        if not step.extent.condition:
            return True, Const(1)
        key, value = self._field(step, step.extent.condition)
        return key, value.any()

    def _sum(self, m, pipeline, count, pitch, base, extra):
        """Multiply and add in stages 2 to 5.

        Return the last address of the extent and its ``large`` flag.
        """
        pitch, pitch_large = pitch
        base, base_large = base
        extra, extra_large = extra
        bits = len(pitch)
        low = Signal(32)
        high = Signal(bits)
        addend2 = Signal(bits + 1)
        product = Signal(bits + 16)
        addend3 = Signal(bits + 1)
        term = Signal(bits + 2)
        # index of the last byte or row: sum of up to max_terms terms of bits + 2 bits, minus 1
        last = Signal(bits + 2 + self.table.max_terms.bit_length())
        large2, large3, large4, large = (Signal(name=name)
                                         for name in ("large2", "large3", "large4", "large"))
        first = Signal()
        pipeline.flag(4, first, lambda step: step.first)
        m.d.sync += [
            low.eq(count * pitch[:16]), high.eq(count * pitch[16:]), addend2.eq(base + extra),
            large2.eq(base_large | extra_large | (pitch_large & (count != 0))),
            product.eq(low + (high << 16)), addend3.eq(addend2), large3.eq(large2),
            term.eq(product[:bits] + addend3), large4.eq(large3 | (product[bits:] != 0)),
        ]
        with m.If(pipeline.valid[4]):
            m.d.sync += [last.eq(term + Mux(first, Const(-1, len(last)), last)),
                         large.eq(large4 | (large & ~first))]
        return last, large

    def _compare(self, m, pipeline, last, large, skip):
        """Compare the last address with the bounds, in stages 6 and 7, and drive the outputs."""
        m.submodules.windows = windows = WindowCheck(self.config, width=len(last) + 1)
        pipeline.flag(5, windows.i_write,
                      lambda step: step.extent and step.extent.memory == HOST and step.extent.write)
        m.d.comb += [
            windows.i_windows.eq(self.i_windows),
            windows.i_start.eq(self.i_host_held),
            windows.i_last.eq(Cat(last, large)),
        ]
        beyond = {memory: Signal(name=f"beyond_{memory}") for memory in self.sizes}
        m.d.sync += [beyond[memory].eq(large | (last[size.bit_length() - 1:] != 0))
                     for memory, size in self.sizes.items()]
        beyond7 = Signal()
        on_chip = Signal()
        on_host = Signal()
        pipeline.select(6, beyond7, lambda step: (step.extent.memory, beyond[step.extent.memory])
                        if step.final and step.extent.memory != HOST else None)
        pipeline.flag(7, on_chip, lambda step: step.final and step.extent.memory != HOST)
        pipeline.flag(7, on_host, lambda step: step.final and step.extent.memory == HOST)
        m.d.comb += [
            self.o_step.eq(pipeline.step[7]),
            self.o_valid.eq(pipeline.valid[7]),
            self.o_fail.eq(pipeline.valid[7] & ~skip
                           & ((on_chip & beyond7) | (on_host & ~windows.o_inside))),
        ]
