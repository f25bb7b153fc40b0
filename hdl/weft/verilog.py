"""Components as Verilog and RTLIL files with the port names that other tools expect."""

from amaranth.back import rtlil, verilog
from amaranth.hdl import ClockDomain, Value, ValueCastable
from amaranth.hdl._ir import PortDirection
from amaranth.lib.wiring import In

__all__ = ["port_list", "to_rtlil", "to_verilog"]


def port_list(component):
    """The ports of ``component`` as ``{name: (value, direction)}``.

    The path of a member is joined with single underscores: ``m_axi.awaddr`` becomes
    ``m_axi_awaddr``.
    """
    ports = {}
    for path, member, value in component.signature.flatten(component):
        name = "_".join(map(str, path))
        if name in ports:
            raise ValueError(f"two ports of {type(component).__name__} are called {name}")
        value = value.as_value() if isinstance(value, ValueCastable) else value
        if isinstance(value, Value):
            direction = PortDirection.Input if member.flow == In else PortDirection.Output
            ports[name] = (value, direction)
    return ports


def _domain(name):
    # a misspelt domain would otherwise silently become a new clock input
    if name != "sync":
        raise ValueError(f"the design uses a clock domain {name!r}; only 'sync' is expected")
    return ClockDomain(name)


def to_verilog(component, name):
    """``component`` as Verilog with top module ``name``; the same text on every run.

    Ports are ``clk``, ``rst`` and those of :func:`port_list`.
    """
    return verilog.convert(component, name=name, ports=port_list(component), emit_src=False,
                           strip_internal_attrs=True, missing_domain=_domain)


def to_rtlil(component, name):
    """``component`` as RTLIL with top module ``name``; the same text on every run."""
    return rtlil.convert(component, name=name, ports=port_list(component), emit_src=False,
                         missing_domain=_domain)
