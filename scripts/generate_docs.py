"""Generate the documentation pages of registers and instructions, and the table of ports."""

import dataclasses
import pathlib
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from weft.spec import isa, register_map
from weft.spec.extents import ALL_EXTENTS, HOST, Extent
from weft.spec.fixed_point_instructions import MAX_FRACTION, MIN_FRACTION
from weft.spec.isa import Field, Instruction
from weft.spec.presets import preset
from weft.spec.register_map import Bits, Register
from weft.spec.step_instructions import STEP_BIT, STEP_COUNTS
from weft_host.verilog.ports import port_groups

_F = TypeVar("_F", Field, Bits)

DOCS = pathlib.Path(__file__).resolve().parents[1] / "docs"

_MEMORIES = {"spad": "scratchpad, bytes", "wgt": "weight buffer, bytes",
             "tiles": "weight buffer, tiles", "acc": "accumulators, rows",
             HOST: "host memory, bytes"}
_ACCESS = {"RO": "read only", "RW": "read and write; writes are refused while BUSY",
           "WO": "write only; reads as 0", "W1C": "read; writing 1 clears a bit"}


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |"
                     for line in lines) + "\n"


def _bits(high: int, low: int) -> str:
    return str(low) if high == low else f"{high}:{low}"


def _with_gaps(
        fields: Iterable[_F], width: int, row: Callable[[str, _F], list[str]],
        reserved: Callable[[str], list[str]]) -> list[list[str]]:
    """Return a table row for each field and for each run of bits outside all fields."""
    rows, next_bit = [], 0
    for field in sorted(fields, key=lambda field: field.offset):
        if field.offset > next_bit:
            rows.append(reserved(_bits(field.offset - 1, next_bit)))
        rows.append(row(_bits(field.offset + field.width - 1, field.offset), field))
        next_bit = field.offset + field.width
    if next_bit < width:
        rows.append(reserved(_bits(width - 1, next_bit)))
    return rows


def _register(register: Register, heading: str, where: str) -> list[str]:
    """Return the section of one register, or of a sequence of equal ones."""
    text = [f"## {heading}", "", f"{where}, {_ACCESS[register.access]}. {register.doc}"]
    if register.align > 1:
        text += ["", f"Writing anything but a multiple of {register.align} is refused."]
    return [*text, "", _table(["bits", "field", "description"], _with_gaps(
        register.fields, 32, lambda bits, field: [bits, f"`{field.name}`", field.doc],
        lambda bits: [bits, "", "reads as 0"]))]


def registers() -> str:
    """Return the page of the register map."""
    text = ["# Registers", "", *(register_map.__doc__ or "").strip().split("\n")[2:], "",
            "This page is generated from `hdl/weft/spec/register_map.py`, like the hardware, the "
            "driver and the C header (`python scripts/generate_header.py`).", "", "## Overview", "",
            _table(["offset", "name", "access", "description"], [
                [f"`0x{register.offset:03X}`",
                 f"[{register.name}](#{register.name.lower()})",
                 register.access, register.doc] for register in register_map.REGISTERS])]
    for register in register_map.REGISTERS:
        text += _register(register, register.name, f"Offset `0x{register.offset:03X}`")
    first, last = register_map.STEP_REGISTERS[0], register_map.STEP_REGISTERS[-1]
    several = dataclasses.replace(
        first, doc="The instructions whose names end in `_STEP` take counts and host addresses "
                   "from these registers. CLEAR zeroes them; a soft reset does not. Only "
                   "configurations with `fixed_point` have them; elsewhere, the offsets are "
                   "unmapped.")
    text += _register(several, f"{first.name} to {last.name}",
                      f"Offsets `0x{first.offset:03X}` + 4 * *n* for *n* from 0 to "
                      f"{len(register_map.STEP_REGISTERS) - 1}")
    return "\n".join(text)


def _sum(extent: Extent) -> str:
    """Return the end of an extent as a formula."""
    parts = [f"`{extent.base}`"]
    if extent.memory == HOST:
        parts.insert(0, "MEM_BASE")
    for term in extent.terms:
        count = f"({term.count} - {term.less})" if term.less else term.count
        # the distance from the first to the last of two items is their pitch
        pitch = str(term.pitch).replace("*", " * ")
        product = f"`{pitch}`" if term.count == 2 else f"`{count} * {pitch}`"
        if term.hold:
            product = f"({product}, or 1 with `hold`)"
        if term.apart:
            product = f"({product}, or `{term.apart} * {term.pitch}` with `apart`)"
        parts.append(product)
    if extent.extra:
        words = {"rows": "rows of the array", "outputs": "`channels`, times 4 in mode RAW",
                 "table": f"{isa.TABLE_BYTES}"}
        parts.append(words.get(extent.extra, f"`{extent.extra}`"))
    by_size: dict[str, list[int]] = {}
    for value, size in extent.extras:
        by_size.setdefault(size, []).append(value)
    if len(by_size) > 1:
        parts.append("(" + ", ".join(f"`{size}` with `{extent.kind}` {_either(values)}"
                                     for size, values in by_size.items()) + ")")
    else:
        parts += [f"`{size}`" for size in by_size]
    return " + ".join(parts)


