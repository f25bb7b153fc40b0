"""Check that every address that an instruction accesses is within its memory or a window."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..spec import isa
from ..spec.extents import HOST
from .extent_steps import MAX_TERMS, STEPS
from .layouts import WINDOW_ARRAY
from .unit_interface import INSTRUCTION_SHAPE
from .window_check import WindowCheck

__all__ = ["ExtentCheck"]


class _StepPipeline:
    """Step number and valid bit of each pipeline stage, and selection of values by step.

    ``step[n]`` is the index in :data:`STEPS` of the step in stage n, if ``valid[n]`` is high.
    """

    def __init__(self, m, step, valid, latency):
        self.m = m
        self.step, self.valid = [step], [valid]
        for stage in range(1, latency + 1):
            self.step.append(Signal.like(step, name=f"s{stage}_step"))
            self.valid.append(Signal(name=f"s{stage}_valid"))
            m.d.sync += [self.step[stage].eq(self.step[stage - 1]),
                         self.valid[stage].eq(self.valid[stage - 1])]

    def select(self, stage, target, choose, domain="sync", large=None):
        """Assign to ``target`` the value that ``choose`` returns for the step in ``stage``.

        ``choose`` maps a :class:`Step` to a key and a value, or to ``None`` for the value 0. Steps
        with equal keys have equal values and share a case. The assignment is in ``domain``. The
        signal ``large``, if given, becomes 1 if the value does not fit into ``target``.
        """
        m = self.m
        choices = {}
        for number, step in enumerate(STEPS):
            source = choose(step)
            if source is not None:
                key, value = source
                choices.setdefault(key, (value, []))[1].append(number)
        m.d[domain] += target.eq(0)
        if large is not None:
            m.d[domain] += large.eq(0)
        with m.Switch(self.step[stage]):
            for value, numbers in choices.values():
                with m.Case(*numbers):
                    m.d[domain] += target.eq(value)
                    if large is not None:
                        m.d[domain] += large.eq(value[len(target):].any())

    def flag(self, stage, target, condition):
        """Assign 1 to ``target`` if the step in ``stage`` meets ``condition``, and otherwise 0."""
        self.select(stage, target, lambda step: (True, Const(1)) if condition(step) else None,
                    "comb")


class ExtentCheck(wiring.Component):
    """Pipeline that computes the ends of an instruction's extents and checks them.

    The table :data:`weft.spec.extents.EXTENTS` defines the extents. Each step multiplies and adds
    one term of one extent. One step enters per cycle and leaves ``LATENCY`` cycles later.

    Values have as many bits as an address of the largest memory. A flag ``large`` accompanies each
    of them. It is set if an operand did not fit; all operands are unsigned, so the sum does not fit
    either.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`

    Members
    -------
    i_word : :py:`In(256)`
        Instruction of the step that enters.
    i_host : :py:`In(33)`
        MEM_BASE plus the ``host_addr`` of that instruction.
    i_step : :py:`In(range(len(STEPS)))`, ``i_valid`` : :py:`In(1)`
        Index of the step that enters in this cycle, and its valid bit.
    i_host_held : :py:`In(33)`
        ``i_host`` of the instruction whose last step has entered, stable until that step leaves.
    i_windows : :py:`In(WINDOW_ARRAY)`
        Address windows, stable while steps are in progress.
    o_step : :py:`Out(range(len(STEPS)))`, ``o_valid`` : :py:`Out(1)`
        Index of the step that leaves in this cycle, and its valid bit.
    o_fail : :py:`Out(1)`
        The step that leaves completes an extent that exceeds its memory or is not contained in a
        window with the required permission.
    """

    LATENCY = 7

    def __init__(self, config):
        self.config = config
        self.sizes = {"spad": config.spad_bytes, "wgt": config.wgt_bytes,
                      "tiles": config.wgt_tiles, "acc": config.acc_rows}
        super().__init__({
            "i_word": In(INSTRUCTION_SHAPE),
            "i_host": In(33),
            "i_step": In(range(len(STEPS))),
            "i_valid": In(1),
            "i_host_held": In(33),
            "i_windows": In(WINDOW_ARRAY),
            "o_step": Out(range(len(STEPS))),
            "o_valid": Out(1),
            "o_fail": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        pipeline = _StepPipeline(m, self.i_step, self.i_valid, self.LATENCY)
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
        pipeline.select(0, multiplicand, lambda step: self._field(step, step.term.pitch)
                        if step.term else None, "comb", multiplicand_large)
        m.d.sync += [count.eq(Mux(one, 1, factor - less)), pitch.eq(Mux(one, 1, multiplicand)),
                     pitch_large.eq(multiplicand_large & ~one)]
        pipeline.select(0, base, lambda step: self._base(step)
                        if step.first and step.extent else None, large=base_large)
        pipeline.select(0, extra, lambda step: self._extra(step)
                        if step.final and step.extent else None, large=extra_large)
        needed = Signal()
        pipeline.select(0, needed, lambda step: self._needed(step) if step.extent else None, "comb")
        m.d.sync += skip.eq(~needed)
        return count, (pitch, pitch_large), (base, base_large), (extra, extra_large), skip

    def _count(self, step):
        key, value = self._field(step, step.term.count)
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
        if not name:
            return None
        if name == "rows":
            return "rows", Const(self.config.rows, 24)
        if name == "table":
            return "table", Const(isa.TABLE_BYTES, 24)
        if name == "4*channels" or name == "8*channels":
            key, channels = self._field(step, "channels")
            return (name, key), channels << (2 if name[0] == "4" else 3)
        if name == "outputs":
            key, channels = self._field(step, "channels")
            raw = self._field(step, "mode")[1] == isa.Mode.RAW
            return (name, key), Mux(raw, channels << 2, channels)
        return self._field(step, name)

    def _needed(self, step):
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
        # index of the last byte or row: sum of up to MAX_TERMS terms of bits + 2 bits, minus 1
        last = Signal(bits + 2 + MAX_TERMS.bit_length())
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
