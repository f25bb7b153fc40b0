"""Multiplier form that consists of a product and a register, for any synthesis tool."""

from amaranth.hdl import signed

from .form_logic import add_each, register

__all__ = ["LATENCY", "add_products"]

LATENCY = 1


def _product(m, act, wgt, name):
    return register(m, signed(16), f"product_{name}", act * wgt)


def add_products(m, acts, wgts, *, name):
    """Add one multiplier for each pair of ``acts`` and ``wgts``, and return the products.

    See :func:`weft.vendor.multiplier.add_multiplier` for the arguments.
    """
    return add_each(m, _product, acts, wgts, name=name)
