"""Waivers for Verilator's lint of a generated Verilog file, each with its reason."""

import pathlib
import textwrap

from .provenance import LICENCE

__all__ = ["are_waivers", "lint_waivers"]

_HEAD = ("`verilator_config", f"// {LICENCE}", "//")

_WAIVERS = (
    ("Every name of the source remains in every module that it crosses, for waveforms, although "
     "some modules or bits do not use it.",
     "UNUSEDSIGNAL", ("Signal is not used: *", "Bits of signal are not used: *")),
    ("Registers have their reset value from the beginning, as FPGAs load it with the bitstream. "
     "The rule is PROCASSINIT, a name that Verilator before 5.038 does not accept here.",
     "", ("Procedural assignment to declaration with initial value: *",)),
    ("Constants have the fewest bits that hold them, and sums one bit more than their operands: "
     "Verilog extends both without loss.",
     "WIDTHEXPAND", ("Operator * expects * bits on the ?HS, but *",)),
    ("!x compares all bits of x with 0.",
     "WIDTHTRUNC", ("Logical operator LOGNOT expects 1 bit on the LHS, *",)),
    ("An element of an array is selected by a shift to the right, of which the lowest bits are "
     "used.",
     "WIDTHTRUNC", ("Operator ASSIGNW expects * bits on the Assign RHS, but Assign RHS's SHIFTR *",
                    )),
    ("The signal of each case has a value before the case, which remains where no item matches.",
     "CASEINCOMPLETE", ("Case values incompletely covered *",)),
    ("A check of a range can be constant in the sizes of this configuration.",
     "CMPCONST", ("Comparison is constant due to limited range",)),
    ("The same for a range that begins at 0.",
     "UNSIGNED", ("Comparison is constant due to unsigned arithmetic",)),
)


def lint_waivers(file: str, top: str = "weft") -> str:
    """Return a configuration file for Verilator that silences what is no defect in a file.

    With it, ``verilator --lint-only -Wall`` reports nothing about the file. Each waiver is for one
    rule, one form of its message, and this file in any folder.

    Parameters
    ----------
    file : :class:`str`
        Name of the Verilog file, without its folder.
    top : :class:`str`
        Name of its top module.
    """
    stem = pathlib.PurePath(file).stem
    waivers = [*_WAIVERS, (
        "The file contains a module and all of its submodules.", "DECLFILENAME",
        (f"Filename '{stem}' does not match MODULE name: '{top}'",
         f"Filename '{stem}' does not match MODULE name: '{top}.*'"))]
    lines = [*_HEAD,
             f"// Waivers for {file}, for Verilator 5.030 or later. Name them before it:",
             f"// $ verilator --lint-only -Wall {stem}.vlt {file}"]
    for reason, rule, messages in waivers:
        lines += ["", *(f"// {line}" for line in textwrap.wrap(reason, 97))]
        option = f" -rule {rule}" if rule else ""
        lines += [f'lint_off{option} -file "{pattern}" -match "{message}"'
                  for message in messages for pattern in (file, f"*/{file}")]
    return "\n".join([*lines, ""])


def are_waivers(raw: bytes) -> bool:
    """Return whether the contents of a file are the output of :func:`lint_waivers`."""
    return raw.startswith("\n".join([*_HEAD, "// Waivers for "]).encode())
