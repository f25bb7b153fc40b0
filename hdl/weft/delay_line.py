"""Delay line for signals."""

import contextlib

from amaranth.hdl import Module, Signal

__all__ = ["delay_line"]


def delay_line(m: Module, name, cycles, *signals, advance=None):
    """Add registers to ``m`` and return ``signals`` delayed by ``cycles`` cycles.

    Parameters
    ----------
    name : :class:`str`
        Prefix of the names of the registers.
    cycles : :class:`int`
        Delay in cycles. With 0, the function returns the signals themselves.
    signals : value
        Signals to delay.
    advance : 1 bit or :class:`None`
        Clock enable of all registers. With ``None``, they load in every cycle.
    """
    for cycle in range(cycles):
        previous = signals
        signals = tuple(Signal(len(signal), name=f"{name}_delay{cycle}_{index}")
                        for index, signal in enumerate(previous))
        with contextlib.nullcontext() if advance is None else m.If(advance):
            m.d.sync += [register.eq(signal) for register, signal in zip(signals, previous)]
    return signals
