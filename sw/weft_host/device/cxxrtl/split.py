"""Division of CXXRTL's long functions into short ones, which compile much faster."""

import re
from collections.abc import Iterable, Iterator

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
# an expression that selects and concatenates bits of signals, without logic
_BITS = re.compile(r"(?:[pi]_\w+|\.curr|\.val\(\)|\.slice<[\d,]+>\(\)|\.repeat<\d+>\(\)"
                   r"|\.concat\(|\))*")
_CLOCKS = re.compile(r"\tbool (posedge_\w+|negedge_\w+) = this->\1\(\);\n")
_STATEMENT = ("\t// cell", "\t// conn", "\t// memory")


def split(source: str, statements: int = 40) -> str:
    """Split the long functions of C++ code from ``write_cxxrtl`` and add the method ``latch``.

    The time of a compiler grows faster than linearly with the length of a function, so this
    reduces it from minutes to seconds.

    The body of ``eval`` is a sequence of statements, each after a comment that names its cells or
    its memory. Local variables that they share become members. The statements of ``reset`` and
    ``commit`` share nothing.

    ``latch`` is ``commit`` without the check whether anything has changed, which is most of the
    work of ``commit``. A memory is written only if a bit of the write's enable is set; CXXRTL
    queues every write, even with an empty mask.

    Parameters
    ----------
    source : :class:`str`
        C++ with one flattened module.
    statements : :class:`int`
        Largest number of statements in a function.

    Raises
    ------
    ValueError
        If ``source`` does not have the expected form.
    """
    heads = list(_HEAD.finditer(source))
    if len(heads) != 1 or source.count(_DECLARED) != 1:
        raise ValueError(f"the C++ has {len(heads)} modules instead of one flattened module")
    head, module = heads[0], heads[0][1]
    tail = source.index("\treturn converged;\n}\n", head.end())
    lines = source[head.end():tail].splitlines(keepends=True)
    prologue, local = _take_prologue(lines)
    declared, bodies, calls = _split_eval(module, lines, _clocks(prologue), statements)

    commit = _COMMIT.search(source)
    if commit is None or source.count(_COMMIT_CALL) != 1:
        raise ValueError("the C++ has no method commit")
    updates = commit[1].splitlines(keepends=True)
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
    more, body = _in_parts(module, "reset", "void", _reset_statements(reset[2]))
    before = before[:reset.start()] + body + before[reset.end():]
    return (before.replace(_DECLARED, _DECLARED + declared + more)
            + bodies + head[0] + "".join(prologue) + calls + source[tail:])


def _take_prologue(lines: list[str]) -> tuple[list[str], list[str]]:
    """Remove the lines before the first statement of ``eval``.

    Return those that stay at its beginning, and the declarations of local variables.
    """
    prologue: list[str] = []
    local: list[str] = []
    while lines and not lines[0].startswith((*_STATEMENT, "\tif ")):
        line = lines.pop(0)
        if _LOCAL.fullmatch(line):
            local.append(line)
        elif not line.startswith("\t//"):
            prologue.append(line)
    return prologue, local


def _clocks(prologue: list[str]) -> list[str]:
    """Return the names of the local variables for clock edges, which ``eval`` defines first."""
    clocks = [match[1] for match in map(_CLOCKS.fullmatch, prologue) if match]
    # ``converged`` is false in a design with loops, which is evaluated until nothing changes
    begins = ("\tbool converged = true;\n", "\tbool converged = false;\n")
    if len(prologue) != len(clocks) + 1 or prologue[0] not in begins:
        raise ValueError(f"eval has an unknown beginning: {''.join(prologue)!r}")
    return clocks


def _split_eval(module: str, lines: list[str], clocks: list[str],
                statements: int) -> tuple[str, str, str]:
    """Return declarations and bodies of the parts of ``eval``, and the calls of the parts."""
    parts: list[list[str]] = [[]]
    count = 0
    for line in lines:
        if _LOCAL.fullmatch(line):
            raise ValueError(f"eval has a local variable between its statements: {line!r}")
        if line.startswith(_STATEMENT):
            count += 1
            if count > statements:
                parts.append([])
                count = 1
        parts[-1].append(guard_writes(line))
    parameters = "".join(f", bool {clock}" for clock in clocks)
    arguments = "".join(f", {clock}" for clock in clocks)
    declared = "".join(f"\tvoid eval_{number}(bool &converged{parameters});\n"
                       for number in range(len(parts)))
    bodies = "".join(
        f"void {module}::eval_{number}(bool &converged{parameters}) {{\n{''.join(part)}}}\n\n"
        for number, part in enumerate(parts))
    calls = "".join(f"\teval_{number}(converged{arguments});\n" for number in range(len(parts)))
    return declared, bodies, calls


def _reset_statements(body: str) -> Iterator[str]:
    """Yield the statements of ``reset``: one line each, or a table and the line that copies it."""
    statement = ""
    for line in body.splitlines(keepends=True):
        statement += line
        if line.startswith(("\tp_", "\ti_", "\tstd::copy(")) and line.endswith(";\n"):
            yield statement
            statement = ""
    if statement:
        yield statement


def _in_parts(module: str, name: str, result: str, statements: Iterable[str],
              size: int = 40) -> tuple[str, str]:
    """Return declarations and definitions of a method that calls parts of ``size`` statements.

    A method with the result ``bool`` returns whether any part has set ``changed``.
    """
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


def _committed(updates: list[str]) -> list[str]:
    """Return the statements of ``commit`` without its first and last one."""
    return [line for line in updates if line.strip() != "bool changed = false;"]


def guard_writes(lines: str) -> str:
    """Make writes of memories conditional on the bits of their masks."""
    return _WRITE.sub(_if_enabled, lines)


def _if_enabled(write: re.Match[str]) -> str:
    """Return a write of a memory after a test of the signals in its mask."""
    arguments: list[str] = []
    depth = start = 0
    text = write["arguments"]
    for at, letter in enumerate(text):
        depth += (letter in "({[") - (letter in ")}]")
        if depth == 0 and text.startswith(", ", at):
            arguments.append(text[start:at])
            start = at + 2
    if len(arguments) != 3:
        raise ValueError(f"a write of a memory has unknown arguments: {write[0]!r}")
    mask = arguments[2]
    enables = sorted(set(_SIGNAL.findall(mask)))
    if not enables or not _BITS.fullmatch(mask):    # the mask may be set where no signal is
        return write[0]
    test = " || ".join(f"!{enable}.is_zero()" for enable in enables)
    return f"{write['tabs']}if ({test}) {write[0].lstrip()}"


def _latched(updates: list[str]) -> Iterator[str]:
    """Yield the statements of ``latch``, which correspond to those of ``commit``."""
    for line in updates:
        update = _UPDATE.fullmatch(line)
        if update and not update[1].startswith("memory_"):
            yield f"\t{update[1]}.curr = {update[1]}.next;\n"
        elif update:
            yield f"\t{update[1]}.commit(observer);\n"
        elif line.strip() != "bool changed = false;":
            yield line
