"""The checks of an instruction that look at its bits alone."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..spec import isa
from ..spec.isa import ErrorCode
from .instruction_layout import bit_runs
from .unit_interface import INSTRUCTION_SHAPE

__all__ = ["FieldCheck"]

_MAX_SHIFT = 62


class FieldCheck(wiring.Component):
    """Opcode, reserved bits and ranges of fields: the first three checks, in their order.

    Made from the table in :mod:`weft.spec.isa`; takes an instruction every cycle.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        Its ``cols`` and ``param_channels`` bound ``channel`` and ``channels``, its ``rows`` bounds
        ``lead`` and ``blank``.

    Members
    -------
    i_word : :py:`In(256)`
        The instruction.
    o_code : :py:`Out(8)`, ``o_unit`` : :py:`Out(3)`
        ``LATENCY`` cycles later: ``ILLEGAL_OPCODE``, ``RESERVED_BITS``, ``BAD_FIELD`` or 0; and the
        unit, :data:`isa.SEQUENCER` if the opcode is unknown.
    """

    LATENCY = 2

    def __init__(self, config):
        self.config = config
        super().__init__({
            "i_word": In(INSTRUCTION_SHAPE),
            "o_code": Out(8),
            "o_unit": Out(3),
        })

    def elaborate(self, platform):
        m = Module()
        known = Signal(len(isa.INSTRUCTIONS))
        for index, instruction in enumerate(isa.INSTRUCTIONS):
            m.d.sync += known[index].eq(self.i_word[:8] == instruction.opcode)

        reserved = self._reserved(m, known)
        bad = self._bad_fields(m, known)
        units = [Cat(known[index] for index, instruction in enumerate(isa.INSTRUCTIONS)
                     if instruction.unit == unit).any() for unit in range(len(isa.UNITS))]
        m.d.sync += [
            self.o_unit.eq(Mux(known.any(), Cat(units[1] | units[3], units[2] | units[3]),
                               isa.SEQUENCER)),
            self.o_code.eq(Mux(~known.any(), ErrorCode.ILLEGAL_OPCODE,
                               Mux(reserved, ErrorCode.RESERVED_BITS,
                                   Mux(bad, ErrorCode.BAD_FIELD, ErrorCode.NONE)))),
        ]
        return m

    def _reserved(self, m, known):
        # bits that are reserved in the same instructions are looked at together
        groups = {}
        for bit in range(INSTRUCTION_SHAPE):
            owners = tuple(index for index, instruction in enumerate(isa.INSTRUCTIONS)
                           if instruction.reserved_mask >> bit & 1)
            groups.setdefault(owners, []).append(bit)
        found = []
        for owners, bits in groups.items():
            if owners:
                any_set = Signal(name=f"reserved{bits[0]}")
                m.d.sync += any_set.eq(
                    Cat(self.i_word[run] for run in bit_runs(bits)).any())
                found.append(any_set & Cat(known[index] for index in owners).any())
        return Cat(found).any()

    def _bad_fields(self, m, known):
        word = self.i_word
        seen = {}       # (what, offset): the instructions with that check, and its flag
        for index, instruction in enumerate(isa.INSTRUCTIONS):
            for field in instruction.fields:
                value = word[field.offset:field.offset + field.width]
                if field.name == "bytes" or field.name.endswith("count"):
                    refused = value == 0
                elif field.name in ("channels", "channel", "apart"):
                    refused = getattr(self, f"_bad_{field.name}")(instruction, value)
                elif field.name == "shift":
                    refused = value > _MAX_SHIFT
                elif field.name == "multiplier":
                    refused = value[31]
                elif field.name == "lead":
                    depthwise = instruction.field("depthwise")
                    refused = (value >= self.config.rows) | (value != 0) & ~word[depthwise.offset]
                elif field.name == "blank":
                    depthwise = instruction.field("depthwise")
                    refused = (value >= self.config.rows) | (value != 0) & word[depthwise.offset]
                elif field.name == "op":
                    refused = value > max(isa.MapOp)
                elif field.name == "mode" and instruction.name == "MAP":
                    refused = value == isa.Mode.RAW
                elif field.name == "clamp_min":
                    high = instruction.field("clamp_max")
                    refused = value.as_signed() > word[
                        high.offset:high.offset + high.width].as_signed()
                else:
                    continue
                owners, _ = seen.setdefault((field.name, field.offset, field.width), ([], refused))
                owners.append(index)
        found = []
        for (name, offset, _), (owners, refused) in seen.items():
            flag = Signal(name=f"bad_{name}{offset}")
            m.d.sync += flag.eq(refused)
            found.append(flag & Cat(known[index] for index in owners).any())
        return Cat(found).any()

    def _field(self, instruction, name):
        field = instruction.field(name)
        return self.i_word[field.offset:field.offset + field.width]

    def _bad_channels(self, instruction, channels):
        if instruction.name == "PARAMS":
            channel = self._field(instruction, "channel")
            return (channels == 0) | (channel + channels > self.config.param_channels)
        return (channels == 0) | (channels > self.config.cols)

    def _bad_channel(self, instruction, channel):
        return (channel % self.config.cols != 0) | (channel >= self.config.param_channels)

    def _bad_apart(self, instruction, apart):
        rows = self._field(instruction, "y_count")
        if instruction.name == "MATMUL":
            return apart & (rows != 1)
        # of a channel that is a multiple of cols: others are refused anyway
        group = self._field(instruction, "channel") // self.config.cols
        groups = self.config.param_channels // self.config.cols
        # a power of two: of more rows than twice as many, none but the upper bits matter
        bits = groups.bit_length()
        return apart & ((rows[bits:] != 0) | (group + rows[:bits] > groups))
