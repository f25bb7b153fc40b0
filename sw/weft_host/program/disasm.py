"""Disassembler: instructions as text and as plain data for JSON."""

from typing import NotRequired, TypedDict

from weft.spec import isa

from .file import Program
from .labels import instruction_labels

__all__ = ["Entry", "as_dict", "describe", "disassemble", "listing", "units"]

_HEX = ("host_addr", "local_addr", "act_addr", "out_addr", "bias_addr", "scale_addr", "multiplier",
        "wgt_addr", "acc_addr", "table_addr", "a_addr", "b_addr")


class Entry(TypedDict):
    """One instruction as plain data; with ``layer`` and ``part`` if the program has labels."""

    index: int
    name: str
    unit: str | None
    wait: list[str]
    signal: list[str]
    fields: dict[str, int]
    raw: str
    layer: NotRequired[str]
    part: NotRequired[str]


def units(mask: int) -> list[str]:
    """Return the names of the units whose bits are set in ``mask``."""
    return [name for index, name in enumerate(isa.UNITS) if mask >> index & 1]


def as_dict(raw: bytes, index: int = 0) -> Entry:
    """Decode one instruction to plain data.

    An unknown opcode gets the name ``"ILLEGAL"``, no unit and no fields.
    """
    instruction, values = isa.decode(raw)
    if instruction is None:
        return {"index": index, "name": "ILLEGAL", "unit": None, "wait": [], "signal": [],
                "fields": {}, "raw": bytes(raw).hex()}
    fields = {key: value for key, value in values.items()
              if key not in ("opcode", "wait", "signal")}
    return {"index": index, "name": instruction.name, "unit": isa.UNITS[instruction.unit],
            "wait": units(values["wait"]), "signal": units(values["signal"]), "fields": fields,
            "raw": bytes(raw).hex()}


def describe(raw: bytes) -> str:
    """Format one instruction as a line of text, without the fields that are zero."""
    entry = as_dict(raw)
    if entry["unit"] is None:
        return f"ILLEGAL opcode={raw[0]:#04x}"
    words = [entry["name"]]
    words += [f"{key}={value:#x}" if key in _HEX else f"{key}={value}"
              for key, value in entry["fields"].items() if value]
    if entry["wait"]:
        words.append("wait=" + "+".join(entry["wait"]))
    if entry["signal"]:
        words.append("signal=" + "+".join(entry["signal"]))
    return " ".join(words)


def listing(program: Program) -> list[Entry]:
    """Decode all instructions of a program to plain data; see :func:`as_dict`."""
    found = [as_dict(program.instruction(index), index)
             for index in range(program.instruction_count)]
    for entry, label in zip(found, instruction_labels(program) or ()):
        entry["layer"], entry["part"] = label.layer, label.part
    return found


def disassemble(program: Program) -> list[str]:
    """Format a program as lines of text, each with index, unit and instruction.

    If the program has labels, such as that of a language model, a line with the layer and the part
    is in front of the instructions of each part.
    """
    width = max(4, len(str(program.instruction_count)))
    labels, last = instruction_labels(program), None
    lines: list[str] = []
    for index in range(program.instruction_count):
        raw = program.instruction(index)
        if labels is not None and labels[index] != last:
            last = labels[index]
            lines.append(f"{last}:")
        unit = as_dict(raw)["unit"] or "-"
        lines.append(f"{index:{width}d}  {unit:6}  {describe(raw)}")
    return lines
