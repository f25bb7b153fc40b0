"""Cuts CXXRTL's long functions into short ones, which C++ compilers take far less time for."""

import re

__all__ = ["guard_writes", "split"]

_HEAD = re.compile(r"^bool (\w+)::eval\(performer \*performer\) \{\n", re.MULTILINE)
_DECLARED = "\tbool eval(performer *performer = nullptr) override;\n"
_LOCAL = re.compile(r"\tvalue<\d+> \w+;\n")
_COMMIT = re.compile(r"\tbool commit\(ObserverT &observer\) \{\n(.*?)\t\treturn changed;\n",
                     re.DOTALL)
_COMMIT_CALL = ("\tbool commit() override {\n\t\tobserver observer;\n"
                "\t\treturn commit<>(observer);\n\t}\n")
_RESET = re.compile(r"^void (\w+)::reset\(\) \{\n(.*?)^\}\n", re.MULTILINE | re.DOTALL)
_RESET_DECLARED = "\tvoid reset() override;\n"
_UPDATE = re.compile(r"\t\tif \((\w+)\.commit\(observer\)\) changed = true;\n")
_WRITE = re.compile(r"(?P<tabs>\t+)memory_\w+\.update\((?P<arguments>.*)\);\n")
_SIGNAL = re.compile(r"\b[pi]_\w+(?:\.curr)?")
# a value made of bits of signals, without any logic
_BITS = re.compile(r"(?:[pi]_\w+|\.curr|\.val\(\)|\.slice<[\d,]+>\(\)|\.repeat<\d+>\(\)"
                   r"|\.concat\(|\))*")
_CLOCKS = re.compile(r"\tbool (posedge_\w+|negedge_\w+) = this->\1\(\);\n")


def split(source, statements=40):
    """``source``, as ``write_cxxrtl`` wrote it, in parts, and with a new method ``latch``.

    The body of ``eval`` is a sequence of statements, each behind a comment that names its cells or
    its memory;
    what they share are local variables, which become members. Those of ``reset`` and ``commit``
    share nothing. A compiler's time grows faster than linearly with the length of a function, so
    this makes minutes into seconds.

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
    while lines and not lines[0].startswith(
            ("\t// cell", "\t// conn", "\t// memory", "\tif ")):
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
        if line.startswith(("\t// cell", "\t// conn", "\t// memory")):
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
    found = _COMMIT.search(source)
    if found is None or source.count(_COMMIT_CALL) != 1:
        raise ValueError("the C++ has no method commit")
    updates = found[1].splitlines(keepends=True)
    declared += "".join(local)
    for name, result, part in (("latch", "void", _latched(updates)),
                               ("commit", "bool", _committed(updates))):
        more, body = _in_parts(module, name, result, part)
        declared += more + (f"\tvoid {name}();\n" if name == "latch" else "")
        bodies += body
    before = source[:head.start()].replace(_COMMIT_CALL, "\tbool commit() override;\n")
    reset = _RESET.search(before)
    if reset is None or before.count(_RESET_DECLARED) != 1:
        raise ValueError("the C++ has no method reset")
    more, body = _in_parts(module, "reset", "void", _statements(reset[2]))
    before = before[:reset.start()] + body + before[reset.end():]
    return (before.replace(_DECLARED, _DECLARED + declared + more)
            + bodies + head[0] + "".join(prologue) + calls + source[tail:])


def _statements(body):
    """The statements of ``reset``: a line each, or a table and the line that copies it."""
    statement = ""
    for line in body.splitlines(keepends=True):
        statement += line
        if line.startswith(("\tp_", "\ti_", "\tstd::copy(")) and line.endswith(";\n"):
            yield statement
            statement = ""
    if statement:
        yield statement


def _in_parts(module, name, result, statements, size=40):
    """Declarations and definitions: a method of that name that calls others, each of ``size``
    statements. One that returns ``bool`` says whether any of them set ``changed``."""
    statements = list(statements)
    starts = range(0, len(statements), size)
    declared = "".join(f"\t{result} {name}_{number}();\n" for number in range(len(starts)))
    begin, end, call, before, after = ("", "", "", "", "")
    if result == "bool":
        begin, end = "\tbool changed = false;\n", "\treturn changed;\n"
        call, before, after = "if (", ")", " changed = true"
    observer = "" if name == "reset" else "\tcxxrtl::observer observer;\n"
    bodies = "".join(
        f"{result} {module}::{name}_{number}() {{\n{observer}{begin}"
        f"{''.join(statements[start:start + size])}{end}}}\n\n"
        for number, start in enumerate(starts))
    calls = "".join(f"\t{call}{name}_{number}(){before}{after};\n"
                    for number in range(len(starts)))
    return declared, bodies + f"{result} {module}::{name}() {{\n{begin}{calls}{end}}}\n\n"


def _committed(updates):
    """The statements of ``commit``, but what begins and ends it."""
    return [line for line in updates if line.strip() != "bool changed = false;"]


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


def _latched(updates):
    """The statements of ``latch``, made from those of ``commit``."""
    for line in updates:
        update = _UPDATE.fullmatch(line)
        if update and not update[1].startswith("memory_"):
            yield f"\t{update[1]}.curr = {update[1]}.next;\n"
        elif update:
            yield f"\t{update[1]}.commit(observer);\n"
        elif line.strip() != "bool changed = false;":
            yield line
