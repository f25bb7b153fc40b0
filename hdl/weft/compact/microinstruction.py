"""Microinstructions of the serial engine and their encoding in 16 bits.

===================  =================================================================
``1cccc ttttt...``   branch to word ``t`` (11 bits) under condition ``c``; the word after a
                     branch, its delay slot, is always executed
``00ffff w s n``     function ``f`` of A and register ``n`` (8 bits); with ``w`` the result
                     goes to A, with ``s`` to register ``n``
``010ooooo n``       operation ``o``; ``n`` (8 bits) is a register number or a number
``011ffff n``        function ``f`` of A and the signed number ``n`` (9 bits), to A
===================  =================================================================

Register number :data:`INDEXED_REGISTER` stands for the register whose number is in X. The
engine has these registers outside the register file:

=========  ======================================================================
A          accumulator of the core, 32 bits
M          lower half of products and long shifts, 32 bits
C          repeat count of the next counted operation, 6 bits
X          number of the register that :data:`INDEXED_REGISTER` stands for, 8 bits
P, T       scratchpad pointer and shift register of the byte unit
Q, W       addresses of an accumulator word and of a line of weights in the array unit
=========  ======================================================================
"""

import dataclasses
import enum

__all__ = ["ADDRESS_BITS", "INDEXED_REGISTER", "REGISTERS", "IMMEDIATE_BITS", "Condition",
           "Function", "Microinstruction", "NOP", "Operation", "READS_REGISTER", "Source"]

ADDRESS_BITS = 11
REGISTERS = 256
INDEXED_REGISTER = 255
IMMEDIATE_BITS = 9


class Condition(enum.Enum):
    """Condition of a branch."""

    ALWAYS = 0
    ZERO = 1            # A = 0
    NONZERO = 2
    NEGATIVE = 3        # bit 31 of A
    POSITIVE = 4
    CARRY = 5           # of the last addition; after a subtraction: no borrow
    NO_CARRY = 6
    LESS = 7            # the last sum or difference is negative, as a signed number of 33 bits
    NOT_LESS = 8
    WRITE_PENDING = 9   # the host is writing a register
    READ_VALID = 10     # m_axi offers read data
    WRITE_VALID = 11    # m_axi offers a write response
    CALL = 12
    RETURN = 13
    POLL = 14           # CALL if WRITE_PENDING


class Function(enum.Enum):
    """Function of A and register R."""

    LOAD = 0            # R
    STORE = 1           # A
    ADD = 2             # A + R
    SUB = 3             # A - R
    INC = 4             # R + 1
    DEC = 5             # R - 1
    AND = 6
    OR = 7
    XOR = 8
    SHIFT_BYTES1 = 9    # {R, A} >> 8
    SHIFT_BYTES2 = 10   # {R, A} >> 16
    SHIFT_BYTES3 = 11   # {R, A} >> 24
    READ_SOURCE = 12    # the word that a Source selects
    ROUND = 13          # A + the bit that was shifted out last
    ROUND_AWAY = 14     # the same, but negative ties are rounded away from zero
    DOUBLE = 15         # A + A


class Source(enum.Enum):
    """Source of the function READ_SOURCE, encoded in place of the register number."""

    SHIFTER = 0         # T
    LOW = 1             # M
    ACCUMULATOR = 2     # the accumulator word at Q
    CLOCK = 3           # cycles since reset
    BUS_DATA = 4        # data of the host's register write
    BUS_ADDRESS = 5     # bits 9:0 word address, 10 all bytes are written, 12:11 last AXI response


