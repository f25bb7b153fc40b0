"""The checks of an instruction that need arithmetic: every byte and row it touches exists."""

import dataclasses

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..spec import isa
from ..spec.extents import EXTENTS, HOST, Extent, Term
from .layouts import WINDOWS
from .unit_interface import INSTRUCTION_SHAPE
from .window_check import WindowCheck

__all__ = ["STEPS", "FIRST_STEP", "NO_STEP", "ExtentCheck"]


@dataclasses.dataclass(frozen=True)
class Step:
    """One product of one extent of one instruction."""

    instruction: str
    extent: Extent | None
    term: Term | None
    first: bool
    final: bool
    last: bool


def _steps():
    steps = [Step("", None, None, True, False, True)]
    first = {}
    for name, extents in EXTENTS.items():
        first[name] = len(steps)
        for extent in extents:
            terms = extent.terms or (None,)
            for number, term in enumerate(terms):
                final = number == len(terms) - 1
                steps.append(Step(name, extent, term, number == 0, final,
                                  final and extent is extents[-1]))
    return tuple(steps), first


STEPS, FIRST_STEP = _steps()
_MAX_TERMS = max(len(extent.terms) for extents in EXTENTS.values() for extent in extents)
NO_STEP = 0
"""The step of an instruction that touches no memory."""


def _slice(word, instruction, name):
    field = isa.BY_NAME[instruction].field(name)
    return word[field.offset:field.offset + field.width]


