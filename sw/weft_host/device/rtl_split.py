"""Cuts CXXRTL's one long function into short ones, which C++ compilers take far less time for."""

import re

__all__ = ["split_eval"]

_HEAD = re.compile(r"^bool (\w+)::eval\(performer \*performer\) \{\n", re.MULTILINE)
_DECLARED = "\tbool eval(performer *performer = nullptr) override;\n"
_LOCAL = re.compile(r"\tvalue<\d+> \w+;\n")
_CLOCKS = re.compile(r"\tbool (posedge_\w+|negedge_\w+) = this->\1\(\);\n")


def split_eval(source, statements=40):
    """``source``, as ``write_cxxrtl`` wrote it, with the body of ``eval`` in several functions.

    The body is a sequence of statements, each behind a comment that names its cells; what they
    share are local variables, which become members. A compiler's time grows faster than linearly
    with the length of a function, so this makes minutes into seconds.

    Parameters
    ----------
    source : :class:`str`
        C++ with one flattened module.
    statements : :class:`int`
        Statements of a function.

    Raises
    ------
    ValueError
        If ``source`` does not look as expected.
    """
    heads = list(_HEAD.finditer(source))
    if len(heads) != 1 or source.count(_DECLARED) != 1:
        raise ValueError(f"the C++ holds {len(heads)} modules instead of one flattened module")
    head, module = heads[0], heads[0][1]
    tail = source.index("\treturn converged;\n}\n", head.end())
    lines = source[head.end():tail].splitlines(keepends=True)

    prologue, local = [], []
    while lines and not lines[0].startswith(("\t// cell", "\t// conn", "\tif ")):
        line = lines.pop(0)
        if _LOCAL.fullmatch(line):
            local.append(line)
        elif not line.startswith("\t//"):
            prologue.append(line)
    clocks = [match[1] for match in map(_CLOCKS.fullmatch, prologue) if match]
    if len(prologue) != len(clocks) + 1 or prologue[0] != "\tbool converged = true;\n":
        raise ValueError(f"eval begins with something new: {''.join(prologue)!r}")

    parts, count = [[]], 0
    for line in lines:
        if _LOCAL.fullmatch(line):
            raise ValueError(f"a local variable in the middle of eval: {line!r}")
        if line.startswith(("\t// cell", "\t// conn")):
            count += 1
            if count > statements:
                parts.append([])
                count = 1
        parts[-1].append(line)

    given = "".join(f", bool {clock}" for clock in clocks)
    passed = "".join(f", {clock}" for clock in clocks)
    declared = "".join(f"\tvoid eval_{number}(bool &converged{given});\n"
                       for number in range(len(parts)))
    bodies = "".join(
        f"void {module}::eval_{number}(bool &converged{given}) {{\n{''.join(part)}}}\n\n"
        for number, part in enumerate(parts))
    calls = "".join(f"\teval_{number}(converged{passed});\n" for number in range(len(parts)))
    return (source[:head.start()].replace(_DECLARED, _DECLARED + declared + "".join(local))
            + bodies + head[0] + "".join(prologue) + calls + source[tail:])
