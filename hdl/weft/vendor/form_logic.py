"""Logic that several multiplier forms share."""

from amaranth.hdl import Module, Signal

__all__ = ["add_each", "register"]


def add_each(m: Module, add_product, acts, wgts, *, name):
    """Call ``add_product(m, act, wgt, name)`` for each pair, and return the products."""
    return [add_product(m, act, wgt, f"{name}_{lane}")
            for lane, (act, wgt) in enumerate(zip(acts, wgts))]


def register(m: Module, shape, name, value):
    """Return a register without reset that is loaded with ``value`` in every cycle."""
    signal = Signal(shape, reset_less=True, name=name)
    m.d.sync += signal.eq(value)
    return signal
