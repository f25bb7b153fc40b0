"""Ports of the accelerator, which both implementations share."""

from amaranth.lib.wiring import In, Out

from .bus.axi4 import Axi4, Axi4Lite
from .spec import register_map
from .spec.config import UNITS

__all__ = ["accelerator_ports"]


def accelerator_ports(config, *, observe):
    """Return the ports of an accelerator as members of a signature.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        Widths of the buses.
    observe : :class:`bool`
        Add the ports ``o_queued``, ``o_issued`` and ``o_done``.
    """
    events = ("o_queued", "o_issued", "o_done") if observe else ()
    return {
        "s_axil": In(Axi4Lite(addr_width=register_map.ADDR_WIDTH)),
        "m_axi": Out(Axi4(addr_width=config.addr_width, data_width=config.bus_width)),
        "irq": Out(1),
        **{name: Out(len(UNITS)) for name in events},
    }
