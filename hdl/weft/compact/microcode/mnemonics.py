"""Assembler with a method for each function, branch and frequent sequence."""

from ..assembler import Assembler
from ..microinstruction import Condition, Function, Operation, Source

__all__ = ["Mnemonics"]

_SHIFT_BYTES = (None, Function.SHIFT_BYTES1, Function.SHIFT_BYTES2, Function.SHIFT_BYTES3)


class Mnemonics(Assembler):
    """Assembler with a method for each function, branch and frequent sequence.

    In the docstrings, A is the accumulator, and R the register or number that ``operand`` denotes.

    Attributes
    ----------
    config : :class:`weft.spec.config.Config`
        Configuration of the engine that executes the microprogram.
    """

    def __init__(self, config):
        super().__init__()
        self.config = config

    def load(self, operand):
        """Emit A = R."""
        self.function(Function.LOAD, operand)

    def store(self, *operands):
        """Emit R = A for each operand."""
        for operand in operands:
            self.function(Function.STORE, operand)

    def add(self, operand):
        """Emit A = A + R."""
        self.function(Function.ADD, operand)

    def add_to(self, operand):
        """Emit A = R = A + R."""
        self.function(Function.ADD, operand, "AR")

    def sub(self, operand):
        """Emit A = A - R."""
        self.function(Function.SUB, operand)

    def increment(self, operand):
        """Emit A = R = R + 1."""
        self.function(Function.INC, operand, "AR")

    def decrement(self, operand):
        """Emit A = R = R - 1."""
        self.function(Function.DEC, operand, "AR")

    def less_one(self, operand):
        """Emit A = R - 1."""
        self.function(Function.DEC, operand)

    def and_(self, operand):
        """Emit A = A & R."""
        self.function(Function.AND, operand)

    def or_(self, operand):
        """Emit A = A | R."""
        self.function(Function.OR, operand)

    def xor(self, operand):
        """Emit A = A ^ R."""
        self.function(Function.XOR, operand)

    def shift_bytes(self, count, operand=0):
        """Emit A = {R, A} >> (8 * count), for a count from 1 to 3."""
        self.function(_SHIFT_BYTES[count], operand)

    def double(self, times=1):
        """Emit A = A * 2 ** times."""
        for _ in range(times):
            self.function(Function.DOUBLE, 0)

    def read_source(self, source):
        """Emit A = the word that ``source`` selects, a :class:`Source`."""
        self.function(Function.READ_SOURCE, source)

    def round(self):
        """Emit A = A + the bit that was shifted out last."""
        self.function(Function.ROUND, 0)

    def round_away(self):
        """Emit A = A + the bit that was shifted out last; negative ties round away from zero."""
        self.function(Function.ROUND_AWAY, 0)

    def copy(self, source, *targets):
        """Emit the copy of a register or number to other registers, and to A."""
        self.load(source)
        self.store(*targets)

    # -- branches ------------------------------------------------------------------------------

    def go(self, label, slot=None):
        """Emit a branch to ``label``; for ``slot`` see :meth:`Assembler.branch`."""
        self.branch(Condition.ALWAYS, label, slot)

    def zero(self, label, slot=None):
        """Emit a branch that is taken if A is 0."""
        self.branch(Condition.ZERO, label, slot)

    def nonzero(self, label, slot=None):
        """Emit a branch that is taken if A is not 0."""
        self.branch(Condition.NONZERO, label, slot)

    def negative(self, label):
        """Emit a branch that is taken if A is negative."""
        self.branch(Condition.NEGATIVE, label)

    def positive(self, label):
        """Emit a branch that is taken if A is not negative."""
        self.branch(Condition.POSITIVE, label)

    def carry(self, label):
        """Emit a branch that is taken after a sum with carry, or a difference without borrow."""
        self.branch(Condition.CARRY, label)

    def no_carry(self, label):
        """Emit a branch that is taken after a sum without carry, or a difference with borrow."""
        self.branch(Condition.NO_CARRY, label)

    def less(self, label):
        """Emit a branch that is taken if the last signed difference is negative."""
        self.branch(Condition.LESS, label)

    def not_less(self, label):
        """Emit a branch that is taken if the last signed difference is at least 0."""
        self.branch(Condition.NOT_LESS, label)

    def call(self, label, slot=None):
        """Emit a subroutine call; :meth:`back` returns to the next microinstruction."""
        self.branch(Condition.CALL, label, slot)

    def back(self, slot=None):
        """Emit the return from a subroutine."""
        self.branch(Condition.RETURN, slot=slot)

    def poll(self):
        """Emit the service of a register write of the host, if one is pending.

        The service overwrites A and X.
        """
        self.branch(Condition.POLL, "serve")

    # -- sequences -----------------------------------------------------------------------------

    def pointer(self):
        """Emit P = A."""
        self.do(Operation.SET_POINTER)

    def zeros(self, first, last):
        """Emit the clearing of registers ``first`` to ``last``; A becomes 0, X is overwritten."""
        low, high = self.register(first), self.register(last)
        self.load(low)
        self.do(Operation.SET_INDEX)
        self.load(high - low + 1)
        self.call("zeros")

    def multiply_pitch(self, overflow):
        """Emit A = A * ``pitch``, and a branch to ``overflow`` if this exceeds 32 bits."""
        self.do(Operation.SET_LOW)
        self.load(0)
        self.repeat(32, Operation.MULTIPLY_UNSIGNED, "pitch")
        self.nonzero(overflow)
        self.read_source(Source.LOW)

    def write_byte(self):
        """Emit the write of A, bits 0 to 7, to the byte at P; P advances."""
        self.do(Operation.SET_SHIFTER)
        self.repeat(1, Operation.WRITE_BYTES)
