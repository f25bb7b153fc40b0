"""Data types of the instruction set: bit fields, instructions, and enumerations of field values.

An instruction is 32 bytes, little-endian. Bit *n* of an instruction is bit *n* % 8 of byte
*n* // 8. Bits outside all fields of an instruction are reserved and must be zero.
"""

import dataclasses
import enum
import functools

__all__ = ["HEADER", "INSTRUCTION_BYTES", "TABLE_BYTES", "Field", "Instruction", "MapOp", "Mode"]

INSTRUCTION_BYTES = 32
TABLE_BYTES = 1024
"""Size of the table that TABLE reads: one int32 for each value of a byte."""


class Mode(enum.IntEnum):
    """Rounding law of DRAIN and MAP; see the numerics page. MAP does not accept RAW."""

    TFL2 = 0        # double rounding, the default of TensorFlow Lite
    TFL1 = 1        # single rounding
    AWAY = 2        # half away from zero, for average pooling
    RAW = 3         # no requantisation: accumulator plus bias as int32, little-endian


class MapOp(enum.IntEnum):
    """Value of the field ``op`` of MAP: the operation on the table entries of the operands."""

    A = 0           # entry of table A
    ADD = 1         # sum of both entries, modulo 2^32
    MULTIPLY = 2    # product of the low 16 bits of both entries


@dataclasses.dataclass(frozen=True)
class Field:
    """Field of an instruction, at bits ``offset`` to ``offset + width - 1``."""

    name: str
    offset: int
    width: int
    doc: str
    signed: bool = False

    @functools.cached_property
    def limits(self) -> tuple[int, int]:
        """Smallest and largest value that the field can represent."""
        if self.signed:
            return -(1 << self.width - 1), (1 << self.width - 1) - 1
        return 0, (1 << self.width) - 1

    @functools.cached_property
    def mask(self) -> int:
        """Ones in all bits of the field, shifted to bit 0."""
        return (1 << self.width) - 1


HEADER = (
    Field("opcode", 0, 8, "opcode of the instruction"),
    Field("wait", 8, 4, "units from which the instruction takes a token before it starts: bit 0 "
                        "LOAD, bit 1 MATMUL, bit 2 VECTOR, bit 3 STORE"),
    Field("signal", 12, 4, "units to which the instruction gives a token when it is done, with "
                           "the same bits"),
)
"""Fields that all instructions have."""


@dataclasses.dataclass(frozen=True)
class Instruction:
    """One instruction of the instruction set.

    Attributes
    ----------
    name : :class:`str`
        Mnemonic.
    opcode : :class:`int`
        Value of the field ``opcode``.
    unit : :class:`int`
        Index in :data:`UNITS` of the unit that executes the instruction.
    doc : :class:`str`
        Description of the instruction. The first sentence is a summary.
    fields : tuple of :class:`Field`
        All fields, including the header (``opcode``, ``wait`` and ``signal``).
    """

    name: str
    opcode: int
    unit: int
    doc: str
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field:
        """Return the field called ``name``; :class:`KeyError` if there is none."""
        if name not in self.by_name:
            raise KeyError(f"{self.name} has no field {name!r}; there are "
                           f"{', '.join(self.by_name)}")
        return self.by_name[name]

    def extract(self, word: int) -> dict[str, int]:
        """Return the values of all fields in the instruction ``word``, by name."""
        # a flipped sign bit, minus the value of that bit, extends the sign
        return {name: (word >> offset & mask ^ sign) - sign
                for name, offset, mask, sign in self._layout}

    @functools.cached_property
    def by_name(self) -> dict[str, Field]:
        """All fields by name."""
        return {field.name: field for field in self.fields}

    @functools.cached_property
    def _layout(self) -> list[tuple[str, int, int, int]]:
        """Name, offset, mask and sign bit (0 without sign) of each field."""
        return [(field.name, field.offset, field.mask,
                 1 << field.width - 1 if field.signed else 0) for field in self.fields]

    @property
    def reserved_mask(self) -> int:
        """Mask of the bits that must be zero, as one 256-bit integer."""
        mask = (1 << 8 * INSTRUCTION_BYTES) - 1
        for field in self.fields:
            mask &= ~(field.mask << field.offset)
        # a unit neither waits for itself nor signals itself
        return mask | 1 << self.field("wait").offset + self.unit \
            | 1 << self.field("signal").offset + self.unit
