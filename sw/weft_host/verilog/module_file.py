"""Verilog file of a configuration: comment, grouped ports, and modules named after the top."""

import re

from weft.instance import make_accelerator
from weft.spec.config import Config
from weft.verilog import to_verilog

from .module_names import check_module_name
from .ports import Port, PortGroup, port_groups, port_names
from .provenance import command, origin

__all__ = ["verilog_module"]

_MODULE = re.compile(r"^module (?:\\(\S+) |(\w+))\s*\(", re.MULTILINE)
# A signal without bits, which yosys declares with two. It has no use but its name in waveforms.
_EMPTY = re.compile(r"^  wire \[-1:0\] (\S+ ?);\n", re.MULTILINE)
# declarations of signals and memories
_DECLARED = re.compile(r"^  (?:wire|reg|integer) (?:\[\S+\] )?(\w+)(?: \[\S+\])?(?:;| = .*;)$",
                       re.MULTILINE)
# instances of a module; yosys writes their parameters and connections on lines of their own
_INSTANCE = re.compile(r"^  (?:\\(\S+) |([A-Za-z_]\w*)) (?:#\(|(?:\\\S+ |\w+) \()$", re.MULTILINE)


def _without_empty_signals(module: str) -> str:
    """Return the text of a module without the unused declarations of signals without bits."""
    def keep(match: re.Match[str]) -> str:
        name = match[1].strip()
        return "" if len(re.findall(rf"(?<!\S){re.escape(name)}(?![\w.$])", module)) == 1 \
            else match[0]
    return _EMPTY.sub(keep, module)


def _declaration(module: str, port: Port) -> tuple[str, str]:
    """Return a module without the declaration of a port, and the declaration for its header.

    Raises
    ------
    ValueError
        If the module does not declare the port once, in the form of yosys' Verilog backend.
    """
    width = re.escape(f"{port.range} " if port.range else "")
    found = list(re.finditer(
        rf"^  {port.direction} {width}{port.name};\n  (wire|reg) {width}{port.name}( = \S+)?;\n",
        module, re.MULTILINE))
    if len(found) != 1:
        raise ValueError(f"{len(found)} declarations of the port {port.name}")
    match, = found
    return (module[:match.start()] + module[match.end():],
            f"  {port.direction:<6} {match[1]:<4} {port.range:<7} {port.name}{match[2] or ''}")


def _with_grouped_ports(text: str, top: str, groups: tuple[PortGroup, ...]) -> str:
    """Return the text with the ports of the top module declared in its header, in groups.

    Raises
    ------
    ValueError
        If the module has other ports.
    """
    begin = text.index(f"module {top}(")
    end = text.index("endmodule", begin)
    listed, _, body = text[begin:end].partition(");\n")
    names = re.findall(r"\w+", listed.partition("(")[2])
    if sorted(names) != sorted(port_names(groups)):
        raise ValueError(f"the module {top} has the ports {', '.join(names)}")
    lines = []
    for group in groups:
        lines.append(f"  // {group.title}")
        for port in group.ports:
            body, declaration = _declaration(body, port)
            lines.append(f"{declaration},")
    lines[-1] = lines[-1].removesuffix(",")
    return "\n".join([f"{text[:begin]}module {top} (", *lines, f");\n{body}"]) + text[end:]


def _declared_names(text: str, top: str) -> set[str]:
    """Return the names of ports and signals in the top module that need no escape."""
    begin = text.index(f"module {top}(")
    return set(_DECLARED.findall(text, begin, text.index("endmodule", begin)))


def _primitives(text: str) -> list[str]:
    """Return the names of modules that the text instantiates but does not define."""
    def names(pattern: re.Pattern[str]) -> set[str]:
        return {match[1] or match[2] for match in pattern.finditer(text)}
    return sorted(names(_INSTANCE) - names(_MODULE))


def verilog_module(config: Config, top: str = "weft") -> str:
    """Return the accelerator as the text of one Verilog file, the same on every run.

    The names of all submodules begin with that of the top module and a dot, so that files with
    different tops can be read into one design. The header of the top module declares the ports of
    :func:`port_groups`.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        Configuration of the accelerator.
    top : :class:`str`
        Name of the top module.

    Raises
    ------
    ModuleNameError
        If ``top`` is no name for the module.
    """
    groups = port_groups(config)
    check_module_name(top, port_names(groups))      # before the conversion, which takes longer
    text = to_verilog(make_accelerator(config), top)
    check_module_name(top, _declared_names(text, top))
    text = _with_grouped_ports(text, top, groups)
    text = "endmodule".join(map(_without_empty_signals, text.split("endmodule")))
    primitives = _primitives(text)
    comment = [*origin(config, f"the module {top} and its submodules {top}.*",
                       command(config, top)),
               f"// vendor primitives: {', '.join(primitives) or 'none'}"]
    return "\n".join([*comment, "", text])
