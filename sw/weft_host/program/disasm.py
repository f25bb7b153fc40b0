"""Programs as text and as JSON."""

from weft.spec import isa

__all__ = ["units", "describe", "as_dict", "disassemble", "listing"]

_HEX = ("host_addr", "local_addr", "act_addr", "out_addr", "bias_addr", "scale_addr", "multiplier",
        "wgt_addr", "acc_addr", "table_addr", "a_addr", "b_addr")


def units(mask):
    """Names of the units whose bits are set in ``mask``."""
    return [name for index, name in enumerate(isa.UNITS) if mask >> index & 1]


def as_dict(raw, index=0):
    """One instruction as plain data: ``index name unit wait signal fields raw``.

    An unknown opcode has the name ``"ILLEGAL"``, no unit and no fields.
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


def describe(raw):
    """One instruction as a line of text; fields that are zero are left out."""
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


def listing(program):
    """All instructions of a program as plain data; see :func:`as_dict`."""
    return [as_dict(program.instruction(index), index)
            for index in range(program.instruction_count)]


def disassemble(program):
    """A program as lines of text: index, unit, instruction."""
    width = max(4, len(str(program.instruction_count)))
    lines = []
    for index in range(program.instruction_count):
        raw = program.instruction(index)
        unit = as_dict(raw)["unit"] or "-"
        lines.append(f"{index:{width}d}  {unit:6}  {describe(raw)}")
    return lines
