"""Cuts CXXRTL's long functions into short ones, which C++ compilers take far less time for."""

import re

__all__ = ["guard_writes", "split"]

_HEAD = re.compile(r"^bool (\w+)::eval\(performer \*performer\) \{\n", re.MULTILINE)
_DECLARED = "\tbool eval(performer *performer = nullptr) override;\n"
_LOCAL = re.compile(r"\tvalue<\d+> \w+;\n")
_COMMIT = re.compile(r"\tbool commit\(ObserverT &observer\) \{\n(.*?)\t\treturn changed;\n",
                     re.DOTALL)
_UPDATE = re.compile(r"\t\tif \((\w+)\.commit\(observer\)\) changed = true;\n")
_WRITE = re.compile(r"(?P<tabs>\t+)memory_\w+\.update\((?P<arguments>.*)\);\n")
_SIGNAL = re.compile(r"\b[pi]_\w+(?:\.curr)?")
# a value made of bits of signals, without any logic
_BITS = re.compile(r"(?:[pi]_\w+|\.curr|\.val\(\)|\.slice<[\d,]+>\(\)|\.repeat<\d+>\(\)"
                   r"|\.concat\(|\))*")
_CLOCKS = re.compile(r"\tbool (posedge_\w+|negedge_\w+) = this->\1\(\);\n")


def split(source, statements=40):
    """``source``, as ``write_cxxrtl`` wrote it, with ``eval`` in parts and a new method ``latch``.

    The body is a sequence of statements, each behind a comment that names its cells; what they
    share are local variables, which become members. A compiler's time grows faster than linearly
    with the length of a function, so this makes minutes into seconds.

    ``latch`` does what ``commit`` does without telling whether anything has changed, which is most
    of its work. A memory is written only where a bit of the write's enable is set; CXXRTL queues
    every write, with a mask that may be empty.

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
    # false from the start: a design with loops, which is evaluated until nothing changes
    begins = ("\tbool converged = true;\n", "\tbool converged = false;\n")
    if len(prologue) != len(clocks) + 1 or prologue[0] not in begins:
        raise ValueError(f"eval begins with something new: {''.join(prologue)!r}")

    parts: list[list[str]] = [[]]
    count = 0
    for line in lines:
        if _LOCAL.fullmatch(line):
            raise ValueError(f"a local variable in the middle of eval: {line!r}")
        if line.startswith(("\t// cell", "\t// conn")):
            count += 1
            if count > statements:
                parts.append([])
                count = 1
        parts[-1].append(guard_writes(line))

    given = "".join(f", bool {clock}" for clock in clocks)
    passed = "".join(f", {clock}" for clock in clocks)
    declared = "".join(f"\tvoid eval_{number}(bool &converged{given});\n"
                       for number in range(len(parts)))
    bodies = "".join(
        f"void {module}::eval_{number}(bool &converged{given}) {{\n{''.join(part)}}}\n\n"
        for number, part in enumerate(parts))
    calls = "".join(f"\teval_{number}(converged{passed});\n" for number in range(len(parts)))
    declared += "\tvoid latch();\n" + "".join(local)
    return (source[:head.start()].replace(_DECLARED, _DECLARED + declared)
            + bodies + _latch(module, source) + head[0] + "".join(prologue) + calls + source[tail:])


def guard_writes(lines):
    """C++ whose writes of memory happen only where a bit of their mask may be set."""
    return _WRITE.sub(_if_enabled, lines)


def _if_enabled(write):
    """A write of memory behind a test of what its mask is made of."""
    arguments, depth, start = [], 0, 0
    text = write["arguments"]
    for at, letter in enumerate(text):
        depth += (letter in "({[") - (letter in ")}]")
        if depth == 0 and text.startswith(", ", at):
            arguments.append(text[start:at])
            start = at + 2
    if len(arguments) != 3:
        raise ValueError(f"a write of memory has new arguments: {write[0]!r}")
    mask = arguments[2]
    enables = sorted(set(_SIGNAL.findall(mask)))
    if not enables or not _BITS.fullmatch(mask):    # it may be set where none of them is
        return write[0]
    test = " || ".join(f"!{enable}.is_zero()" for enable in enables)
    return f"{write['tabs']}if ({test}) {write[0].lstrip()}"


def _latch(module, source):
    """The method ``latch``, made from ``commit``."""
    found = _COMMIT.search(source)
    if found is None:
        raise ValueError("the C++ has no method commit")
    lines = []
    for line in found[1].splitlines(keepends=True):
        update = _UPDATE.fullmatch(line)
        if update and not update[1].startswith("memory_"):
            lines.append(f"\t{update[1]}.curr = {update[1]}.next;\n")
        elif update:
            lines.append(f"\t{update[1]}.commit(observer);\n")
        elif line.strip() != "bool changed = false;":
            lines.append(line)
    return f"void {module}::latch() {{\n\tcxxrtl::observer observer;\n{''.join(lines)}}}\n\n"
