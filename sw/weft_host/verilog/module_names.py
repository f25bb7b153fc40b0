"""Names that a Verilog module can have in every tool."""

import re
from collections.abc import Container

__all__ = ["KEYWORDS", "ModuleNameError", "check_module_name"]

KEYWORDS = frozenset("""
    always and assign automatic begin buf bufif0 bufif1 case casex casez cell cmos config deassign
    default defparam design disable edge else end endcase endconfig endfunction endgenerate
    endmodule endprimitive endspecify endtable endtask event for force forever fork function
    generate genvar highz0 highz1 if ifnone incdir include initial inout input instance integer
    join large liblist library localparam macromodule medium module nand negedge nmos nor
    noshowcancelled not notif0 notif1 or output parameter pmos posedge primitive pull0 pull1
    pulldown pullup pulsestyle_ondetect pulsestyle_onevent rcmos real realtime reg release repeat
    rnmos rpmos rtran rtranif0 rtranif1 scalared showcancelled signed small specify specparam
    strong0 strong1 supply0 supply1 table task time tran tranif0 tranif1 tri tri0 tri1 triand
    trior trireg unsigned use uwire vectored wait wand weak0 weak1 while wire wor xnor xor
    accept_on alias always_comb always_ff always_latch assert assume before bind bins binsof bit
    break byte chandle checker class clocking const constraint context continue cover covergroup
    coverpoint cross dist do endchecker endclass endclocking endgroup endinterface endpackage
    endprogram endproperty endsequence enum eventually expect export extends extern final
    first_match foreach forkjoin global iff ignore_bins illegal_bins implements implies import
    inside int interconnect interface intersect join_any join_none let local logic longint matches
    modport nettype new nexttime null package packed priority program property protected pure rand
    randc randcase randsequence ref reject_on restrict return s_always s_eventually s_nexttime
    s_until s_until_with sequence shortint shortreal soft solve static string strong struct super
    sync_accept_on sync_reject_on tagged this throughout timeprecision timeunit type typedef union
    unique unique0 until until_with untyped var virtual void wait_order weak wildcard with within
""".split())
"""Keywords of Verilog (IEEE 1364-2005, annex B) and of SystemVerilog (IEEE 1800-2017, annex B)."""

MAX_LENGTH = 255
"""Longest name of a top module; with those of submodules below the 1024 that tools must accept."""


class ModuleNameError(ValueError):
    """A name that some tool does not accept for the top module."""


def check_module_name(name: str, used: Container[str] = ()) -> None:
    """Check that every tool accepts a name for the top module without an escape.

    Parameters
    ----------
    name : :class:`str`
        Name of the top module; its submodules are called ``name.control`` and so on.
    used : container of :class:`str`
        Names of ports and signals in the module. Verilog allows the module to have the name of one
        of them, but Verilator does not.

    Raises
    ------
    ModuleNameError
        If it has other characters than ASCII letters, digits and underscores, begins with a digit,
        is a keyword, is too long, or is used.
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ModuleNameError(
            f"{name[:MAX_LENGTH]!r} is not a Verilog identifier: use letters, digits and "
            "underscores, and no digit at the beginning")
    if name in KEYWORDS:
        raise ModuleNameError(f"{name!r} is a keyword of Verilog or SystemVerilog; use another "
                              "name")
    if len(name) > MAX_LENGTH:
        raise ModuleNameError(f"the name has {len(name)} characters; at most {MAX_LENGTH} are "
                              "possible")
    if name in used:
        raise ModuleNameError(f"{name!r} is also the name of a port or a signal in the module, "
                              "which Verilator does not support; use another name")
