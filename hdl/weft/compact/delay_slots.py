"""Optimiser and checker of the delay slots of branches in a microprogram."""

from .microinstruction import INDEXED_REGISTER, NOP, Condition, Function, Operation

__all__ = ["DelaySlots"]

_UNCONDITIONAL = (Condition.ALWAYS, Condition.CALL, Condition.RETURN)
_TESTS_BUS = (Condition.READ_VALID, Condition.WRITE_VALID, Condition.WRITE_PENDING)
_SETS_CARRY = (Function.ADD, Function.SUB, Function.INC, Function.DEC)
_SETS_NO_FLAGS = (Function.STORE,)
_SETS_A = (Operation.MULTIPLY, Operation.MULTIPLY_UNSIGNED, Operation.SHIFT,
           Operation.SHIFT_LONG)


class DelaySlots:
    """Optimiser that eliminates the NOPs in delay slots where the effect remains the same.

    The microinstruction before a branch moves into its slot; or the NOP is removed, so that the
    microinstruction after it becomes the slot.

    Parameters
    ----------
    program : list of :class:`~weft.compact.microinstruction.Microinstruction`
        Microprogram in which every branch is followed by its delay slot.
    labels : dict of :class:`str` to :class:`int`
        Address of each label.
    exits : set of :class:`str`
        Labels at which A and all registers except ``live_at_exit`` are dead.
    live_at_exit : set of :class:`int`
        Numbers of the registers that are live at the exits.

    Attributes
    ----------
    program, labels
        The arguments, and after :meth:`fill` the optimised microprogram and its labels.

    Raises
    ------
    ValueError
        If the label of a branch is not defined.
    """

    def __init__(self, program, labels, *, exits, live_at_exit):
        self.program = program
        self.labels = labels
        self._exits = exits
        self._live_at_exit = live_at_exit | {INDEXED_REGISTER}

    def address(self, label):
        """Return the address of a label."""
        if label not in self.labels:
            raise ValueError(f"label {label} is not defined")
        return self.labels[label]

    def fill(self):
        """Fill or remove the delay slots that contain a NOP, and relocate the labels."""
        program, targets = self.program, set(self.labels.values())
        kept: list = []
        relocated = {}
        address = 0
        while address < len(program):
            relocated[address] = len(kept)
            instruction = program[address]
            slot = program[address + 1] if isinstance(instruction.kind, Condition) else None
            if slot == NOP and address not in targets and address + 1 not in targets and kept \
                    and self._may_fill_slot(kept, instruction, address):
                kept[-1:] = [instruction, kept[-1]]
                relocated[address + 1] = len(kept) - 1
                address += 2
                continue
            kept.append(instruction)
            if slot == NOP and address + 1 not in targets \
                    and self._next_is_harmless(instruction, address, targets):
                relocated[address + 1] = len(kept)
                address += 1            # omit the NOP
            address += 1
        relocated[len(program)] = len(kept)
        self.program = kept
        self.labels = {name: relocated[address] for name, address in self.labels.items()}

    def _next_is_harmless(self, branch, address, targets):
        """Return whether the word after the NOP may become the delay slot of ``branch``.

        It is then also executed if the branch is taken.
        """
        if branch.kind in (*_UNCONDITIONAL, Condition.POLL) or address + 2 in targets \
                or address + 2 >= len(self.program):
            return False
        following, target = self.program[address + 2], self.program[self.address(branch.target)]
        if not isinstance(following.kind, Function) or target.has_hazard_after(following):
            return False
        if branch.target in self._exits:
            return not following.to_register or following.operand not in self._live_at_exit
        overwrites_a = target.kind in (Function.LOAD, Function.READ_SOURCE) and target.to_a
        return overwrites_a and not following.to_register and following.kind not in _SETS_CARRY

    def _may_fill_slot(self, kept, branch, address):
        """Return whether the last word of ``kept`` may become the delay slot of ``branch``."""
        candidate = kept[-1]
        if isinstance(candidate.kind, Condition) or candidate == NOP:
            return False
        if len(kept) > 1 and isinstance(kept[-2].kind, Condition):
            return False                        # the candidate is in a delay slot itself
        if len(kept) > 1 and branch.has_hazard_after(kept[-2]):
            return False
        if branch.kind not in (*_UNCONDITIONAL, Condition.POLL):
            if isinstance(candidate.kind, Function) and candidate.kind not in _SETS_NO_FLAGS \
                    or candidate.to_a:
                return False
            if not isinstance(candidate.kind, Function) and candidate.kind in _SETS_A:
                return False
            if branch.kind in _TESTS_BUS:
                return False
        if branch.kind is Condition.RETURN:     # the word after any call may be next
            successors = [self.program[at + 2] for at, other in enumerate(self.program)
                          if other.kind in (Condition.CALL, Condition.POLL)
                          and isinstance(other.kind, Condition)]
        else:
            successors = [self.program[self.address(branch.target)]]
        if branch.kind not in (Condition.ALWAYS, Condition.RETURN) \
                and address + 2 < len(self.program):
            successors.append(self.program[address + 2])
        return not any(successor.has_hazard_after(candidate) for successor in successors)

    def check(self):
        """Check that no branch target has a hazard with the delay slot of a branch to it.

        Raises
        ------
        ValueError
            If there is such a hazard.
        """
        for address, instruction in enumerate(self.program):
            if not isinstance(instruction.kind, Condition) or instruction.kind is Condition.RETURN:
                continue
            slot, target = self.program[address + 1], self.program[self.address(instruction.target)]
            if target.has_hazard_after(slot):
                raise ValueError(f"the first microinstruction of {instruction.target} has a hazard "
                                 f"with the delay slot of the branch in word {address}; put a "
                                 "microinstruction that reads no register first")
