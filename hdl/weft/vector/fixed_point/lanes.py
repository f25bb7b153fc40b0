"""All lanes of the fixed-point instructions, with their paths to the multipliers."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...bus.memory_queue import MemoryQueue
from ...delay_line import delay_line
from ...spec.fixed_point_instructions import OutputType
from ...vendor.lut_ram import lut_ram_attributes
from .lane import FixedPointLane
from .planes import PlaneSum
from .settings import Settings, lane_count
from .steps import LaneStep
from .tables import Interpolation

__all__ = ["LANE_PORTS", "FixedPointLanes"]

LANE_PORTS = ("o_value", "o_multiplier", "i_product")
"""Members of :class:`FixedPointLanes` that connect it to multipliers."""

COMBINE = 1             # cycles from a step to its product for the other instructions
OLD_DEPTH = 32          # steps between the arrival of an operand and its addition
ACTIVATION = 32639
MULTIPLIER = 26         # bits of the multiplier of a channel; its shift has the bits above


class FixedPointLanes(wiring.Component):
    """Pipeline that processes one step per cycle, and never stalls.

    The operands of a product are ready ``COMBINE``, ``Interpolation.LATENCY`` or
    ``PlaneSum.LATENCY`` cycles after the step, which depends on the instruction. The result leaves
    ``FixedPointLane.LATENCY`` cycles later. Steps of two instructions must not be in flight at the
    same time.

    Parameters
    ----------
    config : :class:`Config`

    Members
    -------
    i_settings : :py:`In(Settings(config))`
        Settings of the instruction.
    i_step, i_a, i_b, i_bias : :py:`In(LaneStep(config))`, \
:py:`In(ArrayLayout(signed(32), lanes))` each
        A step and its operands. With ``settings.channels``, b contains multiplier and shift.
    i_high, i_low : :py:`In(ArrayLayout(signed(32), lanes))` each
        Accumulators of a step of DRAIN_PLANES.
    o_value, o_multiplier, i_product
        Operands and product of :class:`FixedPointLane`, for each lane.
    o_en, o_results : :py:`Out(1)`, :py:`Out(ArrayLayout(signed(32), lanes))`
        Results of a step to write.
    o_reduce_en, o_first, o_last, o_values : :py:`Out(1)` each, \
