"""Reader of PARAMS, which loads biases, multipliers and shifts from the scratchpad."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, flipped

from ..control.instruction_layout import instruction_layout
from ..control.unit_interface import INSTRUCTION_SHAPE
from ..sram.ports import ReadPort

__all__ = ["ParamsReader"]

WORDS = 3               # kinds of words of a channel: bias, multiplier, shift
BIAS, MULTIPLIER, SHIFT = range(WORDS)


class ParamsReader(wiring.Component):
    """Reader that executes PARAMS instructions, one 32-bit word per cycle.

    It reads the biases of all channels and then, with ``per_channel``, multiplier and shift of each
    channel. Without ``per_channel``, the multiplier and shift of the instruction are output
    together with each bias. The field ``channel`` is the parameter slot of the first channel. An
    instruction takes ``3 * channels`` cycles with ``per_channel``, and ``channels`` cycles without,
    plus the latency of the scratchpad.

    Parameters
    ----------
    config : :class:`Config`

    Members
    -------
    i_start : :py:`In(1)`
        Start the instruction in ``i_instruction``. Not allowed while ``o_busy`` is high.
    i_instruction : :py:`In(256)`
        A validated PARAMS.
    o_busy : :py:`Out(1)`
        High from the cycle after ``i_start`` to the cycle of ``o_done``.
    o_done : :py:`Out(1)`
        High for one cycle, one cycle before the last values are output.
    spad : :py:`Out(ReadPort(spad_addr_width, 4))`
        Reads of the words.
    o_channel : :py:`Out(range(param_channels))`
        Parameter slot of the following values.
    o_bias_en, o_bias : :py:`Out(1)`, :py:`Out(signed(32))`
        Write enable and value of the bias.
    o_multiplier_en, o_multiplier : :py:`Out(1)`, :py:`Out(31)`
        Write enable and value of the multiplier.
    o_shift_en, o_shift : :py:`Out(1)`, :py:`Out(6)`
        Write enable and value of the shift.
    i_clear, i_clear_channel : :py:`In(1)`, :py:`In(range(param_channels))`
        Output zeros for all values of a slot in the next cycle. Not allowed while ``o_busy`` is
        high.
    """

    def __init__(self, config):
        self.config = config
        self.addr_width = config.spad_addr_width
        super().__init__({
            "i_start": In(1),
            "i_instruction": In(INSTRUCTION_SHAPE),
            "o_busy": Out(1),
            "o_done": Out(1),
            "spad": Out(ReadPort(self.addr_width, 4)),
            "o_channel": Out(range(config.param_channels)),
            "o_bias_en": Out(1),
            "o_bias": Out(signed(32)),
            "o_multiplier_en": Out(1),
            "o_multiplier": Out(31),
            "o_shift_en": Out(1),
            "o_shift": Out(6),
            "i_clear": In(1),
            "i_clear_channel": In(range(config.param_channels)),
        })

    def elaborate(self, platform):
        m = Module()
        new = data.View(instruction_layout("PARAMS"), self.i_instruction)
        spad = flipped(self.spad)

        first_channel, last_channel = (
            Signal(range(self.config.param_channels), name=f"{name}_channel")
            for name in ("first", "last"))
        per_channel = Signal()
        multiplier, shift = Signal(31), Signal(6)

        # requests; req_channel and req_kind identify the next word to request
        requesting = Signal()
        addr, scale_addr = Signal(self.addr_width), Signal(self.addr_width)
        req_channel, req_kind = Signal.like(last_channel), Signal(range(WORDS))
        m.d.comb += [spad.req.valid.eq(requesting), spad.req.payload.eq(addr)]
        with m.If(spad.req.valid & spad.req.ready):
            m.d.sync += addr.eq(addr + 4)
            self._advance(m, req_channel, req_kind, first_channel, last_channel)
            with m.If(req_channel == last_channel):
                with m.If(req_kind == BIAS):
                    m.d.sync += [addr.eq(scale_addr), requesting.eq(per_channel)]
                with m.If(req_kind == SHIFT):
                    m.d.sync += requesting.eq(0)

        # data arrives in the order of the requests; it is registered, because the channel memories
        # are far from the scratchpad
        channel, kind = Signal.like(last_channel), Signal(range(WORDS))
        word_en, word = Signal(), Signal(32, reset_less=True)
        is_last = Signal()          # computed one cycle ahead, because o_done has a high fan-out
        m.d.comb += [word_en.eq(spad.valid), self.o_done.eq(word_en & is_last)]
        m.d.sync += [
            word.eq(Cat(spad.data)),
            self.o_channel.eq(channel),
            self.o_bias_en.eq(word_en & (kind == BIAS)),
            self.o_multiplier_en.eq(
                word_en & (kind == Mux(per_channel, MULTIPLIER, BIAS))),
            self.o_shift_en.eq(word_en & (kind == Mux(per_channel, SHIFT, BIAS))),
        ]
        with m.If(self.i_clear):        # with per_channel, all values come from the word
            m.d.sync += [
                word.eq(0), per_channel.eq(1), self.o_channel.eq(self.i_clear_channel),
                self.o_bias_en.eq(1), self.o_multiplier_en.eq(1), self.o_shift_en.eq(1),
            ]
        m.d.comb += [
            self.o_bias.eq(word),
            self.o_multiplier.eq(Mux(per_channel, word[:31], multiplier)),
            self.o_shift.eq(Mux(per_channel, word[:6], shift)),
        ]
        with m.If(word_en):
            self._advance(m, channel, kind, first_channel, last_channel)
            m.d.sync += is_last.eq(Mux(
                per_channel, (kind == MULTIPLIER) & (channel == last_channel),
                channel + 1 == last_channel))
        with m.If(self.o_done):
            m.d.sync += self.o_busy.eq(0)

        with m.If(self.i_start):
            m.d.sync += [
                self.o_busy.eq(1), requesting.eq(1),
                addr.eq(new.bias_addr), scale_addr.eq(new.scale_addr),
                first_channel.eq(new.channel), last_channel.eq(new.channel + new.channels - 1),
                per_channel.eq(new.per_channel),
                multiplier.eq(new.multiplier), shift.eq(new.shift),
                req_channel.eq(new.channel), req_kind.eq(BIAS),
                channel.eq(new.channel), kind.eq(BIAS),
                is_last.eq(~new.per_channel & (new.channels == 1)),
            ]
        return m

    def _advance(self, m, channel, kind, first_channel, last_channel):
        """Advance ``channel`` and ``kind`` to the next word.

        All biases come first, followed by multiplier and shift of each channel.
        """
        with m.If(kind == MULTIPLIER):
            m.d.sync += kind.eq(SHIFT)
        with m.Else():
            m.d.sync += channel.eq(channel + 1)
            with m.If((kind == BIAS) & (channel == last_channel)):
                m.d.sync += [channel.eq(first_channel), kind.eq(MULTIPLIER)]
            with m.If(kind == SHIFT):
                m.d.sync += kind.eq(MULTIPLIER)
