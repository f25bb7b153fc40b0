"""Which port of the Verilog module ``weft`` is which signal of a LiteX bus."""

__all__ = ["PORTS", "REGISTER_ADDR_WIDTH", "instance_ports"]

REGISTER_ADDR_WIDTH = 12
"""Bits of ``s_axil``'s addresses; those above select Weft on the SoC's bus."""

# channel: (what the manager drives, what it is answered)
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
    for channel, (driven, answered) in channels.items()
    for direction, fields in ((forward, driven), (back, answered))
    for field in fields.split()
}
"""Every port but ``clk``, ``rst`` and ``irq``; ``i`` and ``o`` as Weft sees it."""


def instance_ports(registers, memory):
    """The keyword arguments of a Migen ``Instance`` that connect the two buses.

    Parameters
    ----------
    registers : ``AXILiteInterface``
        Becomes ``s_axil``.
    memory : ``AXIInterface``
        Becomes ``m_axi``.
    """
    buses = {"s_axil": registers, "m_axi": memory}
    arguments = {}
    for port, (direction, bus, channel, field) in PORTS.items():
        signal = getattr(getattr(buses[bus], channel), field)
        if bus == "s_axil" and field == "addr":
            signal = signal[:REGISTER_ADDR_WIDTH]
        arguments[f"{direction}_{port}"] = signal
    return arguments