def _either(values: Sequence[int]) -> str:
    """Return a list of alternatives."""
    *others, last = map(str, values)
    return f"{', '.join(others)} or {last}" if others else last


def _condition(extent: Extent) -> str:
    """Return the condition of the access to an extent; empty if there is none."""
    if extent.condition:
        return f"`{extent.condition}` is not 0"
    return f"`{extent.kind}` is {_either(list(extent.by_kind))}" if extent.kind else ""


def _instruction(instruction: Instruction) -> str:
    """Return the section of one instruction: its fields and the memory that it accesses."""
    unit = isa.UNITS[instruction.unit]
    own = 1 << instruction.unit
    text = [f"## {instruction.name}", "", f"Opcode `0x{instruction.opcode:02X}`, executed by "
            f"{unit}. {instruction.doc}", "", _table(["bits", "field", "description"], _with_gaps(
                instruction.fields, 8 * isa.INSTRUCTION_BYTES,
                lambda bits, field: [bits, f"`{field.name}`" + (", signed" if field.signed else ""),
                                     field.doc + (f" (bit {instruction.unit}, {unit} itself, must "
                                                  "be 0)" if field.name in ("wait", "signal")
                                                  else "")],
                lambda bits: [bits, "", "reserved, must be 0"]))]
    assert instruction.reserved_mask >> instruction.field("wait").offset & own
    extents = ALL_EXTENTS.get(instruction.name, ())
    if extents:
        text += ["The instruction accesses these address ranges. It is refused if any part of them "
                 "does not exist:", "", _table(
                     ["memory", "start", "end (excluded)", "only if", "error"], [
                         [_MEMORIES[extent.memory],
                          ("MEM_BASE + " if extent.memory == HOST else "") + f"`{extent.base}`",
                          _sum(extent), _condition(extent),
                          f"`{extent.code.name}`"] for extent in extents])]
    return "\n".join(text)


def _overview(instructions: Iterable[Instruction]) -> str:
    """Return the table of the opcodes and summaries of instructions."""
    return _table(["opcode", "instruction", "unit", "description"], [
        [f"`0x{instruction.opcode:02X}`", f"[{instruction.name}](#{instruction.name.lower()})",
         isa.UNITS[instruction.unit], instruction.doc.split(". ")[0].rstrip(".")]
        for instruction in sorted(instructions, key=lambda known: known.opcode)])


def _fixed_point() -> list[str]:
    """Return the sections of the instructions that only some configurations have."""
    text = ["## Fixed-point instructions", "",
            "Configurations with `fixed_point` have these instructions, with which language models "
            "are evaluated. [Their arithmetic](language_model_numerics.md) has a page of its own; "
            "it defines `round_shift`, `sat` and `sat16`. In other configurations, their opcodes "
            "are unknown.", "", _overview(isa.FIXED_POINT_INSTRUCTIONS)]
    text += [_instruction(instruction) for instruction in isa.FIXED_POINT_INSTRUCTIONS]
    text += ["## 4-bit weights", "",
             "Configurations with `weights_4bit` have this instruction. [Its stream]("
             "decisions/0029-four-bit-weights.md) is described in the decision about it. In other "
             "configurations, its opcode is unknown.", "", _overview(isa.FOUR_BIT_INSTRUCTIONS)]
    text += [_instruction(instruction) for instruction in isa.FOUR_BIT_INSTRUCTIONS]
    text += ["## Variants with step registers", "",
             f"Configurations with `fixed_point` also have a variant of {len(STEP_COUNTS)} "
             f"instructions, whose opcode has the bit `0x{STEP_BIT:02X}` set. The sequencer "
             "replaces a variant by the instruction without this bit before the instruction is "
             "checked: a count comes from the lower 16 bits of a [step "
             "register](registers.md#step0-to-step63), limited to a constant of the instruction if "
             "that is not 0, and a step register is added to `host_addr` modulo 2^32. The other "
             "fields, their ranges and the address ranges are those of the instruction. If the "
             "count is 0, the instruction only takes and gives its tokens, once, and its other "
             "fields are not checked.", "", _overview(isa.STEP_INSTRUCTIONS)]
    return text + [_instruction(instruction) for instruction in isa.STEP_INSTRUCTIONS]


