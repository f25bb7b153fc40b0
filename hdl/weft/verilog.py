"""Conversion of components to Verilog and RTLIL, with stable port names."""

import re

from amaranth.back import rtlil, verilog  # type: ignore[attr-defined]
from amaranth.hdl import ClockDomain, Value, ValueCastable
from amaranth.hdl._ir import PortDirection
from amaranth.lib.wiring import In

__all__ = ["port_list", "to_rtlil", "to_verilog"]


def port_list(component):
    """Return the ports of ``component`` as ``{name: (value, direction)}``.

    The path of a member is joined with underscores: ``m_axi.awaddr`` becomes ``m_axi_awaddr``.
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
    # otherwise, a misspelt domain silently becomes a new clock input
    if name != "sync":
        raise ValueError(f"the design uses a clock domain {name!r}; only 'sync' is expected")
    return ClockDomain(name)


# the signal with which yosys triggers every "always @*" block at time 0; the blocks with a single
# statement, in which yosys omits this signal; and the initial contents of a memory
_TRIGGER = re.compile(r"^  reg (\\\S+verilog_backend\S+dump_module\S+)  = 0;$", re.MULTILINE)
_TRIGGER_NAME = re.compile(r"^  reg (\\\S+verilog_backend\S+dump_module\S+) ;$", re.MULTILINE)
_BARE = re.compile(r"^  always @\*\n    (.*;)$", re.MULTILINE)
_CONTENTS = re.compile(
    r"^  initial begin\n    (?P<name>\S+ ?)\[0\] = (?P<value>\d+'h0+);\n"
    r"(?:    (?P=name)\[\d+\] = (?P=value);\n)+  end\n", re.MULTILINE)


def _contents_loop(match):
    """Return the initialisation of a memory with zeros as a loop, for simulation only."""
    name, value, count = match["name"], match["value"], match[0].count("\n") - 2
    # one variable per memory, because initial blocks may interleave
    index = f"\\{name.strip().removeprefix(chr(92))}_init_index "
    # The design does not depend on the contents. Synthesis tools unroll every loop: for half a
    # million bytes of scratchpad, yosys needs gigabytes.
    return (f"`ifndef SYNTHESIS\n  integer {index};\n"
            f"  initial for ({index}= 0; {index}< {count}; {index}= {index}+ 1)"
            f" {name}[{index}] = {value};\n`endif\n")


def _trigger_bare_blocks(module):
    """Return the text of a module with the trigger in every ``always @*`` block."""
    found = _TRIGGER_NAME.search(module)
    if not found:
        return module
    return _BARE.sub(lambda match: f"  always @* begin\n    if ({found[1]} ) begin end\n"
                                   f"    {match[1]}\n  end", module)


def to_verilog(component, name):
    """Return ``component`` as Verilog with the top module ``name``.

    The text is the same on every run. The ports are ``clk``, ``rst`` and those of
    :func:`port_list`. Memories that are initialised with zeros are so in simulation only: if
    ``SYNTHESIS`` is defined (yosys defines it), their contents are undefined. Other memories have
    their contents in either case.
    """
    text = verilog.convert(component, name=name, ports=port_list(component), emit_src=False,
                           strip_internal_attrs=True, missing_domain=_domain)
    # If the signal has its value from its declaration on, Icarus sees no change of it. Blocks are
    # not triggered then, and signals that depend on initial values alone remain X.
    text = _TRIGGER.sub(
        r"  reg \1 ;\n"
        r"  /* verilator lint_off INITIALDLY */\n"
        r"  initial \1 <= 0;\n"
        r"  /* verilator lint_on INITIALDLY */", text)
    text = "endmodule".join(map(_trigger_bare_blocks, text.split("endmodule")))
    # otherwise, one line per byte would be most of the file
    return _CONTENTS.sub(_contents_loop, text)


def to_rtlil(component, name):
    """Return ``component`` as RTLIL with the top module ``name``, the same text on every run."""
    return rtlil.convert(component, name=name, ports=port_list(component), emit_src=False,
                         missing_domain=_domain)