class Operation(enum.Enum):
    """Operation that is neither a branch nor a function of A and R.

    Counted operations repeat C times and leave C at 0. READ_BYTES and WRITE_BYTES do not change C.
    """

    NOP = 0
    SET_COUNT = 1       # C = n
    SET_COUNT_FROM_REGISTER = 2     # C = R
    SET_INDEX = 3       # X = A
    NEXT_INDEX = 4      # X = X + 1
    SET_LOW = 5         # M = A
    CLEAR_ROUNDING = 6  # clear the record of the bits that were shifted out
    MULTIPLY = 7        # counted: {A, M} = {A + (M & 1) * R, M} >> 1, signed
    MULTIPLY_UNSIGNED = 8
    SHIFT = 9           # counted: {A, M} = {A, M} >> 1, signed; bit 0 of A is the bit shifted out
    SHIFT_LONG = 10     # the same, but bit 0 of M is the bit shifted out
    SET_POINTER = 11    # P = A
    READ_BYTES = 12     # C (up to 4) bytes from P on enter T at its top; P advances
    WRITE_BYTES = 13    # C bytes leave T at its bottom and go to P; P advances
    SET_SHIFTER = 14    # T = A
    ROTATE = 15         # counted: rotate T and its strobes by one byte to the right
    VECTOR = 16         # P = P + R; the vector at P enters the array, see ArrayUnit
    SET_ACC_ADDR = 17   # Q = A
    NEXT_ACC = 18       # Q = Q + 1
    STORE_ACC = 19      # the accumulator word at Q = A; Q = Q + 1
    SET_TILE = 20       # W = A
    LOAD_WEIGHTS = 21   # counted, C = 4: the line at W enters the array; W = W + 1
    SET_MODE = 22       # see array_unit.MODE
    SET_TAP = 23        # array row of the next depthwise VECTOR = R
    SET_ADDRESS = 24    # address on m_axi = A with bits 1:0 cleared
    READ = 25           # issue the read of a beat
    ACCEPT_BEAT = 26    # T = the beat
    WRITE = 27          # write T with its strobes
    ACCEPT_RESPONSE = 28    # accept the write response
    ACKNOWLEDGE = 29    # complete the host's register write; n = 1 refuses it
    SET_INTERRUPT = 30  # irq = (A != 0)
    EVENT = 31          # pulse bit A (a unit) of o_queued, o_issued or o_done, for n = 0, 1, 2


READS_REGISTER = frozenset({
    Operation.SET_COUNT_FROM_REGISTER, Operation.MULTIPLY, Operation.MULTIPLY_UNSIGNED,
    Operation.VECTOR, Operation.SET_TAP,
})
"""Operations whose operand is a register."""

_READS_NO_REGISTER = (Function.STORE, Function.READ_SOURCE, Function.ROUND, Function.ROUND_AWAY,
                      Function.DOUBLE)
_SETS_INDEX = (Operation.SET_INDEX, Operation.NEXT_INDEX)
_SETS_ACC_ADDR = (Operation.SET_ACC_ADDR, Operation.NEXT_ACC, Operation.STORE_ACC)


@dataclasses.dataclass(frozen=True)
class Microinstruction:
    """One microinstruction.

    Attributes
    ----------
    kind : :class:`Function`, :class:`Operation` or :class:`Condition`
        Function, operation, or condition of a branch.
    operand : :class:`int`
        Register number or number.
    to_a, to_register : :class:`bool`
        Destinations of the result of a function.
    target : :class:`str`
        Label of the branch target.
    immediate : :class:`bool`
        The operand of a function is a number, not a register.
    """

    kind: Function | Operation | Condition
    operand: int = 0
    to_a: bool = False
    to_register: bool = False
    target: str = ""
    immediate: bool = False

    @property
    def register_read(self):
        """Number of the register that is read, or ``None``."""
        if isinstance(self.kind, Function):
            return None if self.immediate or self.kind in _READS_NO_REGISTER else self.operand
        return self.operand if self.kind in READS_REGISTER else None

    def has_hazard_after(self, previous):
        """Return whether a NOP is required between ``previous`` and this microinstruction.

        A register and the accumulator word at Q are read one cycle before execution, that is
        while ``previous`` executes.
        """
        accessed = (self.operand,) if self.to_register else ()
        if self.register_read is not None:
            accessed += (self.register_read,)
            if previous.to_register and (
                    previous.operand == self.register_read
                    or INDEXED_REGISTER in (previous.operand, self.register_read)):
                return True
        if INDEXED_REGISTER in accessed and previous.kind in _SETS_INDEX:
            return True
        reads_acc = (self.kind is Function.READ_SOURCE
                     and self.operand == Source.ACCUMULATOR.value)
        return reads_acc and previous.kind in _SETS_ACC_ADDR

    def encode(self, target=0):
        """Return the 16-bit word; ``target`` is the address of a branch's target."""
        if isinstance(self.kind, Condition):
            return 1 << 15 | self.kind.value << ADDRESS_BITS | target
        if self.immediate:
            return (0b11 << 13 | self.kind.value << IMMEDIATE_BITS
                    | self.operand & (1 << IMMEDIATE_BITS) - 1)
        if isinstance(self.kind, Function):
            return self.kind.value << 10 | self.to_a << 9 | self.to_register << 8 | self.operand
        return 1 << 14 | self.kind.value << 8 | self.operand


NOP = Microinstruction(Operation.NOP)
