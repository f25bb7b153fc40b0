"""Inputs of a design that are set only when they change, because the simulator's set is slow."""

__all__ = ["setter"]


def setter(ctx, signal):
    """Return a function that sets ``signal``, an input that nothing else sets, in a simulation."""
    previous = None

    def set_changed(value):
        nonlocal previous
        if value != previous:
            ctx.set(signal, value)
            previous = value
    return set_changed
