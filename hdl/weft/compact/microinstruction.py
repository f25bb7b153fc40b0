"""Microinstructions of the serial engine: 16 bits each.

=================  ====================================================================
``1cccc ttttt...``  branch to word ``t`` (11 bits) under condition ``c``; the word after a
                    branch is executed in any case
``00ffff w s n``    function ``f`` of A and register ``n`` (8 bits); with ``w`` the result
                    goes to A, with ``s`` to register ``n``
``010ooooo n``      operation ``o``; ``n`` is a register or a small number
``011ffff n``       function ``f`` of A and the signed number ``n`` (9 bits), to A
=================  ====================================================================

Register number :data:`AT_X` stands for the register that X names.
"""

import enum

__all__ = ["ADDRESS_BITS", "AT_X", "REGISTERS", "SMALL_BITS", "Condition", "Function",
           "Operation", "Source", "READS_REGISTER"]

ADDRESS_BITS = 11
REGISTERS = 256
AT_X = 255
SMALL_BITS = 9


class Condition(enum.Enum):
    """When a branch is taken."""

    ALWAYS = 0
    ZERO = 1            # A = 0
    NONZERO = 2
    NEGATIVE = 3        # bit 31 of A
    POSITIVE = 4
    CARRY = 5           # of the last sum; after a difference: no borrow
    NO_CARRY = 6
    LESS = 7            # the last sum, as a number of 33 bits, is negative
    NOT_LESS = 8
    WRITE_WAITS = 9     # a host wants to write a register
    READ_VALID = 10     # m_axi has data
    WRITE_VALID = 11    # m_axi has the answer to a write
    CALL = 12
    RETURN = 13
    POLL = 14           # a call while a host wants to write a register


class Function(enum.Enum):
    """Of A and register R."""

    LOAD = 0            # R
    STORE = 1           # A
    ADD = 2             # A + R
    SUB = 3             # A - R
    INC = 4             # R + 1
    DEC = 5             # R - 1
    AND = 6
    OR = 7
    XOR = 8
    BYTES1 = 9          # {R, A} >> 8
    BYTES2 = 10         # {R, A} >> 16
    BYTES3 = 11         # {R, A} >> 24
    TAKE = 12           # a word from outside, see Source
    ROUND = 13          # A + the bit that was shifted out last
    ROUND_AWAY = 14     # the same, but half of a negative number away from zero
    DOUBLE = 15         # A + A


class Source(enum.Enum):
    """What TAKE takes; the register number says which."""

    SHIFTER = 0         # T
    LOW = 1             # M
    ACCUMULATOR = 2     # the word at Q
    CLOCK = 3           # cycles since reset
    BUS_DATA = 4        # what the host writes
    BUS_ADDRESS = 5     # bits 9:0 word address, 10 all bytes are written, 12:11 last AXI answer


class Operation(enum.Enum):
    """What is neither a branch nor a function. C, in six bits, counts some of them."""

    NOP = 0
    COUNT = 1           # C = n
    COUNT_REGISTER = 2  # C = R
    INDEX = 3           # X = A
    NEXT_INDEX = 4      # X = X + 1
    LOW = 5             # M = A
    FORGET = 6          # no bit was shifted out
    MULTIPLY = 7        # C times: {A, M} = {A + (M & 1) * R, M} >> 1, signed
    MULTIPLY_UNSIGNED = 8
    SHIFT = 9           # C times: {A, M} = {A, M} >> 1, signed; A's last bit is the one shifted out
    SHIFT_LONG = 10     # the same, but it is M's
    POINTER = 11        # P = A
    READ_BYTES = 12     # C (up to 4) bytes from P on into T, from its top; P moves on
    WRITE_BYTES = 13    # C bytes of T, from its bottom, to P; P moves on
    SHIFTER = 14        # T = A
    ROTATE = 15         # C times: T by a byte to the right, and its strobes
    VECTOR = 16         # P = P + R; a vector from there into the array, see engine
    ROW = 17            # Q = A
    NEXT_ROW = 18       # Q = Q + 1
    STORE_ROW = 19      # the word at Q = A; Q = Q + 1
    TILE = 20           # W = A
    WEIGHTS = 21        # C = 4 times: a line at W into the array; W = W + 1
    MODE = 22           # see engine.MODE
    TAP = 23            # which line the next depthwise VECTOR is for: R
    ADDRESS = 24        # address on m_axi = A, bits 1:0 are left out
    READ = 25           # ask for a beat
    TAKE_BEAT = 26      # T = the beat
    WRITE = 27          # write T with its strobes
    TAKE_ANSWER = 28    # the answer to the write
    ACKNOWLEDGE = 29    # the host's write is done; n = 1: refused
    INTERRUPT = 30      # irq = A is not 0
    EVENT = 31          # n says which of the ports o_queued, o_handed, o_done; A is the unit


READS_REGISTER = frozenset({
    Operation.COUNT_REGISTER, Operation.MULTIPLY, Operation.MULTIPLY_UNSIGNED, Operation.VECTOR,
    Operation.TAP,
})
