"""Storage of the registers of a module side by side, and the order of their updates."""

import re

__all__ = ["gather_registers", "sort_updates"]

_EVAL = re.compile(r"^bool \w+::eval\(performer \*performer\) \{\n(?P<body>.*?)"
                   r"^\treturn converged;\n", re.MULTILINE | re.DOTALL)
_STATEMENT = re.compile(r"^(?=\t//)", re.MULTILINE)
_UPDATE = re.compile(r"\t// cells? .*\n\tif \(posedge_\w+\) \{\n(?:\t\t.*\n)+\t\}\n")
_UPDATED = re.compile(r"^\t+(\w+)\.next\b.* = ", re.MULTILINE)
_WIRE = re.compile(r"^\twire<(\d+)> (\w+);\n", re.MULTILINE)
_STATE = re.compile(r"\b(\w+)\.(curr|next)\b")
_LATCHED = re.compile(r"^\tcurr\.(\w+) = next\.\1;\n", re.MULTILINE)
_INITIAL = re.compile(r"^\t(\w+) = wire<(\d+)>\{([^}]*)\};\n", re.MULTILINE)
_COMMITTED = re.compile(r"^\t\tif \((\w+)\.commit\(observer\)\) changed = true;\n", re.MULTILINE)
_COMMIT_PART = re.compile(r"^bool \w+::commit_\d+\(\) \{\n.*?^\}\n\n", re.MULTILINE | re.DOTALL)
_COMMIT = re.compile(r"^(bool \w+::commit\(\) \{\n).*?^\}\n\n", re.MULTILINE | re.DOTALL)


def gather_registers(source: str) -> str:
    """Gather the registers of a module in two structures, ``curr`` and ``next``.

    CXXRTL's ``wire`` consists of a register's value in this cycle and its value in the next one.
    Gathered, ``latch`` copies all of them at once. ``commit``, which compares them, has no effect
    afterwards: this is for designs that need one evaluation per cycle. Registers that drive ports
    stay where they are.

    Parameters
    ----------
    source : :class:`str`
        C++ from :func:`~weft_host.device.cxxrtl.split`.

    Raises
    ------
    ValueError
        If ``source`` does not have the expected form.
    """
    widths = {match[2]: match[1] for match in _WIRE.finditer(source)}
    begin = re.search(r"^struct (\w+) : public module \{\n", source, re.MULTILINE)
    if begin is None:
        raise ValueError("the C++ has no module")
    before, after = source[:begin.start()], source[begin.end():]
    module = begin[1]
    after = _WIRE.sub("", after)
    after = _COMMITTED.sub(lambda match: "" if match[1] in widths else match[0], after)
    after = _COMMIT_PART.sub("", after)
    after = _COMMIT.sub(r"\1\treturn false;\n}\n\n", after)
    after = _STATE.sub(lambda match: f"{match[2]}.{match[1]}" if match[1] in widths else match[0],
                       after)
    after, latched = _LATCHED.subn("", after)
    if latched != len(widths):
        raise ValueError(f"{latched} of {len(widths)} registers are latched")
    after = _INITIAL.sub(lambda match: _initial(match, widths), after)
    for head, statement in ((f"void {module}::latch() {{\n", "\tcurr = next;\n"),
                            (f"void {module}::reset() {{\n", "\tnext = State();\n")):
        if after.count(head) != 1:
            raise ValueError(f"the C++ has no method {head.split()[1]}")
        after = after.replace(head, head + statement)
    reset = re.compile(rf"^(void {module}::reset\(\) \{{\n.*?)^\}}\n", re.MULTILINE | re.DOTALL)
    after = reset.sub(r"\1\tcurr = next;\n}\n", after, count=1)
    members = "".join(f"\tvalue<{widths[name]}> {name};\n" for name in sorted(widths, key=_natural))
    return f"{before}struct State {{\n{members}}};\n\n{begin[0]}\tState curr, next;\n{after}"


def sort_updates(source: str) -> str:
    """Move the updates of the registers to the end of ``eval``, in the order of their names.

    An update only depends on the registers' values in this cycle and on combinational signals, so
    that the updates may follow all other statements, in any order. In the order of names, the
    updates of registers with neighbouring addresses follow one another, and the C++ compiler
    replaces them by vector instructions.

    Parameters
    ----------
    source : :class:`str`
        C++ from ``write_cxxrtl`` with one flattened module.
    """
    method = _EVAL.search(source)
    if method is None:
        raise ValueError("the C++ has no method eval")
    others, updates = [], []
    for statement in _STATEMENT.split(method["body"]):
        names = set(_UPDATED.findall(statement))
        if len(names) == 1 and _UPDATE.fullmatch(statement):
            updates.append((_natural(names.pop()), statement))
        else:
            others.append(statement)
    body = "".join([*others, *(statement for _, statement in sorted(updates))])
    return source[:method.start("body")] + body + source[method.end("body"):]


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts the numbers in names by their values."""
    return [(int(part), "") if part.isdigit() else (0, part)
            for part in re.findall(r"\d+|\D+", name)]


def _initial(match: re.Match[str], widths: dict[str, str]) -> str:
    """Return the statement that sets a register's initial value, which is 0 without a statement."""
    name, width, value = match.groups()
    if name not in widths:
        return match[0]
    return "" if not re.search("[1-9a-f]", value.replace("0x", "")) else (
        f"\tnext.{name} = value<{width}>{{{value}}};\n")
