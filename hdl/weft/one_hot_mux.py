"""Multiplexer with one-hot select inputs."""

from amaranth.hdl import Const, Mux

__all__ = ["one_hot_mux"]


def one_hot_mux(choices):
    """Return the value whose condition is high, or 0 if no condition is high.

    Parameters
    ----------
    choices : iterable of (condition, value)
        Values and their conditions. At most one condition may be high at a time.
    """
    result = Const(0, 1)
    for condition, value in choices:
        result = result | Mux(condition, value, 0)
    return result
