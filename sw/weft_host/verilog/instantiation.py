"""Instantiation of the Verilog module, to paste into a design."""

from weft.spec.config import Config

from .module_names import check_module_name
from .ports import port_groups, port_names
from .provenance import command

__all__ = ["instantiation"]


def instantiation(config: Config, top: str = "weft") -> str:
    """Return Verilog that declares a wire for each port and instantiates the module.

    The wires and the instance are named after the module, so that the texts of two modules fit
    into one design. Only ``clk`` and ``rst`` are those of the surrounding module.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        Configuration, which defines the widths.
    top : :class:`str`
        Name of the module.

    Raises
    ------
    ModuleNameError
        If ``top`` is no name for the module.
    """
    clock, *groups = port_groups(config)
    names = port_names([clock, *groups])
    check_module_name(top, names)
    longest = max(map(len, names))
    wire_width = len(f"{top}_;") + longest
    wires = [f"// Instance of {top}, from: {command(config, top, template=True)}",
             "// clk and rst are those of your design; rst is synchronous and active high."]
    connections = [f"  // {clock.title}"]
    connections += [f"  .{port.name:<{longest}} ({port.name})," for port in clock.ports]
    for group in groups:
        wires += ["", f"// {group.title}"]
        connections += ["", f"  // {group.title}"]
        for port in group.ports:
            wires.append(f"{f'wire {port.range}':<12} {f'{top}_{port.name};':<{wire_width}}"
                         f"    // {port.direction}: {port.meaning}")
            connections.append(f"  .{port.name:<{longest}} ({top}_{port.name}),")
    connections[-1] = connections[-1].removesuffix(",")
    return "\n".join([*wires, "", f"{top} u_{top} (", *connections, ");", ""])
