"""Signed 8 x 8 multipliers in several interchangeable forms."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from . import ecp5, ecp5_lut, ice40, lut, portable

__all__ = ["FORMS", "Multiplier", "add_multiplier", "common_latency"]

FORMS = {"portable": portable, "lut": lut, "ecp5": ecp5, "ecp5_lut": ecp5_lut, "ice40": ice40}


def _form(name):
    if name not in FORMS:
        raise ValueError(f"multiplier form must be one of {', '.join(FORMS)}, not {name!r}")
    return FORMS[name]


def common_latency(forms):
    """Return the latency of the slowest of ``forms``, in cycles from operands to product."""
    return max(_form(form).LATENCY for form in forms)


def add_multiplier(m, acts, wgts, *, forms, latency, name):
    """Add one multiplier for each pair of ``acts`` and ``wgts`` to ``m``.

    This is a function so that a grid can be a single module, which simulates several times faster
    than one module per multiplier.

    Parameters
    ----------
    m : :class:`~amaranth.hdl.Module`
        Module to which the logic is added, in the domain ``sync``.
    acts, wgts : lists of :py:`signed(8)`
        Operands of one or two products.
    forms : list of :class:`str`
        Form of each multiplier, a key of :data:`FORMS`.
    latency : :class:`int`
        Cycles from operands to products, at least the latency of the slowest form. Registers are
        added after faster forms.
    name : :class:`str`
        Part of the names of all signals.

    Returns
    -------
    list of :py:`signed(16)`
        The products.

    Raises
    ------
    ValueError
        If a form is unknown, or slower than ``latency``.
    """
    products = [None] * len(wgts)
    for form in dict.fromkeys(forms):
        lanes = [lane for lane, lane_form in enumerate(forms) if lane_form == form]
        module = _form(form)
        if latency < module.LATENCY:
            raise ValueError(f"latency of {latency} cycles is less than the {module.LATENCY} of "
                             f"form {form!r}")
        added = module.add_products(m, [acts[lane] for lane in lanes],
                                    [wgts[lane] for lane in lanes], name=f"{name}_{form}")
        for lane, product in zip(lanes, added):
            for stage in range(latency - module.LATENCY):
                padded = Signal(signed(16), reset_less=True, name=f"pad{stage}_{name}_{lane}")
                m.d.sync += padded.eq(product)
                product = padded
            products[lane] = product
    return products


class Multiplier(wiring.Component):
    """Pipeline of two signed 8 x 8 multipliers.

    A new pair of operands enters every cycle, and its products leave exactly ``latency`` cycles
    later. There is no enable and no reset.

    Parameters
    ----------
    forms : :class:`str` or pair of :class:`str`
        Form of both multipliers, or of each.
    latency : :class:`int`, optional
        Cycles from operands to products; by default the latency of the slowest form.

    Members
    -------
    i_act, i_wgt : :py:`In(ArrayLayout(signed(8), 2))`
        Operands of the two products.
    o_product : :py:`Out(ArrayLayout(signed(16), 2))`
        The products.

    Raises
    ------
    ValueError
        If a form is unknown, or slower than ``latency``.
    """

    def __init__(self, forms, latency=None):
        self.forms = (forms, forms) if isinstance(forms, str) else tuple(forms)
        least = common_latency(self.forms)
        self.latency = least if latency is None else latency
        if self.latency < least:
            raise ValueError(f"latency of {latency} cycles is less than the {least} of forms "
                             f"{', '.join(self.forms)}")
        super().__init__({
            "i_act": In(data.ArrayLayout(signed(8), 2)),
            "i_wgt": In(data.ArrayLayout(signed(8), 2)),
            "o_product": Out(data.ArrayLayout(signed(16), 2)),
        })

    def elaborate(self, platform):
        m = Module()
        products = add_multiplier(m, list(self.i_act), list(self.i_wgt),
                                  forms=self.forms, latency=self.latency, name="mul")
        for lane, product in enumerate(products):
            m.d.comb += self.o_product[lane].eq(product)
        return m
