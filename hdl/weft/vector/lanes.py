"""Lanes of VECTOR, which add the bias and requantise, one lane for each channel of a group."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..control.instruction_layout import instruction_layout
from ..control.unit_interface import INSTRUCTION_SHAPE
from ..spec.isa import Mode
from .drain import Step
from .fixed_point.settings import lane_count
from .requantize import Requantizer

__all__ = ["Lanes"]

SETTINGS = data.StructLayout({
    "double": 1, "away": 1, "zero_point": signed(8), "clamp_min": signed(8),
    "clamp_max": signed(8),
})
"""Settings of an instruction, which all lanes share."""


class Lanes(wiring.Component):
    """Pipeline that processes one step per cycle.

    For a step of DRAIN, it adds the biases to the accumulators of a group of channels and
    requantises the sums. In mode RAW, it only adds the bias, for a single channel. A step of MAP or
    SOFTMAX has values without a bias, and multiplier and shift are the same in all lanes.

    The pipeline never stalls. The bytes of a step leave ``LATENCY`` cycles after the step enters,
    or ``RAW_LATENCY`` cycles in mode RAW. Two steps must not leave in the same cycle. Parameters
    are read at different times after a step enters, so they may change only while no step is in
    flight.

    Parameters
    ----------
    config : :class:`Config`

    Members
    -------
    i_start, i_instruction, i_settings : :py:`In(1)`, :py:`In(256)`, :py:`In(1)`
        Store zero point, clamps and rounding law of the DRAIN, MAP or SOFTMAX in ``i_instruction``
        as the settings with index ``i_settings``. No step with these settings may be in flight.
    i_softmax : :py:`In(1)`
        The instruction is a SOFTMAX, whose settings are constant.
    i_step : :py:`In(Step(config))`
        The step that enters.
    i_acc, i_values : :py:`In(ArrayLayout(signed(32), lanes))` each
        Accumulators of a step of DRAIN, or values of a step of MAP, one cycle after the step.
    i_map_multiplier, i_map_shift : :py:`In(31)`, :py:`In(6)`
        Multiplier and shift of all steps of MAP or SOFTMAX in flight.
    o_bias_channel, o_multiplier_channel, o_shift_channel : :py:`Out(range(param_channels))`
        Channels to read, one for each :class:`ChannelMemory`.
    i_biases, i_multipliers, i_shifts : :py:`In(ArrayLayout(..., lanes))`
        Values of the groups of these channels, one cycle later.
    o_en : :py:`Out(1)`, ``o_bytes`` : :py:`Out(ArrayLayout(8, max(lanes, 4)))`
        A step leaves, and its bytes: one per lane, or the four of an int32 in mode RAW.
    i_fixed, i_fixed_value, i_fixed_multiplier, o_product
        Only with ``config.fixed_point``. While ``i_fixed`` is high, which is allowed only while no
        step is in flight, the multipliers of the first lanes compute the products of
        :class:`weft.vector.fixed_point.lane.FixedPointLane`.
    """

    SUM_AT = 2              # cycles from the step to its values at the requantiser
    RAW_LATENCY = SUM_AT + 1
    LATENCY = SUM_AT + Requantizer.LATENCY

    def __init__(self, config):
        self.config = config
        lanes = config.vector_lanes
        super().__init__({
            "i_start": In(1),
            "i_instruction": In(INSTRUCTION_SHAPE),
            "i_settings": In(1),
            "i_softmax": In(1),
            "i_step": In(Step(config)),
            "i_acc": In(data.ArrayLayout(signed(32), lanes)),
            "i_values": In(data.ArrayLayout(signed(32), lanes)),
            "i_map_multiplier": In(31),
            "i_map_shift": In(6),
            "o_bias_channel": Out(range(config.param_channels)),
            "o_multiplier_channel": Out(range(config.param_channels)),
            "o_shift_channel": Out(range(config.param_channels)),
            "i_biases": In(data.ArrayLayout(signed(32), lanes)),
            "i_multipliers": In(data.ArrayLayout(31, lanes)),
            "i_shifts": In(data.ArrayLayout(6, lanes)),
            "o_en": Out(1),
            "o_bytes": Out(data.ArrayLayout(8, max(lanes, 4))),
            **({
                "i_fixed": In(1),
                "i_fixed_value": In(data.ArrayLayout(signed(32), lane_count(config))),
                "i_fixed_multiplier": In(data.ArrayLayout(32, lane_count(config))),
                "o_product": Out(data.ArrayLayout(63, lane_count(config))),
            } if config.fixed_point else {}),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config

        # at[n] is the step that entered n cycles ago
        at = [self.i_step]
        for age in range(1, self.LATENCY + 1):
            at.append(Signal(Step(config), name=f"s{age}_step"))
            m.d.sync += at[age].eq(at[age - 1])

        # one cycle is for the memory, and one for the selection between its values and those of MAP
        multiplier_request = self.SUM_AT + Requantizer.MULTIPLIER_AT - 2
        shift_request = self.SUM_AT + Requantizer.SHIFT_AT - 2
        m.d.comb += [
            self.o_bias_channel.eq(self.i_step.channel),
            self.o_multiplier_channel.eq(at[multiplier_request].channel),
            self.o_shift_channel.eq(at[shift_request].channel),
        ]

        settings = self._settings(m)

        def setting(name, cycle):
            # selected one cycle ahead, so that the selection is not on the path into the lanes
            value = Signal(SETTINGS.members[name], name=f"s{cycle}_{name}", reset_less=True)
            m.d.sync += value.eq(Mux(at[self.SUM_AT + cycle - 1].settings,
                                     settings[1][name], settings[0][name]))
            return value

        double = setting("double", Requantizer.SHIFT_AT)
        away = setting("away", Requantizer.SHIFT_AT)
        zero_point = setting("zero_point", Requantizer.ZERO_POINT_AT)
        clamp_min = setting("clamp_min", Requantizer.CLAMP_AT)
        clamp_max = setting("clamp_max", Requantizer.CLAMP_AT)

        sums, results = [], []
        for lane in range(config.vector_lanes):
            is_fixed = config.fixed_point and lane < lane_count(config)
            m.submodules[f"lane_{lane}"] = requantizer = Requantizer(fixed_point=is_fixed)
            s2_sum = Signal(signed(32), name=f"s2_sum_{lane}", reset_less=True)
            multiplier = Signal(len(requantizer.i_multiplier), name=f"multiplier_{lane}",
                                reset_less=True)
            shift = Signal(6, name=f"shift_{lane}", reset_less=True)
            m.d.sync += [
                s2_sum.eq(Mux(at[self.SUM_AT - 1].map, self.i_values[lane],
                              self.i_acc[lane] + self.i_biases[lane])),
                multiplier.eq(Mux(at[multiplier_request + 1].map, self.i_map_multiplier,
                                  self.i_multipliers[lane])),
                shift.eq(Mux(at[shift_request + 1].map, self.i_map_shift, self.i_shifts[lane])),
            ]
            m.d.comb += [
                requantizer.i_value.eq(s2_sum),
                requantizer.i_multiplier.eq(multiplier),
                requantizer.i_shift.eq(shift),
                requantizer.i_double.eq(double),
                requantizer.i_away.eq(away),
                requantizer.i_zero_point.eq(zero_point),
                requantizer.i_clamp_min.eq(clamp_min),
                requantizer.i_clamp_max.eq(clamp_max),
            ]
            if is_fixed:
                m.d.comb += self.o_product[lane].eq(requantizer.o_product)
                with m.If(self.i_fixed):
                    m.d.sync += [s2_sum.eq(self.i_fixed_value[lane]),
                                 multiplier.eq(self.i_fixed_multiplier[lane])]
            sums.append(s2_sum)
            results.append(requantizer.o_result)

        s3_raw = Signal(32, reset_less=True)
        lane = at[self.SUM_AT].channel[:config.lane_index_width]
        m.d.sync += s3_raw.eq(Cat(sums).word_select(lane, 32))
        raw_en = at[self.RAW_LATENCY].valid & at[self.RAW_LATENCY].raw
        m.d.comb += [
            self.o_en.eq(raw_en | at[self.LATENCY].valid & ~at[self.LATENCY].raw),
            Cat(self.o_bytes).eq(Mux(raw_en, s3_raw, Cat(results))),
        ]
        return m

    def _settings(self, m):
        """Return the registers of the settings of two instructions."""
        layout = instruction_layout("DRAIN")
        for name in ("mode", "zero_point", "clamp_min", "clamp_max"):
            assert layout[name] == instruction_layout("MAP")[name], name
        new = data.View(layout, self.i_instruction)
        softmax = self.i_softmax            # the bits of `mode` are 0 in a SOFTMAX: TFL2
        settings = []
        for index in range(2):
            stored = Signal(SETTINGS, name=f"settings_{index}", reset_less=True)
            with m.If(self.i_start & (self.i_settings == index)):
                m.d.sync += [
                    stored.double.eq(new.mode == Mode.TFL2),
                    stored.away.eq(new.mode == Mode.AWAY),
                    stored.zero_point.eq(Mux(softmax, -128, new.zero_point)),
                    stored.clamp_min.eq(Mux(softmax, -128, new.clamp_min)),
                    stored.clamp_max.eq(Mux(softmax, 127, new.clamp_max)),
                ]
            settings.append(stored)
        return settings
