"""Turns calls into microinstructions: labels, registers, constants, and what must wait."""

import contextlib
import dataclasses

from ..spec import register_map
from .microinstruction import (
    ADDRESS_BITS,
    AT_X,
    READS_REGISTER,
    REGISTERS,
    SMALL_BITS,
    Condition,
    Function,
    Operation,
    Source,
)

__all__ = ["INDEXED", "Assembler", "Line"]

INDEXED = "@X"
"""The operand that stands for the register that X names."""

_HOST = {register.offset >> 2 for register in register_map.REGISTERS}
_HOST_END = max(_HOST) + 1
_SETS_INDEX = (Operation.INDEX, Operation.NEXT_INDEX)
_UNCONDITIONAL = (Condition.ALWAYS, Condition.CALL, Condition.RETURN)
_WAITS_ON_BUS = (Condition.READ_VALID, Condition.WRITE_VALID, Condition.WRITE_WAITS)
_SETS_CARRY = (Function.ADD, Function.SUB, Function.INC, Function.DEC)
_NO_FLAGS = (Function.STORE,)
_SETS_A = (Operation.MULTIPLY, Operation.MULTIPLY_UNSIGNED, Operation.SHIFT,
           Operation.SHIFT_LONG)
_SETS_ROW = (Operation.ROW, Operation.NEXT_ROW, Operation.STORE_ROW)