def _ranges() -> list[str]:
    """Return the list of the ranges of fields."""
    return [
        "- Counts and `bytes` are at least 1, `shift` is at most 62, `multiplier` is below 2^31, "
        "and `clamp_min` is at most `clamp_max`.",
        "- `lead` is below `rows`, and 0 without `depthwise`. `blank` is below `rows`, and 0 with "
        "`depthwise`.",
        "- `op` of MAP is at most 2, and its `mode` is not RAW.",
        "- There are `param_channels` parameter slots: 16 for each of the `vector_lanes`, but at "
        "most 128 and at least `cols`. `channel` is a multiple of `cols` below `param_channels`.",
        "- `channels` is 1 to `cols`; for PARAMS, it is 1 to `param_channels - channel`.",
        "- With `apart`, the `y_count` of MATMUL is 1, and `channel + y_count * cols` of DRAIN is "
        "at most `param_channels`.",
        "- LOAD_RING: `bytes` is a multiple of the bytes of a tile. MATMUL_RING: `acc_pitch` is 0 "
        "or `x_count`.",
        "- LOAD_RING_4BIT: `host_addr` is a multiple of the bytes of a beat.",
        "- DRAIN_PLANES: `scale` is at most 2, `pre_shift` is at most 62, `exponent` requires "
        "`scale` 1, and `shift` is not negative with `scale` 2.",
        "- COMPUTE: `op`, `b_type`, `out_type` and `reduce` have one of the listed values. "
        "`row_shift` requires MULTIPLY and `reduce` 0. With `reduce` 4, `op`, `b_type`, `out_type` "
        "and `shift` are 0. `b_type` is 1, 2 or 3 for ADD, SUBTRACT and "
        "MAXIMUM, 0 for SIGMOID and GELU_GATE, and 3 for EXPONENTIAL; for these three functions, "
        f"`shift` is {MIN_FRACTION} to {MAX_FRACTION}. For ROTATE, all three types are int32, and "
        "`elements_count` is even.",
        "- SOLVE: `op` is at most 4, and the `constant` of MEAN is not 0.",
        "- A variant with step registers: a count field that is the number of a step register is "
        "below 64.", ""]


def instruction_set() -> str:
    """Return the page of the instruction set."""
    text = ["# Instruction set", "",
            f"Version {isa.ISA_VERSION}. An instruction is {isa.INSTRUCTION_BYTES} bytes, "
            "little-endian: bit *n* of a table is bit *n* % 8 of byte *n* // 8. Reserved bits must "
            "be zero. This page is generated from `hdl/weft/spec/instruction_table.py`, like "
            "encoder, decoder, disassembler and the hardware's checks.", "",
            "Each instruction enters the queue of its unit. It starts when it is at the head of "
            "the queue, the unit is ready, and a token from every unit in `wait` is available. "
            "When it is done, every unit in `signal` receives a token. There is a token counter of "
            "0 to 255 for each ordered pair of units; START zeroes the counters.", "",
            "## Overview", "",
            _overview(isa.INSTRUCTIONS)]
    text += [_instruction(instruction) for instruction in isa.INSTRUCTIONS]
    text += _fixed_point()
    text += ["## Errors", "",
             "An instruction is checked before it has any effect, in this order: opcode, reserved "
             "bits, fields, on-chip bounds in the order of the tables above, host windows. The "
             "registers ERROR_CODE, ERROR_INDEX and ERROR_ADDR store the first error.", "",
             "These are the ranges of the fields:", "",
             *_ranges(),
             _table(["code", "name", "meaning", "address"], [
                 [int(code), f"`{code.name}`", code.doc, code.where] for code in isa.ErrorCode])]
    return "\n".join(text)


def _width_formulas(name: str) -> dict[str, str]:
    """Return the width of each port of a preset in terms of a parameter, if it depends on one."""
    def widths(**changes: int) -> dict[str, int]:
        return {port.name: port.width for group in port_groups(preset(name, **changes))
                for port in group.ports}
    formulas = {}
    for parameter, value in (("addr_width", 16), ("bus_width", 256)):
        known = getattr(preset(name), parameter)
        for port, width in widths(**{parameter: value}).items():
            if width != widths()[port]:
                divisor = value // width
                assert width * divisor == value and widths()[port] * divisor == known, port
                formulas[port] = f"`{parameter}`" + (f" / {divisor}" if divisor > 1 else "")
    return formulas


def ports() -> str:
    """Return the table of the ports of the Verilog module."""
    formulas = _width_formulas("small")
    rows: list[list[object]] = []
    for group in port_groups(preset("small")):
        rows.append([f"**{group.title}**", "", "", "", ""])
        rows += [[f"`{port.name}`", port.direction, port.width, formulas.get(port.name, ""),
                  port.meaning] for port in group.ports]
    return _table(["port", "direction", "bits in `small`", "parameter", "meaning"], rows)


PAGES = {"registers.md": registers, "instruction_set.md": instruction_set, "ports.inc": ports}


def main() -> None:
    """Write the pages and the table into ``docs/``."""
    for name, page in PAGES.items():
        text = page()
        path = DOCS / name
        # an unchanged page keeps its time stamp, so that Sphinx does not rebuild it
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


if __name__ == "__main__":
    main()