class ExtentCheck(wiring.Component):
    """Adds up an instruction's extents, one product a cycle, and compares them with the bounds.

    A pipeline: a step enters every cycle and leaves ``LATENCY`` cycles later. Values have the
    bits of the largest bound; beside them travels ``large``: one was beyond that, and no sum can
    become less. Which extents there are is the table :data:`weft.spec.extents.EXTENTS`.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`

    Members
    -------
    i_word : :py:`In(256)`
        The instruction of the step that enters.
    i_host : :py:`In(33)`
        MEM_BASE plus its ``host_addr``.
    i_step : :py:`In(range(len(STEPS)))`, ``i_valid`` : :py:`In(1)`
        A step enters.
    i_host_held : :py:`In(33)`
        ``i_host`` of the instruction whose last step has entered, until that step leaves.
    i_windows : :py:`In(WINDOWS)`
    o_step : :py:`Out(range(len(STEPS)))`, ``o_valid`` : :py:`Out(1)`
        A step leaves.
    o_fail : :py:`Out(1)`
        It ends an extent that reaches too far.
    """

    LATENCY = 7

    def __init__(self, config):
        self.config = config
        super().__init__({
            "i_word": In(INSTRUCTION_SHAPE),
            "i_host": In(33),
            "i_step": In(range(len(STEPS))),
            "i_valid": In(1),
            "i_host_held": In(33),
            "i_windows": In(WINDOWS),
            "o_step": Out(range(len(STEPS))),
            "o_valid": Out(1),
            "o_fail": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config

        # step and valid travel beside their data: step[n] belongs to the registers of stage n
        step, valid = [self.i_step], [self.i_valid]
        for stage in range(1, self.LATENCY + 1):
            step.append(Signal.like(self.i_step, name=f"s{stage}_step"))
            valid.append(Signal(name=f"s{stage}_valid"))
            m.d.sync += [step[stage].eq(step[stage - 1]), valid[stage].eq(valid[stage - 1])]

        def pick(stage, target, choose, domain="sync", large=None):
            """``target`` becomes ``choose(step)``; 0 where that is ``None``.

            ``large`` becomes 1 where that does not fit.
            """
            choices = {}
            for number, which in enumerate(STEPS):
                source = choose(which)
                if source is not None:
                    value = source[1]
                    choices.setdefault(source[0], (value, []))[1].append(number)
            m.d[domain] += target.eq(0)
            if large is not None:
                m.d[domain] += large.eq(0)
            with m.Switch(step[stage]):
                for value, numbers in choices.values():
                    with m.Case(*numbers):
                        m.d[domain] += target.eq(value)
                        if large is not None:
                            m.d[domain] += large.eq(value[len(target):].any())

        # -- 1: operands -------------------------------------------------------------------------
        word = self.i_word
        sizes = {"spad": config.spad_bytes, "wgt": config.wgt_bytes, "tiles": config.wgt_tiles,
                 "acc": config.acc_rows}
        bits = max(config.addr_width, *(size.bit_length() - 1 for size in sizes.values()))
        count = Signal(16)
        pitch, base, extra = (Signal(bits, name=name) for name in ("pitch", "base", "extra"))
        pitch_large, base_large, extra_large = (Signal(name=f"{name}_large")
                                                for name in ("pitch", "base", "extra"))
        less = Signal()
        skip = Signal()

        def field(name, which):
            source = isa.BY_NAME[which.instruction].field(name)
            return (source.offset, source.width), _slice(word, which.instruction, name)

        def any_bit(name, which):
            source, bits = field(name, which)
            return source, bits.any()

        def flag(condition):
            return (True, Const(1)) if condition else None

        one = Signal()      # the term is 1 in place of its product
        pick(0, one, lambda s: s.term and s.term.hold and field("hold", s) or None, "comb")
        pick(0, less, lambda s: flag(s.term and s.term.less), "comb")
        factor = Signal(16)

        def counted(which):
            source, value = field(which.term.count, which)
            if which.term.apart:
                other, instead = field(which.term.apart, which)
                source = source, other
                value = Mux(field("apart", which)[1], instead, value)
            return source, value

        pick(0, factor, lambda s: s.term and counted(s), "comb")
        multiplicand = Signal(bits)
        large0 = Signal()
        pick(0, multiplicand, lambda s: s.term and field(s.term.pitch, s), "comb", large0)
        m.d.sync += [count.eq(Mux(one, 1, factor - less)), pitch.eq(Mux(one, 1, multiplicand)),
                     pitch_large.eq(large0 & ~one)]
        pick(0, base, lambda s: s.first and s.extent and (
            ("host", self.i_host) if s.extent.memory == HOST else field(s.extent.base, s)) or None,
             large=base_large)
        pick(0, extra, lambda s: s.final and s.extent and self._extra(s, field) or None,
             large=extra_large)
        needed = Signal()
        pick(0, needed, lambda s: s.extent and s.extent.condition
             and any_bit(s.extent.condition, s) or flag(s.extent), "comb")
        m.d.sync += skip.eq(~needed)

        # -- 2 to 5: product, sum ----------------------------------------------------------------
        low = Signal(32)
        high = Signal(bits)
        addend2 = Signal(bits + 1)
        product = Signal(bits + 16)
        addend3 = Signal(bits + 1)
        term = Signal(bits + 2)
        # byte or row: the sum, less one, of as many terms of bits + 2
        last = Signal(bits + 2 + _MAX_TERMS.bit_length())
        large2, large3, large4, large = (Signal(name=name)
                                         for name in ("large2", "large3", "large4", "large"))
        first = Signal()
        pick(4, first, lambda s: flag(s.first), "comb")
        m.d.sync += [
            low.eq(count * pitch[:16]), high.eq(count * pitch[16:]), addend2.eq(base + extra),
            large2.eq(base_large | extra_large | (pitch_large & (count != 0))),
            product.eq(low + (high << 16)), addend3.eq(addend2), large3.eq(large2),
            term.eq(product[:bits] + addend3), large4.eq(large3 | (product[bits:] != 0)),
        ]
        with m.If(valid[4]):
            m.d.sync += [last.eq(term + Mux(first, Const(-1, len(last)), last)),
                         large.eq(large4 | (large & ~first))]
        skips = [None, skip]
        for stage in range(2, self.LATENCY + 1):
            skips.append(Signal(name=f"s{stage}_skip"))
            m.d.sync += skips[stage].eq(skips[stage - 1])

        # -- 6 and 7: comparison -----------------------------------------------------------------
        m.submodules.windows = windows = WindowCheck(config, width=len(last) + 1)
        pick(5, windows.i_write,
             lambda s: flag(s.extent and s.extent.memory == HOST and s.extent.write), "comb")
        m.d.comb += [
            windows.i_windows.eq(self.i_windows),
            windows.i_start.eq(self.i_host_held),
            windows.i_last.eq(Cat(last, large)),
        ]
        beyond = {memory: Signal(name=f"beyond_{memory}") for memory in sizes}
        m.d.sync += [beyond[memory].eq(large | (last[size.bit_length() - 1:] != 0))
                     for memory, size in sizes.items()]
        beyond7 = Signal()
        on_chip = Signal()
        at_host = Signal()
        pick(6, beyond7, lambda s: (s.extent.memory, beyond[s.extent.memory])
             if s.final and s.extent.memory != HOST else None)
        pick(7, on_chip, lambda s: flag(s.final and s.extent.memory != HOST), "comb")
        pick(7, at_host, lambda s: flag(s.final and s.extent.memory == HOST), "comb")
        m.d.comb += [
            self.o_step.eq(step[7]),
            self.o_valid.eq(valid[7]),
            self.o_fail.eq(valid[7] & ~skips[7]
                           & ((on_chip & beyond7) | (at_host & ~windows.o_inside))),
        ]
        return m

    def _extra(self, step, field):
        name = step.extent.extra
        if not name:
            return None
        if name == "rows":
            return "rows", Const(self.config.rows, 24)
        if name == "table":
            return "table", Const(isa.TABLE_BYTES, 24)
        if name == "4*channels" or name == "8*channels":
            key, channels = field("channels", step)
            return (name, key), channels << (2 if name[0] == "4" else 3)
        if name == "outputs":
            key, channels = field("channels", step)
            raw = field("mode", step)[1] == isa.Mode.RAW
            return (name, key), Mux(raw, channels << 2, channels)
        return field(name, step)
