"""Pieces of logic that blocks of all kinds share."""

from amaranth.hdl import Const, Module, Mux, ResetInserter, Signal

__all__ = ["choose", "reset_in_turn"]


def choose(choices):
    """The value whose condition holds, of ``(condition, value)`` with at most one that does;
    or else zero."""
    result = Const(0, 1)
    for condition, value in choices:
        result = result | Mux(condition, value, 0)
    return result


def reset_in_turn(m: Module, clear, parts):
    """Adds ``parts``, pairs of name and component, to ``m``; ``clear`` resets them.

    One a cycle after the other, out of a register each, which reaches less far than one for all.
    Returns the register of the last.
    """
    for name, part in parts:
        before, clear = clear, Signal(name=f"clear_{name}")
        m.d.sync += clear.eq(before)
        m.submodules[name] = ResetInserter(clear)(part)
    return clear
