"""Expander: beats of a stream of 4-bit weights to beats of int8 weights."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..spec.four_bit import CODE_BEATS, CODE_BITS, HEADER_BEATS
from .weight_table import WeightTable

__all__ = ["WeightExpander", "expanded_layout"]


def expanded_layout(config):
    """Return the layout of the weights that leave the expander in one cycle.

    ``data`` is a beat of each half of a tile, or with one tile line per cycle of the half that
    ``upper`` selects. ``write`` is 0 for the end of a stream without weights. ``final`` marks the
    last cycle of a beat of codes, and ``last`` the last one of the instruction.
    """
    return data.StructLayout({
        "data": data.ArrayLayout(8, config.bus_bytes * config.tile_lines),
        "upper": 1, "write": 1, "final": 1, "last": 1})


class WeightExpander(wiring.Component):
    """Pipeline that expands one beat per cycle with two tile lines, and otherwise in two cycles.

    ``docs/decisions/0029-four-bit-weights.md`` defines the stream. Beats with slopes and offsets,
    and those of the first block of a stream, have no weights. A stream begins with the first beat
    after a reset, or after a beat with ``last``.

    Weights leave ``LATENCY`` cycles after their beat, in order.

    Parameters
    ----------
    config : :class:`Config`
        Configuration with ``weights_4bit``.

    Members
    -------
    i : :py:`In(stream.Signature(StructLayout({data: ArrayLayout(8, bus_bytes), last: 1})))`
        Beats; ``last`` marks the last one of an instruction.
    o : :py:`Out(stream.Signature(expanded_layout(config)))`
        Weights.
    o_dropped : :py:`Out(1)`
        A beat without weights has been processed in this cycle.
    o_busy : :py:`Out(1)`
        A beat has not left completely.
    """

    LATENCY = 2         # from i accepted to o.valid, in cycles

    def __init__(self, config):
        self.config = config
        self._beat = data.StructLayout({"data": data.ArrayLayout(8, config.bus_bytes), "last": 1})
        super().__init__({
            "i": In(stream.Signature(self._beat)),
            "o": Out(stream.Signature(expanded_layout(config))),
            "o_dropped": Out(1),
            "o_busy": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        beat, valid = Signal(self._beat), Signal()
        advance, consume = Signal(), Signal()
        m.d.comb += [
            self.i.ready.eq(~valid | consume),
            self.o_busy.eq(valid | self.o.valid),
            advance.eq(~self.o.valid | self.o.ready),
        ]
        with m.If(self.i.ready):
            m.d.sync += [valid.eq(self.i.valid), beat.eq(self.i.payload)]

        m.submodules.table = table = WeightTable(self.config)
        is_code, filled, end = self._elaborate_position(m, beat, consume, table)
        has_weights = is_code & filled
        upper, final = self._elaborate_halves(m, beat, valid & advance, has_weights, table)
        m.d.comb += [
            consume.eq(valid & advance & final),
            self.o_dropped.eq(consume & ~has_weights),
        ]
        with m.If(advance):
            out = self.o.payload
            m.d.sync += [
                self.o.valid.eq(valid & (has_weights | (beat.last & end))),
                out.data.eq(table.o_weights),
                out.upper.eq(upper),
                out.write.eq(has_weights),
                out.final.eq(final),
                out.last.eq(beat.last & final),
            ]
        return m

    def _elaborate_position(self, m, beat, consume, table):
        """Follow the position in the stream, fill the table, and select what is read.

        Returns
        -------
        is_code : 1 bit
            The beat contains codes.
        filled : 1 bit
            The table has the weights of these codes.
        end : 1 bit
            The beat is the last one of a packet.
        """
        # the upper bit distinguishes codes from the header, whose last beat precedes code 0
        first = CODE_BEATS - HEADER_BEATS
        position = Signal(range(2 * CODE_BEATS), init=first)
        code = position[:-1]
        is_code, end = position[-1], Signal()
        packet = Signal(range(table.phases))
        bank, filled = Signal(), Signal()
        m.d.comb += [
            end.eq(position.all()),
            table.i_header.eq(consume & ~is_code),
            table.i_compute.eq(consume & is_code),
            table.i_data.eq(beat.data),
            table.i_code.eq(code),
            table.i_compute_phase.eq(packet),
            table.i_bank.eq(bank),
            table.i_phase.eq(code[:len(packet)]),
        ]
        with m.If(consume):
            m.d.sync += position.eq(position + 1)
            with m.If(end):
                m.d.sync += [position.eq(first), packet.eq(packet + 1)]
                with m.If(packet == table.phases - 1):
                    m.d.sync += [bank.eq(~bank), filled.eq(1)]
            with m.If(beat.last):
                m.d.sync += filled.eq(0)
        return is_code, filled, end

    def _elaborate_halves(self, m, beat, step, has_weights, table):
        """Select the codes of a cycle: of both halves of the tile, or first of the lower one.

        Returns
        -------
        upper : 1 bit
            They are those of the upper half of the tile only.
        final : 1 bit
            The cycle is the last one of the beat.
        """
        lower_codes = Cat(byte[:CODE_BITS] for byte in beat.data)
        upper_codes = Cat(byte[CODE_BITS:] for byte in beat.data)
        upper, final = Signal(), Signal()
        codes = table.i_codes.as_value()
        if self.config.tile_lines > 1:
            m.d.comb += [codes.eq(Cat(lower_codes, upper_codes)), final.eq(1)]
            return upper, final
        m.d.comb += [codes.eq(lower_codes), final.eq(upper | ~has_weights)]
        with m.If(upper):
            m.d.comb += codes.eq(upper_codes)
        with m.If(step):
            m.d.sync += upper.eq(~final)
        return upper, final
