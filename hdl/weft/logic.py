"""Pieces of logic that blocks of all kinds share."""

import contextlib

from amaranth.hdl import Const, Module, Mux, ResetInserter, Signal

__all__ = ["choose", "delayed", "reset_in_turn"]


def choose(choices):
    """The value whose condition holds, of ``(condition, value)`` with at most one that does;
    or else zero."""
    result = Const(0, 1)
    for condition, value in choices:
        result = result | Mux(condition, value, 0)
    return result


def delayed(m: Module, name, cycles, *signals, advance=None):
    """Return ``signals`` behind ``cycles`` registers each, as a sequence.

    Parameters
    ----------
    name : :class:`str`
        Prefix of the names of the registers.
    cycles : :class:`int`
        Length of the delay; 0 returns the signals themselves.
    advance : 1 bit or :class:`None`
        Clock enable of all registers. ``None`` means that they load in every cycle.
    """
    for cycle in range(cycles):
        previous = signals
        signals = [Signal(len(signal), name=f"{name}_delay{cycle}_{index}")
                   for index, signal in enumerate(previous)]
        with contextlib.nullcontext() if advance is None else m.If(advance):
            m.d.sync += [register.eq(signal) for register, signal in zip(signals, previous)]
    return signals


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