@dataclasses.dataclass(frozen=True)
class Line:
    """One microinstruction.

    Attributes
    ----------
    kind : :class:`Function`, :class:`Operation` or :class:`Condition`
    operand : :class:`int`
        Register number or small number.
    to_a, to_register : :class:`bool`
        Where the result of a function goes.
    target : :class:`str`
        The label that a branch goes to.
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
    def reads(self):
        """The register that it reads, or ``None``."""
        if isinstance(self.kind, Function):
            alone = (Function.STORE, Function.TAKE, Function.ROUND, Function.ROUND_AWAY,
                     Function.DOUBLE)
            return None if self.immediate or self.kind in alone else self.operand
        return self.operand if self.kind in READS_REGISTER else None

    def needs_wait(self, after):
        """Whether it must not come directly behind the line ``after``.

        A register is read a cycle before its line is executed, and so is the word at Q.
        """
        mine = (self.operand,) if self.to_register else ()
        if self.reads is not None:
            mine += (self.reads,)
            if after.to_register and (after.operand == self.reads or AT_X in (
                    after.operand, self.reads)):
                return True
        if AT_X in mine and after.kind in _SETS_INDEX:
            return True
        takes_row = self.kind is Function.TAKE and self.operand == Source.ACCUMULATOR.value
        return takes_row and after.kind in _SETS_ROW


_NOP = Line(Operation.NOP)


class Assembler:
    """Collects a microprogram.

    Operands are names or numbers: a name is a register, of the host's register map or a variable
    that is made now; a number is part of the line, or a constant in a register of its own.
    Variables that are made within :meth:`scope` last as long as that.

    Attributes
    ----------
    lines : list of :class:`Line`
    labels : dict of :class:`str` to :class:`int`
    ends : set of :class:`str`
        Labels at which A and all variables but those in ``kept`` do not matter.
    kept : set of :class:`str`

    Raises
    ------
    ValueError
        If a label is unknown or used twice, or registers or words do not suffice.
    """

    def __init__(self):
        self.lines = []
        self.labels = {}
        self.ends = set()
        self.kept = set()
        self._numbers = {}
        self._names = {register.name: register.offset >> 2 for register in register_map.REGISTERS}
        self._names[INDEXED] = AT_X
        # holes in the register map, which a host cannot read, are for variables
        self._holes = [number for number in range(_HOST_END) if number not in _HOST]
        self._free = list(range(_HOST_END, AT_X))
        self._local = []        # registers that other scopes have had
        self._shared = []
        self._fresh = 0

    # -- registers ---------------------------------------------------------------------------

    def neighbours(self, *names):
        """Make variables that follow each other; the number of the first."""
        if len(self._free) < len(names):
            raise ValueError(f"no {len(names)} registers are left for {names[0]}")
        numbers = self._free[:len(names)]
        del self._free[:len(names)]
        self._names.update(zip(names, numbers))
        return numbers[0]

    def array(self, name, count):
        """Make the variables ``name0``, ``name1`` and so on; the number of the first."""
        return self.neighbours(*(f"{name}{place}" for place in range(count)))

    def register(self, operand):
        """The number of the register that an operand stands for."""
        if isinstance(operand, str):
            if operand in self._names:
                return self._names[operand]
            free = self._local or self._holes or self._free
            if not free:
                raise ValueError(f"no register is left for {operand}")
            self._names[operand] = free.pop(0)
            return self._names[operand]
        value = operand & 0xFFFFFFFF
        if value not in self._numbers:
            if not self._free:
                raise ValueError(f"no register is left for the constant {value:#x}")
            self._numbers[value] = self._free.pop()
        return self._numbers[value]

    def contents(self):
        """What the registers hold at power-on: constants, and 0."""
        words = [0] * REGISTERS
        for value, number in self._numbers.items():
            words[number] = value
        return words

    @contextlib.contextmanager
    def scope(self):
        """Variables that are made within are forgotten; their registers serve other scopes."""
        names, local = dict(self._names), self._local
        self._local = list(self._shared)
        yield
        made = [number for name, number in self._names.items() if name not in names]
        self._shared += [number for number in made if number not in self._shared]
        self._names, self._local = names, local

    # -- lines ---------------------------------------------------------------------------------

    def _emit(self, line):
        if self.lines and line.needs_wait(self.lines[-1]):
            self.lines.append(_NOP)
        self.lines.append(line)

    def label(self, name):
        """The next line is called ``name``."""
        if name in self.labels:
            raise ValueError(f"label {name} is used twice")
        self.labels[name] = len(self.lines)

    def fresh(self, name):
        """A label that is used nowhere else."""
        self._fresh += 1
        return f"{name}.{self._fresh}"

    def function(self, kind, operand, to=None):
        """``to`` is ``"A"`` (the default), ``"R"`` or ``"AR"``."""
        to = to or ("R" if kind is Function.STORE else "A")
        if isinstance(operand, int) and kind is not Function.TAKE:
            value = (operand + (1 << 31) & 0xFFFFFFFF) - (1 << 31)
            if -(1 << SMALL_BITS - 1) <= value < 1 << SMALL_BITS - 1:
                self._emit(Line(kind, value, True, immediate=True))
                return
        number = operand.value if kind is Function.TAKE else self.register(operand)
        self._emit(Line(kind, number, "A" in to, "R" in to))

    def do(self, operation, operand=0):
        """An operation; its operand is a register if it reads one."""
        number = self.register(operand) if operation in READS_REGISTER else int(operand)
        self._emit(Line(operation, number))

    def count(self, number, operation, operand=0):
        """``number`` times the operation; that is a number or a register's name."""
        if isinstance(number, int):
            self.do(Operation.COUNT, number)
        else:
            self.do(Operation.COUNT_REGISTER, number)
        self.do(operation, operand)

    def branch(self, condition, target="", slot=None):
        """A branch and what is executed behind it in any case: a call without arguments."""
        self._emit(Line(condition, target=target))
        if slot is None:
            self.lines.append(_NOP)
            return
        before = len(self.lines)
        slot()
        if len(self.lines) != before + 1:
            raise ValueError(f"behind the branch to {target} there is place for one line")

    # -- the program ---------------------------------------------------------------------------

    def _fill_slots(self):
        """Move lines from before branches to the empty places behind them, where that is the same.

        Words that are left over go, so labels move.
        """
        lines, labels = self.lines, set(self.labels.values())
        kept: list[Line] = []
        place_of = {}
        place = 0
        while place < len(lines):
            place_of[place] = len(kept)
            line = lines[place]
            slot = lines[place + 1] if isinstance(line.kind, Condition) else None
            if slot == _NOP and place not in labels and place + 1 not in labels and kept \
                    and self._may_follow(kept, line, place):
                kept[-1:] = [line, kept[-1]]
                place_of[place + 1] = len(kept) - 1
                place += 2
                continue
            kept.append(line)
            if slot == _NOP and place + 1 not in labels and self._harmless(line, place, labels):
                place_of[place + 1] = len(kept)
                place += 1              # what follows is the better one
            place += 1
        place_of[len(lines)] = len(kept)
        self.lines = kept
        self.labels = {name: place_of[at] for name, at in self.labels.items()}

    def _harmless(self, branch, place, labels):
        """Whether the line behind the branch's empty place may be executed if it is taken, too."""
        if branch.kind in (*_UNCONDITIONAL, Condition.POLL) or place + 2 in labels \
                or place + 2 >= len(self.lines):
            return False
        line, target = self.lines[place + 2], self.lines[self._place(branch.target)]
        if not isinstance(line.kind, Function) or target.needs_wait(line):
            return False
        if branch.target in self.ends:          # errors: nothing of the instruction matters
            return not line.to_register or line.operand not in self._kept_numbers()
        forgets = target.kind in (Function.LOAD, Function.TAKE) and target.to_a
        return forgets and not line.to_register and line.kind not in _SETS_CARRY

    def _kept_numbers(self):
        return {AT_X, *(self.register(name) for name in self.kept)}

    def _may_follow(self, kept, branch, place):
        """Whether the last line may be executed behind the branch at ``place``."""
        line = kept[-1]
        if isinstance(line.kind, Condition) or line == _NOP:
            return False
        if len(kept) > 1 and isinstance(kept[-2].kind, Condition):
            return False                        # it is behind a branch already
        if len(kept) > 1 and branch.needs_wait(kept[-2]):
            return False
        if branch.kind not in (*_UNCONDITIONAL, Condition.POLL):
            if isinstance(line.kind, Function) and line.kind not in _NO_FLAGS or line.to_a:
                return False
            if not isinstance(line.kind, Function) and line.kind in _SETS_A:
                return False
            if branch.kind in _WAITS_ON_BUS:
                return False
        if branch.kind is Condition.RETURN:     # to what follows any of the calls
            followers = [self.lines[at + 2] for at, other in enumerate(self.lines)
                         if other.kind in (Condition.CALL, Condition.POLL)
                         and isinstance(other.kind, Condition)]
        else:
            followers = [self.lines[self._place(branch.target)]]
        if branch.kind not in (Condition.ALWAYS, Condition.RETURN) and place + 2 < len(self.lines):
            followers.append(self.lines[place + 2])
        return not any(follower.needs_wait(line) for follower in followers)

    def _check_slots(self):
        for place, line in enumerate(self.lines):
            if not isinstance(line.kind, Condition) or line.kind is Condition.RETURN:
                continue
            slot, target = self.lines[place + 1], self.lines[self._place(line.target)]
            if target.needs_wait(slot):
                raise ValueError(f"{line.target} begins with a line that must wait for the one "
                                 f"behind word {place}, a branch to it")

    def _place(self, label):
        if label not in self.labels:
            raise ValueError(f"there is no label {label}")
        return self.labels[label]

    def words(self):
        """The microprogram as a list of numbers."""
        self._fill_slots()
        self._check_slots()
        if len(self.lines) > 1 << ADDRESS_BITS:
            raise ValueError(f"the microprogram has {len(self.lines)} words, there is room for "
                             f"{1 << ADDRESS_BITS}")
        found = []
        for line in self.lines:
            if isinstance(line.kind, Condition):
                target = self._place(line.target) if line.target else 0
                found.append(1 << 15 | line.kind.value << ADDRESS_BITS | target)
            elif line.immediate:
                found.append(0b11 << 13 | line.kind.value << SMALL_BITS
                             | line.operand & (1 << SMALL_BITS) - 1)
            elif isinstance(line.kind, Function):
                found.append(line.kind.value << 10 | line.to_a << 9 | line.to_register << 8
                             | line.operand)
            else:
                found.append(1 << 14 | line.kind.value << 8 | line.operand)
        return found