:py:`Out(ArrayLayout(signed(64), lanes))`
        Values of a step for the reduction.
    """

    def __init__(self, config):
        self.config = config
        lanes = lane_count(config)
        numbers = data.ArrayLayout(signed(32), lanes)
        super().__init__({
            "i_settings": In(Settings(config)),
            "i_step": In(LaneStep(config)),
            "i_a": In(numbers),
            "i_b": In(numbers),
            "i_bias": In(numbers),
            "i_high": In(numbers),
            "i_low": In(numbers),
            "o_value": Out(numbers),
            "o_multiplier": Out(data.ArrayLayout(32, lanes)),
            "i_product": In(data.ArrayLayout(63, lanes)),
            "o_en": Out(1),
            "o_results": Out(numbers),
            "o_reduce_en": Out(1),
            "o_first": Out(1),
            "o_last": Out(1),
            "o_values": Out(data.ArrayLayout(signed(64), lanes)),
        })

    def elaborate(self, platform):
        m = Module()
        settings = self.i_settings
        before, at = self._control(m)
        old_value = self._delayed(m, "old", self.i_a, settings.old, at[FixedPointLane.OLD_AT])
        bias = self._delayed(m, "bias", self.i_bias, settings.channels,
                             at[FixedPointLane.BIAS_AT])
        low, high = self._limits(m)
        lanes = lane_count(self.config)

        for number in range(lanes):
            m.submodules[f"lane_{number}"] = lane = FixedPointLane()
            m.submodules[f"planes_{number}"] = planes = PlaneSum()
            m.submodules[f"interpolation_{number}"] = interpolation = Interpolation()
            value, multiplier, negative, addend = self._combined(m, number)
            vector, = delay_line(m, f"vector_{number}", PlaneSum.LATENCY, self.i_b[number])
            shift, = delay_line(m, f"shift_{number}", FixedPointLane.BASE_AT,
                                vector[MULTIPLIER:32])
            m.d.comb += [
                planes.i_high.eq(self.i_high[number]), planes.i_low.eq(self.i_low[number]),
                planes.i_pre_shift.eq(settings.pre_shift),
                interpolation.i_a.eq(self.i_a[number]), interpolation.i_b.eq(self.i_b[number]),
                interpolation.i_exponential.eq(settings.exponential),
                interpolation.i_function.eq(settings.function),
                interpolation.i_fraction.eq(settings.fraction),
                lane.i_value.eq(Mux(settings.drain, planes.o_sum, Mux(
                    settings.interpolates, interpolation.o_slope, value))),
                lane.i_multiplier.eq(Mux(
                    settings.drain,
                    Mux(settings.channels, vector[:MULTIPLIER], vector[:16]),
                    Mux(settings.interpolates, interpolation.o_part, multiplier))),
                lane.i_negative.eq(Mux(
                    settings.interpolates, interpolation.o_negative, negative)),
                lane.i_addend.eq(Mux(settings.interpolates, interpolation.o_addend, addend)),
                lane.i_second.eq(at[FixedPointLane.SECOND_AT].second),
                lane.i_base.eq(at[FixedPointLane.BASE_AT].base),
                lane.i_slot_shift.eq(Mux(settings.channels, shift, 0)),
                lane.i_bias.eq(Mux(settings.channels, bias.word_select(number, 32), 0)),
                lane.i_old.eq(Mux(settings.old, old_value.word_select(number, 32), 0)),
                lane.i_low.eq(low), lane.i_high.eq(high),
                self.o_value[number].eq(lane.o_value),
                self.o_multiplier[number].eq(lane.o_multiplier),
                lane.i_product.eq(self.i_product[number]),
                self.o_results[number].eq(lane.o_result),
                self.o_values[number].eq(Mux(settings.exact, lane.o_exact, lane.o_result)),
            ]

        end = at[FixedPointLane.LATENCY]
        reduced = Signal(LaneStep(self.config))
        m.d.comb += [
            self.o_en.eq(end.valid & end.ends & settings.emits),
            reduced.eq(Mux(settings.exact, at[FixedPointLane.EXACT_AT], end)),
            self.o_reduce_en.eq(reduced.valid & reduced.ends & settings.reduces),
            self.o_first.eq(reduced.first), self.o_last.eq(reduced.last),
        ]
        return m

    def _control(self, m):
        """Return the control of the steps by their age, and by the age of their products."""
        settings = self.i_settings
        layout = LaneStep(self.config)
        before = [self.i_step]
        for age in range(1, PlaneSum.LATENCY + 1):
            before.append(Signal(layout, name=f"before_{age}"))
            m.d.sync += before[age].eq(before[age - 1])
        at = [Signal(layout, name="at_0")]
        m.d.comb += at[0].eq(Mux(settings.drain, before[PlaneSum.LATENCY], Mux(
            settings.interpolates, before[Interpolation.LATENCY], before[COMBINE])))
        for age in range(1, FixedPointLane.LATENCY + 1):
            at.append(Signal(layout, name=f"at_{age}"))
            m.d.sync += at[age].eq(at[age - 1])
        return before, at

    def _combined(self, m, number):
        """Return the operands of a lane without a function or planes, from registers."""
        settings, step = self.i_settings, self.i_step
        a, b = self.i_a[number], self.i_b[number]
        value, multiplier, addend = (
            Signal(signed(32), name=f"{name}_{number}", reset_less=True)
            for name in ("value", "multiplier", "addend"))
        negative = Signal(name=f"negative_{number}", reset_less=True)
        one = settings.linear | settings.maximum
        real = ~step.odd if lane_count(self.config) == 1 else number % 2 == 0
        m.d.sync += [
            value.eq(Mux(settings.linear | settings.maximum & (a < b), b, a)),
            multiplier.eq(Mux(one, 1, b)),
            addend.eq(Mux(settings.linear, a, 0)),
            negative.eq(settings.subtract | settings.rotate & step.second & real),
        ]
        return value, multiplier, negative, addend

    def _delayed(self, m, name, values, used, step):
        """Return operands of the steps that use them, when the step has the age of ``step``."""
        m.submodules[name] = queue = MemoryQueue(
            len(values.as_value()), depth=OLD_DEPTH,
            attrs=lut_ram_attributes(self.config.multiplier))
        m.d.comb += [
            queue.i_en.eq(self.i_step.valid & used),
            queue.i.eq(values.as_value()),
            queue.o.ready.eq(step.valid & used),
        ]
        return queue.o.payload

    def _limits(self, m):
        """Return the limits of the results."""
        low, high = (Signal(signed(33), name=name) for name in ("low", "high"))
        m.d.sync += [low.eq(-(1 << 31)), high.eq((1 << 31) - 1)]
        with m.Switch(self.i_settings.out_type):
            for kinds, lowest, highest in (
                    ((OutputType.UINT16,), 0, (1 << 16) - 1),
                    ((OutputType.INT8,), -127, 127),
                    ((OutputType.PLANES, OutputType.INT16), -ACTIVATION, ACTIVATION)):
                with m.Case(*kinds):
                    m.d.sync += [low.eq(lowest), high.eq(highest)]
        return low, high
