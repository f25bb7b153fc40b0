"""Conversion of components to Verilog and RTLIL, with stable port names."""

import re

from amaranth.back import rtlil, verilog  # type: ignore[attr-defined]
from amaranth.hdl import ClockDomain, Value, ValueCastable
from amaranth.hdl._ir import PortDirection
from amaranth.lib.wiring import In

__all__ = ["port_list", "to_rtlil", "to_verilog"]


def port_list(component):
    """Return the ports of ``component`` as ``{name: (value, direction)}``.

    The name of a port is the path of the member, joined with underscores: ``m_axi.awaddr`` becomes
    ``m_axi_awaddr``.
    """
    ports = {}
    for path, member, value in component.signature.flatten(component):
        name = "_".join(map(str, path))
        if name in ports:
            raise ValueError(f"two ports of {type(component).__name__} have the name {name!r}")
        value = value.as_value() if isinstance(value, ValueCastable) else value
        if isinstance(value, Value):
            direction = PortDirection.Input if member.flow == In else PortDirection.Output
            ports[name] = (value, direction)
    return ports


def _domain(name):
    # without this check, a misspelt domain silently becomes a new clock input
    if name != "sync":
        raise ValueError(f"the design uses a clock domain {name!r}; only 'sync' is expected")
    return ClockDomain(name)


# Yosys declares a trigger signal in each module. Its initial value triggers "always @*" blocks at
# time 0. These patterns match its declaration with and without an initial value, a block with a
# single statement, in which yosys omits the trigger, and the initialisation of a memory with zeros.
_TRIGGER = re.compile(r"^  reg (\\\S+verilog_backend\S+dump_module\S+)  = 0;$", re.MULTILINE)
_TRIGGER_NAME = re.compile(r"^  reg (\\\S+verilog_backend\S+dump_module\S+) ;$", re.MULTILINE)
_BARE = re.compile(r"^  always @\*\n    (.*;)$", re.MULTILINE)
_CONTENTS = re.compile(
    r"^  initial begin\n    (?P<name>\S+ ?)\[0\] = (?P<value>\d+'h0+);\n"
    r"(?:    (?P=name)\[\d+\] = (?P=value);\n)+  end\n", re.MULTILINE)


def _contents_loop(match):
    """Return a loop that initialises a memory with zeros, for simulation only.

    ``match`` is a match of ``_CONTENTS``.
    """
    name, value, count = match["name"], match["value"], match[0].count("\n") - 2
    # a loop variable for each memory, because the execution of initial blocks may interleave
    index = f"\\{name.strip().removeprefix(chr(92))}_init_index "
    # Not for synthesis, because the design does not depend on the contents. Synthesis tools unroll
    # every loop: for a scratchpad of half a million bytes, yosys needs gigabytes.
    return (f"`ifndef SYNTHESIS\n  integer {index};\n"
            f"  initial for ({index}= 0; {index}< {count}; {index}= {index}+ 1)"
            f" {name}[{index}] = {value};\n`endif\n")


def _trigger_bare_blocks(module):
    """Return the text of a module with the trigger signal in every ``always @*`` block."""
    found = _TRIGGER_NAME.search(module)
    if not found:
        return module
    return _BARE.sub(lambda match: f"  always @* begin\n    if ({found[1]} ) begin end\n"
                                   f"    {match[1]}\n  end", module)


def to_verilog(component, name):
    """Return ``component`` as Verilog with the top module ``name``.

    The text is the same on every run. The ports are ``clk``, ``rst`` and those of
    :func:`port_list`. A memory whose initial contents are all 0 is initialised only in simulation:
    if ``SYNTHESIS`` is defined, as it is by yosys, its contents are undefined. All other memories
    are always initialised.
    """
    text = verilog.convert(component, name=name, ports=port_list(component), emit_src=False,
                           strip_internal_attrs=True, missing_domain=_domain)
    # If the declaration initialises the trigger signal, Icarus sees no change of it and does not
    # execute the blocks; signals that depend only on initial values then remain X. The assignment
    # in an initial block is a change.
    text = _TRIGGER.sub(
        r"  reg \1 ;\n"
        r"  /* verilator lint_off INITIALDLY */\n"
        r"  initial \1 <= 0;\n"
        r"  /* verilator lint_on INITIALDLY */", text)
    text = "endmodule".join(map(_trigger_bare_blocks, text.split("endmodule")))
    # replaces one line per word of each memory, which would be most of the file
    return _CONTENTS.sub(_contents_loop, text)


def to_rtlil(component, name):
    """Return ``component`` as RTLIL with the top module ``name``, the same text on every run."""
    return rtlil.convert(component, name=name, ports=port_list(component), emit_src=False,
                         missing_domain=_domain)
