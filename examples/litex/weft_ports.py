"""Ports of the Verilog module ``weft`` and the signals of LiteX buses that they connect to."""

__all__ = ["PORTS", "REGISTER_ADDR_WIDTH", "instance_ports"]

REGISTER_ADDR_WIDTH = 12
"""Address bits of ``s_axil``; higher bits select Weft on the SoC's bus."""

# channel: (fields driven by the manager, fields driven by the subordinate)
_AXI4_LITE = {
    "aw": ("addr prot valid", "ready"),
    "w": ("data strb valid", "ready"),
    "b": ("ready", "resp valid"),
    "ar": ("addr prot valid", "ready"),
    "r": ("ready", "data resp valid"),
}
_AXI4 = {
    "aw": ("id addr len size burst lock cache prot qos valid", "ready"),
    "w": ("data strb last valid", "ready"),
    "b": ("ready", "id resp valid"),
    "ar": ("id addr len size burst lock cache prot qos valid", "ready"),
    "r": ("ready", "id data resp last valid"),
}
_BUSES = {"s_axil": (_AXI4_LITE, "i", "o"), "m_axi": (_AXI4, "o", "i")}

PORTS = {
    f"{bus}_{channel}{field}": (direction, bus, channel, field)
    for bus, (channels, forward, back) in _BUSES.items()
    for channel, (driven, returned) in channels.items()
    for direction, fields in ((forward, driven), (back, returned))
    for field in fields.split()
}
"""All ports except ``clk``, ``rst`` and ``irq``; ``i`` is an input of Weft, ``o`` an output."""


def instance_ports(registers, memory):
    """Return the keyword arguments of a Migen ``Instance`` that connect the two buses.

    Parameters
    ----------
    registers : ``AXILiteInterface``
        Bus for ``s_axil``.
    memory : ``AXIInterface``
        Bus for ``m_axi``.
    """
    buses = {"s_axil": registers, "m_axi": memory}
    arguments = {}
    for port, (direction, bus, channel, field) in PORTS.items():
        signal = getattr(getattr(buses[bus], channel), field)
        if bus == "s_axil" and field == "addr":
            signal = signal[:REGISTER_ADDR_WIDTH]
        arguments[f"{direction}_{port}"] = signal
    return arguments
