"""Components as Verilog and RTLIL files with the port names that other tools expect."""

import re

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


# yosys' signal that is to set off every "always @*" at time 0; the blocks of a single statement,
# in which it leaves that signal out; and the contents of a memory
_TRIGGER = re.compile(r"^  reg (\\\S+verilog_backend\S+dump_module\S+)  = 0;$", re.MULTILINE)
_TRIGGER_NAME = re.compile(r"^  reg (\\\S+verilog_backend\S+dump_module\S+) ;$", re.MULTILINE)
_BARE = re.compile(r"^  always @\*\n    (.*;)$", re.MULTILINE)
_CONTENTS = re.compile(
    r"^  initial begin\n    (?P<name>\S+ ?)\[0\] = (?P<value>\d+'h0+);\n"
    r"(?:    (?P=name)\[\d+\] = (?P=value);\n)+  end\n", re.MULTILINE)


def _loop(match):
    name, value, count = match["name"], match["value"], match[0].count("\n") - 2
    # a variable of each memory's own: initial blocks run in any order, and side by side
    index = f"\\{name.strip().removeprefix(chr(92))}_init_index "
    # nothing in the design counts on them. Tools that synthesise would unroll every loop: half a
    # million bytes of scratchpad take yosys gigabytes
    return (f"`ifndef SYNTHESIS\n  integer {index};\n"
            f"  initial for ({index}= 0; {index}< {count}; {index}= {index}+ 1)"
            f" {name}[{index}] = {value};\n`endif\n")


def _trigger_bare_blocks(module):
    """One module's text, in which every ``always @*`` is set off at time 0."""
    found = _TRIGGER_NAME.search(module)
    if not found:
        return module
    return _BARE.sub(lambda match: f"  always @* begin\n    if ({found[1]} ) begin end\n"
                                   f"    {match[1]}\n  end", module)


def to_verilog(component, name):
    """``component`` as Verilog with top module ``name``; the same text on every run.

    Ports are ``clk``, ``rst`` and those of :func:`port_list`. Memories that start with zeros do so
    in simulation only: where ``SYNTHESIS`` is defined (yosys defines it), nothing is said of
    their contents. Tables have their contents everywhere.
    """
    text = verilog.convert(component, name=name, ports=port_list(component), emit_src=False,
                           strip_internal_attrs=True, missing_domain=_domain)
    # set when it is declared, the signal has its value before Icarus looks at it: nothing is set
    # off, and what depends on initial values alone stays X
    text = _TRIGGER.sub(
        r"  reg \1 ;\n"
        r"  /* verilator lint_off INITIALDLY */\n"
        r"  initial \1 <= 0;\n"
        r"  /* verilator lint_on INITIALDLY */", text)
    text = "endmodule".join(map(_trigger_bare_blocks, text.split("endmodule")))
    # a line for each byte would make most of the file
    return _CONTENTS.sub(_loop, text)


def to_rtlil(component, name):
    """``component`` as RTLIL with top module ``name``; the same text on every run."""
    return rtlil.convert(component, name=name, ports=port_list(component), emit_src=False,
                         missing_domain=_domain)
