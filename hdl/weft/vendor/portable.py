"""The multiplier that every tool can infer."""

from amaranth.hdl import Signal, signed

__all__ = ["LATENCY", "add_products"]

LATENCY = 1


def add_products(m, acts, wgts, *, name):
    """Adds ``act * wgt`` for each pair, registered once.

    See :func:`weft.vendor.multiplier.add_multiplier` for the arguments.
    """
    products = []
    for lane, (act, wgt) in enumerate(zip(acts, wgts)):
        product = Signal(signed(16), reset_less=True, name=f"product_{name}_{lane}")
        m.d.sync += product.eq(act * wgt)
        products.append(product)
    return products
