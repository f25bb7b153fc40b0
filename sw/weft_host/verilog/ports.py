"""Ports of the Verilog module, in groups: names, directions, widths and meanings."""

import dataclasses
import re
from collections.abc import Iterable

from amaranth.hdl import Shape
from amaranth.lib.wiring import In, Signature

from weft.accelerator_ports import accelerator_ports
from weft.spec.config import Config

__all__ = ["Port", "PortGroup", "port_groups", "port_names"]

_BUSES = ("s_axil", "m_axi")
_CHANNELS = {"aw": "write address", "w": "write data", "b": "write response",
             "ar": "read address", "r": "read data"}
_BUS_PORT = re.compile(f"({'|'.join(_BUSES)})_(aw|w|b|ar|r)(.+)")
_MEANINGS = {
    "clk": "clock, rising edge",
    "rst": "synchronous reset, active high",
    "irq": "interrupt, a level, active high",
    "addr": "byte address of the first beat",
    "bresp": "response to the burst",
    "burst": "0b01, an incrementing burst",
    "cache": "0b0011: normal, non-cacheable, bufferable",
    "data": "data",
    "id": "0",
    "last": "last beat of the burst",
    "len": "beats of the burst, minus 1",
    "lock": "0, no exclusive access",
    "prot": "0",
    "qos": "0",
    "ready": "ready",
    "rresp": "response to the beat",
    "size": "bytes of a beat, as a power of two",
    "strb": "byte enables",
    "valid": "valid",
    "bid": "ignored",
    "rid": "ignored",
    "s_axil addr": "byte offset of the register",
    "s_axil prot": "ignored",
    "s_axil bresp": "OKAY, or SLVERR for a refused write",
    "s_axil rresp": "OKAY, or SLVERR for a refused read",
}
"""Meanings by the last part of a port's name, of which the longest that is known counts."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Port:
    """Port of the Verilog module.

    Parameters
    ----------
    name, direction : :class:`str`
        Name; ``"input"`` or ``"output"``.
    width : :class:`int`
        Width in bits.
    meaning : :class:`str`
        Description in a few words.
    """

    name: str
    direction: str
    width: int
    meaning: str

    @property
    def range(self) -> str:
        """Range of its declaration, such as ``[31:0]``; empty for a single bit."""
        return f"[{self.width - 1}:0]" if self.width > 1 else ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PortGroup:
    """Ports that belong together.

    Parameters
    ----------
    title : :class:`str`
        Description for a comment.
    ports : tuple of :class:`Port`
        Ports in the order of the module header.
    """

    title: str
    ports: tuple[Port, ...]


def _meaning(bus: str, channel: str, field: str) -> str:
    known = (f"{bus} {channel}{field}", f"{bus} {field}", f"{channel}{field}", field)
    return next(_MEANINGS[key] for key in known if key in _MEANINGS)


def port_groups(config: Config) -> tuple[PortGroup, ...]:
    """Return all ports of a configuration: clock and reset, the channels of both buses, interrupt.

    Every configuration has the same ports in the same order; only widths differ.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        Configuration of the accelerator.
    """
    members = {"_".join(map(str, path)): member for path, member in Signature(
        accelerator_ports(config, observe=False)).members.flatten() if member.is_port}
    groups = {"clock and reset": [
        Port(name=name, direction="input", width=1, meaning=_MEANINGS[name])
        for name in ("clk", "rst")]}
    groups |= {f"{bus}, {description}": [] for bus in _BUSES for description in _CHANNELS.values()}
    groups["interrupt"] = []
    for name, member in members.items():
        found = _BUS_PORT.fullmatch(name)
        bus, channel, field = found.groups() if found else ("", "", name)
        title = f"{bus}, {_CHANNELS[channel]}" if found else "interrupt"
        groups[title].append(Port(
            name=name, direction="input" if member.flow == In else "output",
            width=Shape.cast(member.shape).width, meaning=_meaning(bus, channel, field)))
    return tuple(PortGroup(title=title, ports=tuple(ports)) for title, ports in groups.items())


def port_names(groups: Iterable[PortGroup]) -> list[str]:
    """Return the names of all ports, in the order of the module header."""
    return [port.name for group in groups for port in group.ports]
