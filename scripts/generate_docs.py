"""Writes the pages of the documentation that are made from tables: registers, instruction set."""

import pathlib

from weft.spec import isa, register_map
from weft.spec.extents import EXTENTS, HOST

DOCS = pathlib.Path(__file__).resolve().parents[1] / "docs"

_MEMORIES = {"spad": "scratchpad, bytes", "wgt": "weight buffer, bytes",
             "tiles": "weight buffer, tiles", "acc": "accumulators, rows",
             HOST: "host memory, bytes"}
_ACCESS = {"RO": "read only", "RW": "read, write; writes are refused while BUSY",
           "WO": "write; reads as 0", "W1C": "read; writing 1 clears a bit"}


def _table(head, rows):
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |"
                     for line in lines) + "\n"


def _bits(high, low):
    return str(low) if high == low else f"{high}:{low}"


def _with_gaps(fields, width, row, reserved):
    """A row for each field and for each run of bits that no field has."""
    rows, at = [], 0
    for field in sorted(fields, key=lambda field: field.offset):
        if field.offset > at:
            rows.append(reserved(_bits(field.offset - 1, at)))
        rows.append(row(_bits(field.offset + field.width - 1, field.offset), field))
        at = field.offset + field.width
    if at < width:
        rows.append(reserved(_bits(width - 1, at)))
    return rows


def registers():
    """The page about registers."""
    text = ["# Registers", "", *(line for line in register_map.__doc__.strip().split("\n")[2:]), "",
            "This page is made from `hdl/weft/control/register_map.py`, as are the hardware, the driver "
            "and the C header (`python scripts/generate_header.py`).", "", "## Overview", "",
            _table(["offset", "name", "access", "what"], [
                [f"`0x{register.offset:03X}`",
                 f"[{register.name}](#{register.name.lower()})",
                 register.access, register.doc] for register in register_map.REGISTERS])]
    for register in register_map.REGISTERS:
        text += [f"## {register.name}", "", f"Offset `0x{register.offset:03X}`, "
                 f"{_ACCESS[register.access]}. {register.doc}"]
        if register.align > 1:
            text += ["", f"Writing anything but a multiple of {register.align} is refused."]
        text += ["", _table(["bits", "field", "what"], _with_gaps(
            register.fields, 32, lambda bits, field: [bits, f"`{field.name}`", field.doc],
            lambda bits: [bits, "", "reads as 0"]))]
    return "\n".join(text)


def _sum(extent):
    parts = [f"`{extent.base}`"]
    if extent.memory == HOST:
        parts.insert(0, "MEM_BASE")
    for term in extent.terms:
        count = f"({term.count} - {term.less})" if term.less else term.count
        product = f"`{count} * {term.pitch}`"
        if term.hold:
            product = f"({product}, or 1 with `hold`)"
        if term.apart:
            product = f"({product}, or `{term.apart} * {term.pitch}` with `apart`)"
        parts.append(product)
    if extent.extra:
        words = {"rows": "rows of the array", "outputs": "`channels`, times 4 in mode RAW",
                 "table": f"{isa.TABLE_BYTES}"}
        parts.append(words.get(extent.extra, f"`{extent.extra}`"))
    return " + ".join(parts)


def _instruction(instruction):
    unit = isa.UNITS[instruction.unit]
    own = 1 << instruction.unit
    text = [f"## {instruction.name}", "", f"Opcode `0x{instruction.opcode:02X}`, executed by "
            f"{unit}. {instruction.doc}", "", _table(["bits", "field", "what"], _with_gaps(
                instruction.fields, 8 * isa.INSTRUCTION_BYTES,
                lambda bits, field: [bits, f"`{field.name}`" + (", signed" if field.signed else ""),
                                     field.doc + (f" (bit {instruction.unit}, {unit} itself, must "
                                                  "be 0)" if field.name in ("wait", "signal")
                                                  else "")],
                lambda bits: [bits, "", "reserved, must be 0"]))]
    assert instruction.reserved_mask >> instruction.field("wait").offset & own
    extents = EXTENTS.get(instruction.name, ())
    if extents:
        text += ["It touches, and is refused if any of it does not exist:", "", _table(
            ["memory", "from", "to before", "only with", "error"], [
                [_MEMORIES[extent.memory],
                 ("MEM_BASE + " if extent.memory == HOST else "") + f"`{extent.base}`",
                 _sum(extent), f"`{extent.condition}`" if extent.condition else "",
                 f"`{extent.code.name}`"] for extent in extents])]
    return "\n".join(text)


def instruction_set():
    """The page about instructions."""
    text = ["# Instruction set", "",
            f"Version {isa.ISA_VERSION}. An instruction is {isa.INSTRUCTION_BYTES} bytes, "
            "little-endian: bit *n* of a table is bit *n* % 8 of byte *n* // 8. Reserved bits must "
            "be zero. This page is made from `hdl/weft/spec/isa.py`; encoder, decoder, "
            "disassembler and the hardware's checks read the same table.", "",
            "Each instruction goes to the queue of its unit. It starts when it is next there, the "
            "unit is ready, and every unit that `wait` names has given it a token; when it is "
            "done, every unit that `signal` names gets one. A counter of 0 to 255 exists for each "
            "ordered pair of units, and START zeroes them.", "", "## Overview", "",
            _table(["opcode", "instruction", "unit", "what"], [
                [f"`0x{instruction.opcode:02X}`",
                 f"[{instruction.name}](#{instruction.name.lower()})",
                 isa.UNITS[instruction.unit], instruction.doc.split(". ")[0].rstrip(".")]
                for instruction in sorted(isa.INSTRUCTIONS, key=lambda known: known.opcode)])]
    text += [_instruction(instruction) for instruction in isa.INSTRUCTIONS]
    text += ["## Errors", "",
             "An instruction is checked before it has any effect: opcode, reserved bits, fields, "
             "on-chip bounds in the order of the tables above, host windows. The first error is "
             "kept in the registers ERROR_CODE, ERROR_INDEX and ERROR_ADDR. Counts and `bytes` are "
             "at least 1, `shift` at most 62, `multiplier` below 2^31, "
             "`clamp_min` at most `clamp_max`, `op` at most 2, MAP's `mode` not RAW, `lead` below "
             "`rows`, and 0 without `depthwise`, `blank` below `rows`, and 0 with `depthwise`. "
             "There are `param_channels` places for parameters, 16 for each of `vector_lanes`, but "
             "at most 128 and at least `cols`. `channel` is a multiple of `cols` below that. "
             "`channels` is 1 to `cols`, of PARAMS 1 to `param_channels - channel`. With `apart`, "
             "`y_count` of MATMUL is 1, and `channel + y_count * cols` of DRAIN at most "
             "`param_channels`.", "",
             _table(["code", "name", "meaning", "address"], [
                 [int(code), f"`{code.name}`", code.doc, code.where] for code in isa.ErrorCode])]
    return "\n".join(text)


PAGES = {"registers.md": registers, "instruction_set.md": instruction_set}


def main():
    for name, page in PAGES.items():
        text = page()
        path = DOCS / name
        # an unchanged page keeps its time, so that Sphinx does not build it again
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


if __name__ == "__main__":
    main()
