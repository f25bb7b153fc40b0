"""Assembler of the serial engine's microprogram: labels, registers, constants and hazards."""

import contextlib

from ..spec import register_map
from .delay_slots import DelaySlots
from .microinstruction import (
    ADDRESS_BITS,
    IMMEDIATE_BITS,
    INDEXED_REGISTER,
    NOP,
    READS_REGISTER,
    REGISTERS,
    Function,
    Microinstruction,
    Operation,
)

__all__ = ["INDEXED", "Assembler"]

INDEXED = "@X"
"""Operand that stands for the register whose number is in X."""

_HOST_REGISTERS = {register.offset >> 2 for register in register_map.REGISTERS}
_HOST_REGISTERS_END = max(_HOST_REGISTERS) + 1


class Assembler:
    """Collector of a microprogram, one method call per microinstruction.

    An operand is a name or a number. A name denotes a register of the host's register map, or a
    variable, to which a register is allocated at its first use. A number is stored in the
    microinstruction if it is small enough, and otherwise in a register as a constant. A variable
    that is allocated within :meth:`scope` exists until the end of that scope.

    Attributes
    ----------
    program : list of :class:`~weft.compact.microinstruction.Microinstruction`
        Microinstructions emitted so far.
    labels : dict of :class:`str` to :class:`int`
        Address of each label.
    exits : set of :class:`str`
        Labels at which A and all variables except ``live_at_exit`` are dead.
    live_at_exit : set of :class:`str`
        Names of variables and registers.

    Raises
    ------
    ValueError
        If a label is undefined or defined twice, or if the registers or words are exhausted.
    """

    def __init__(self):
        self.program = []
        self.labels = {}
        self.exits = set()
        self.live_at_exit = set()
        self._constants = {}
        self._names = {register.name: register.offset >> 2 for register in register_map.REGISTERS}
        self._names[INDEXED] = INDEXED_REGISTER
        # variables also use the gaps in the register map, which a host cannot read
        self._gaps = [number for number in range(_HOST_REGISTERS_END)
                      if number not in _HOST_REGISTERS]
        self._free = list(range(_HOST_REGISTERS_END, INDEXED_REGISTER))
        self._scope_free = []       # registers of earlier scopes that this scope has not used yet
        self._scope_registers = []  # all registers that scopes have used

    # -- registers -----------------------------------------------------------------------------

    def consecutive(self, *names):
        """Allocate variables in consecutive registers and return the first register's number."""
        if len(self._free) < len(names):
            raise ValueError(f"{names[0]} needs {len(names)} consecutive registers, but only "
                             f"{len(self._free)} are left")
        numbers = self._free[:len(names)]
        del self._free[:len(names)]
        self._names.update(zip(names, numbers))
        return numbers[0]

    def array(self, name, count):
        """Allocate ``count`` variables ``name0``, ``name1``, ... in consecutive registers.

        Return the number of the first register.
        """
        return self.consecutive(*(f"{name}{index}" for index in range(count)))

    def register(self, operand):
        """Return the number of an operand's register, and allocate the register if needed."""
        if isinstance(operand, str):
            if operand in self._names:
                return self._names[operand]
            free = self._scope_free or self._gaps or self._free
            if not free:
                raise ValueError(f"no register is left for {operand}")
            self._names[operand] = free.pop(0)
            return self._names[operand]
        value = operand & 0xFFFFFFFF
        if value not in self._constants:
            if not self._free:
                raise ValueError(f"no register is left for the constant {value:#x}")
            self._constants[value] = self._free.pop()
        return self._constants[value]

    def initial_registers(self):
        """Return the contents of all registers at power-up: the constants, and 0 elsewhere."""
        words = [0] * REGISTERS
        for value, number in self._constants.items():
            words[number] = value
        return words

    @contextlib.contextmanager
    def scope(self):
        """Return a context in which new variables are local.

        At its end, their names are removed, and other scopes may use their registers.
        """
        names, scope_free = dict(self._names), self._scope_free
        self._scope_free = list(self._scope_registers)
        yield
        allocated = [number for name, number in self._names.items() if name not in names]
        self._scope_registers += [number for number in allocated
                                  if number not in self._scope_registers]
        self._names, self._scope_free = names, scope_free

    # -- microinstructions ---------------------------------------------------------------------

    def _emit(self, instruction):
        if self.program and instruction.has_hazard_after(self.program[-1]):
            self.program.append(NOP)
        self.program.append(instruction)

    def label(self, name):
        """Define label ``name`` at the address of the next microinstruction."""
        if name in self.labels:
            raise ValueError(f"label {name} is defined twice")
        self.labels[name] = len(self.program)

    def function(self, kind, operand, to=None):
        """Emit a function of A and the operand R.

        ``to`` selects the destination of the result: ``"A"``, ``"R"`` or both, ``"AR"``. The
        default is ``"A"``, and ``"R"`` for STORE.
        """
        to = to or ("R" if kind is Function.STORE else "A")
        if isinstance(operand, int) and kind is not Function.READ_SOURCE:
            value = (operand + (1 << 31) & 0xFFFFFFFF) - (1 << 31)
            if -(1 << IMMEDIATE_BITS - 1) <= value < 1 << IMMEDIATE_BITS - 1:
                self._emit(Microinstruction(kind, value, True, immediate=True))
                return
        number = operand.value if kind is Function.READ_SOURCE else self.register(operand)
        self._emit(Microinstruction(kind, number, "A" in to, "R" in to))

    def do(self, operation, operand=0):
        """Emit an operation. Its operand is a register if it reads one, and otherwise a number."""
        number = self.register(operand) if operation in READS_REGISTER else int(operand)
        self._emit(Microinstruction(operation, number))

    def repeat(self, count, operation, operand=0):
        """Emit C = ``count``, a number or the name of a register, and an operation that uses C."""
        if isinstance(count, int):
            self.do(Operation.SET_COUNT, count)
        else:
            self.do(Operation.SET_COUNT_FROM_REGISTER, count)
        self.do(operation, operand)

    def branch(self, condition, target="", slot=None):
        """Emit a branch and its delay slot: a NOP, or the microinstruction that ``slot`` emits.

        Parameters
        ----------
        condition : :class:`~weft.compact.microinstruction.Condition`
            Condition under which the branch is taken.
        target : :class:`str`
            Label of the target.
        slot : callable, optional
            Function that emits exactly one microinstruction.
        """
        self._emit(Microinstruction(condition, target=target))
        if slot is None:
            self.program.append(NOP)
            return
        before = len(self.program)
        slot()
        if len(self.program) != before + 1:
            raise ValueError(f"the delay slot of the branch to {target} must contain exactly one "
                             "microinstruction")

    # -- the program ---------------------------------------------------------------------------

    def words(self):
        """Optimise the delay slots, check the microprogram and return its 16-bit words."""
        slots = DelaySlots(self.program, self.labels, exits=self.exits,
                           live_at_exit={self.register(name) for name in self.live_at_exit})
        slots.fill()
        slots.check()
        self.program, self.labels = slots.program, slots.labels
        if len(self.program) > 1 << ADDRESS_BITS:
            raise ValueError(f"the microprogram has {len(self.program)} words, but the "
                             f"memory has room for {1 << ADDRESS_BITS}")
        return [instruction.encode(slots.address(instruction.target) if instruction.target else 0)
                for instruction in self.program]
