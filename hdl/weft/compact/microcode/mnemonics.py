"""The assembler with a word for everything that the microprogram says often."""

from ..assembler import Assembler
from ..microinstruction import Condition, Function, Operation

__all__ = ["Code"]

_BYTES = (None, Function.BYTES1, Function.BYTES2, Function.BYTES3)


class Code(Assembler):
    """An assembler with a method a function, and the branches that follow them.

    Attributes
    ----------
    config : :class:`weft.spec.config.Config`
        What the program is for.
    """

    def __init__(self, config):
        super().__init__()
        self.config = config

    def load(self, operand):
        """A = R."""
        self.function(Function.LOAD, operand)

    def store(self, *operands):
        """R = A, for each of them."""
        for operand in operands:
            self.function(Function.STORE, operand)

    def add(self, operand):
        """A = A + R."""
        self.function(Function.ADD, operand)

    def add_to(self, operand):
        """R = A + R, and A."""
        self.function(Function.ADD, operand, "AR")

    def sub(self, operand):
        """A = A - R."""
        self.function(Function.SUB, operand)

    def increment(self, operand):
        """R = R + 1, and A."""
        self.function(Function.INC, operand, "AR")

    def decrement(self, operand):
        """R = R - 1, and A."""
        self.function(Function.DEC, operand, "AR")

    def less_one(self, operand):
        """A = R - 1."""
        self.function(Function.DEC, operand)

    def and_(self, operand):
        """A = A & R."""
        self.function(Function.AND, operand)

    def or_(self, operand):
        """A = A | R."""
        self.function(Function.OR, operand)

    def xor(self, operand):
        """A = A ^ R."""
        self.function(Function.XOR, operand)

    def down(self, count, operand=0):
        """A = {R, A} >> 8 * count."""
        self.function(_BYTES[count], operand)

    def double(self, times=1):
        """A = A * 2 ** times."""
        for _ in range(times):
            self.function(Function.DOUBLE, 0)

    def take(self, source):
        """A = a word from outside."""
        self.function(Function.TAKE, source)

    def round(self):
        """A = A + the bit that was shifted out last."""
        self.function(Function.ROUND, 0)

    def round_away(self):
        """A = A + that bit, but half of a negative number away from zero."""
        self.function(Function.ROUND_AWAY, 0)

    def copy(self, source, *targets):
        """R = another R."""
        self.load(source)
        self.store(*targets)

    # -- branches ------------------------------------------------------------------------------

    def go(self, label, slot=None):
        """Go on at ``label``."""
        self.branch(Condition.ALWAYS, label, slot)

    def zero(self, label, slot=None):
        """Go to ``label`` if A is 0."""
        self.branch(Condition.ZERO, label, slot)

    def nonzero(self, label, slot=None):
        """Go to ``label`` if A is not 0."""
        self.branch(Condition.NONZERO, label, slot)

    def negative(self, label):
        """Go to ``label`` if A is below 0."""
        self.branch(Condition.NEGATIVE, label)

    def positive(self, label):
        """Go to ``label`` if A is at least 0."""
        self.branch(Condition.POSITIVE, label)

    def carry(self, label):
        """Go to ``label`` if the sum had a carry, or the difference no borrow."""
        self.branch(Condition.CARRY, label)

    def no_carry(self, label):
        """Go to ``label`` if the sum had no carry, or the difference a borrow."""
        self.branch(Condition.NO_CARRY, label)

    def less(self, label):
        """Go to ``label`` if the difference is below 0."""
        self.branch(Condition.LESS, label)

    def not_less(self, label):
        """Go to ``label`` if the difference is at least 0."""
        self.branch(Condition.NOT_LESS, label)

    def call(self, label, slot=None):
        """Go to ``label``, and on from here at its :meth:`back`."""
        self.branch(Condition.CALL, label, slot)

    def back(self, slot=None):
        """Go to behind the call."""
        self.branch(Condition.RETURN, slot=slot)

    def poll(self):
        """Serve a host that wants to write a register; A and X are lost."""
        self.branch(Condition.POLL, "serve")

    def pointer(self):
        """P = A."""
        self.do(Operation.POINTER)

    def zeros(self, first, last):
        """Registers ``first`` to ``last`` become 0; A is 0, and X is lost."""
        low, high = self.register(first), self.register(last)
        self.load(low)
        self.do(Operation.INDEX)
        self.load(high - low + 1)
        self.call("zeros")

    def write_byte(self):
        """The byte at P = A; P moves on."""
        self.do(Operation.SHIFTER)
        self.count(1, Operation.WRITE_BYTES)
