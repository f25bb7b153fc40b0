"""Checks of an instruction that depend only on its bits: opcode, reserved bits, field ranges."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..spec import isa
from ..spec.isa import ErrorCode
from .fixed_point_field_check import bad_fixed_point_field
from .instruction_layout import bit_runs
from .unit_interface import INSTRUCTION_SHAPE

__all__ = ["FieldCheck"]

_MAX_SHIFT = 62


class FieldCheck(wiring.Component):
    """First three checks of an instruction, in this order: opcode, reserved bits, field ranges.

    The component is a pipeline with a throughput of one instruction per cycle. It is generated from
    the tables in :mod:`weft.spec.isa`.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        ``cols`` and ``param_channels`` limit the fields ``channel`` and ``channels``; ``rows``
        limits ``lead`` and ``blank``.

    Members
    -------
    i_word : :py:`In(256)`
        The instruction.
    o_code : :py:`Out(8)`, ``o_unit`` : :py:`Out(3)`
        ``LATENCY`` cycles later: ``ILLEGAL_OPCODE``, ``RESERVED_BITS``, ``BAD_FIELD`` or 0; and the
        number of the unit, :data:`isa.SEQUENCER` if the opcode is unknown.
    i_skip : :py:`In(1)`
        Only with ``fixed_point``: the instruction has no effect, and the ranges of its fields are
        not checked.

    Attributes
    ----------
    LATENCY : :class:`int`
        Cycles from the inputs to the outputs: 2, and 3 with ``fixed_point``.
    """

    def __init__(self, config):
        self.config = config
        self.LATENCY = 3 if config.fixed_point else 2
        self.instructions = isa.instructions(config)
        super().__init__({
            "i_word": In(INSTRUCTION_SHAPE),
            "o_code": Out(8),
            "o_unit": Out(3),
            **({"i_skip": In(1)} if config.fixed_point else {}),
        })

    def elaborate(self, platform):
        m = Module()
        decoded = Signal(len(self.instructions))     # one-hot opcode
        for index, instruction in enumerate(self.instructions):
            m.d.sync += decoded[index].eq(self.i_word[:8] == instruction.opcode)

        reserved = self._reserved(m, decoded)
        bad = self._bad_fields(m, decoded)
        units = [Cat(decoded[index] for index, instruction in enumerate(self.instructions)
                     if instruction.unit == unit).any() for unit in range(len(isa.UNITS))]
        known = decoded.any()
        if self.config.fixed_point:
            known, reserved, bad, *units = self._stage(m, known, reserved, bad, *units)
        m.d.sync += [
            self.o_unit.eq(Mux(known, Cat(units[1] | units[3], units[2] | units[3]),
                               isa.SEQUENCER)),
            self.o_code.eq(Mux(~known, ErrorCode.ILLEGAL_OPCODE,
                               Mux(reserved, ErrorCode.RESERVED_BITS,
                                   Mux(bad, ErrorCode.BAD_FIELD, ErrorCode.NONE)))),
        ]
        return m

    def _stage(self, m, known, reserved, bad, *units):
        """Return the values in registers of one more stage, with the results of the resolution."""
        skip = Signal()
        m.d.sync += skip.eq(self.i_skip)
        found = []
        for name, value in (("known", known), ("any_reserved", reserved),
                            ("any_bad", bad & ~skip),
                            *((f"is_{name.lower()}", unit)
                              for name, unit in zip(isa.UNITS, units))):
            found.append(Signal(name=name))
            m.d.sync += found[-1].eq(value)
        return found

    def _reserved(self, m, decoded):
        """Return 1 bit, high if a reserved bit of the decoded instruction is set."""
        # bits that are reserved in the same instructions share a flag
        groups = {}
        for bit in range(INSTRUCTION_SHAPE):
            owners = tuple(index for index, instruction in enumerate(self.instructions)
                           if instruction.reserved_mask >> bit & 1)
            groups.setdefault(owners, []).append(bit)
        found = []
        for owners, bits in groups.items():
            if owners:
                any_set = Signal(name=f"reserved{bits[0]}")
                m.d.sync += any_set.eq(
                    Cat(self.i_word[run] for run in bit_runs(bits)).any())
                found.append(any_set & Cat(decoded[index] for index in owners).any())
        return Cat(found).any()

    @staticmethod
    def _is_ring(instruction):
        """Return whether the bytes of an instruction are whole tiles."""
        return instruction.name == "LOAD_RING"

    def _bad_fields(self, m, decoded):
        """Return 1 bit, high if a field of the decoded instruction is out of range."""
        # by field, offset, width and law: the instructions with this check, and its result
        checks = {}
        for index, instruction in enumerate(self.instructions):
            for field in instruction.fields:
                bad = self._bad(instruction, field.name)
                if bad is None:
                    continue
                special = field.name == "bytes" and self._is_ring(instruction)
                law = instruction.name if special else ""
                owners, _ = checks.setdefault(
                    (field.name, field.offset, field.width, law), ([], bad))
                owners.append(index)
        found = []
        for (name, offset, _, law), (owners, bad) in checks.items():
            flag = Signal(name=f"bad_{name}{offset}{law}")
            m.d.sync += flag.eq(bad)
            found.append(flag & Cat(decoded[index] for index in owners).any())
        return Cat(found).any()

    def _field(self, instruction, name):
        field = instruction.field(name)
        return self.i_word[field.offset:field.offset + field.width]

    def _bad(self, instruction, name):
        """Return 1 bit, high if a field is out of range; ``None`` if every value is allowed."""
        value = self._field(instruction, name)
        if instruction in isa.FIXED_POINT_INSTRUCTIONS:
            bad = bad_fixed_point_field(instruction.name, name, lambda other: self._field(
                instruction, other))
            if bad is not None:
                return bad
            if name == "bytes" and self._is_ring(instruction):
                return (value == 0) | (value % self.config.tile_bytes != 0)
        if instruction in isa.FOUR_BIT_INSTRUCTIONS and name == "host_addr":
            return value % self.config.bus_bytes != 0
        if name == "bytes" or name.endswith("count"):
            return value == 0
        if name in ("channels", "channel", "apart"):
            return getattr(self, f"_bad_{name}")(instruction, value)
        if name == "shift" and not instruction.field(name).signed:
            return value > _MAX_SHIFT
        if name == "multiplier":
            return value[31]
        if name == "lead":
            depthwise = self._field(instruction, "depthwise")
            return (value >= self.config.rows) | (value != 0) & ~depthwise
        if name == "blank":
            depthwise = self._field(instruction, "depthwise")
            return (value >= self.config.rows) | (value != 0) & depthwise
        if name == "op" and instruction.name == "MAP":
            return value > max(isa.MapOp)
        if name == "mode" and instruction.name == "MAP":
            return value == isa.Mode.RAW
        if name == "clamp_min":
            return value.as_signed() > self._field(instruction, "clamp_max").as_signed()
        return None

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
        # rounded down: a channel that is no multiple of cols is refused in any case
        group = self._field(instruction, "channel") // self.config.cols
        groups = self.config.param_channels // self.config.cols
        # groups is a power of two, so the upper bits of rows alone decide on large values
        bits = groups.bit_length()
        return apart & ((rows[bits:] != 0) | (group + rows[:bits] > groups))
