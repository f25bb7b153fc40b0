"""Statements of CXXRTL as operations on integers."""

import re
from collections.abc import Iterator

from .emit import Emitter
from .expression import (
    CHUNK,
    Concat,
    Constant,
    Expression,
    Signal,
    Slice,
    UnknownExpression,
    parse,
)

__all__ = ["plain_integers"]

_EVAL = re.compile(r"bool \w+::eval\(performer \*performer\) \{\n")
_TABLE = re.compile(r"\tstatic const value<(?P<width>\d+)> mem_init_\d+\[(?P<depth>\d+)\] \{\n")
_COPY = re.compile(r"\tstd::copy\(.*, (?P<memory>&memory_\w+\.data\[\d+\])\);\n")
_NOT_ZERO = re.compile(r"0x0*[1-9a-f]")
_DECLARED = re.compile(r"^\t(?:/\*\w+\*/ )?(?:value|wire)<(\d+)> (\w+);", re.MULTILINE)
_ASSIGNED = re.compile(r"(?P<tabs>\t+)(?P<target>[^=;]+) = (?P<value>.*);\n")
_CONDITION = re.compile(r"(?P<tabs>\t+)if \((?P<value>\w+<.*)\) \{\n")
_INDEX = re.compile(r"(?P<tabs>\t+)auto (?P<name>tmp_\d+) = memory_index\((?P<value>.*), "
                    r"(?P<offset>\d+), (?P<depth>\d+)\);\n")


def plain_integers(source: str) -> str:
    """Write the statements of a module as operations on integers.

    A statement that is not understood is kept as it is; it computes the same.

    Parameters
    ----------
    source : :class:`str`
        C++ from ``write_cxxrtl`` with one flattened module.
    """
    translator = _Translator(source)
    lines = source.splitlines(keepends=True)
    begin = next((number for number, line in enumerate(lines) if _EVAL.match(line)), len(lines))
    return ("".join(_fill_with_zeros(lines[:begin]))
            + "".join(translator.line(line) for line in lines[begin:]))


def _fill_with_zeros(lines: list[str]) -> Iterator[str]:
    """Yield the lines; a table that only contains zeros becomes a statement that fills a memory."""
    number = 0
    while number < len(lines):
        table = _TABLE.fullmatch(lines[number])
        if table:
            end = lines.index("\t};\n", number)
            copy = _COPY.fullmatch(lines[end + 1])
            words = "".join(lines[number + 1:end])
            if copy and not _NOT_ZERO.search(words):
                yield (f"\tstd::fill_n({copy['memory']}, {table['depth']}, "
                       f"value<{table['width']}>{{}});\n")
                number = end + 2
                continue
        yield lines[number]
        number += 1


class _Translator:
    """Translator of the lines of one module."""

    def __init__(self, source: str):
        self._widths = {match[2]: int(match[1]) for match in _DECLARED.finditer(source)}

    def line(self, line: str) -> str:
        """Return lines with the same effect as ``line``."""
        try:
            if match := _INDEX.fullmatch(line):
                return self._index(**match.groupdict())
            if match := _ASSIGNED.fullmatch(line):
                return self._assignment(**match.groupdict())
            if match := _CONDITION.fullmatch(line):
                return self._condition(**match.groupdict())
        except (UnknownExpression, RecursionError):     # deep expressions stay as they are
            pass
        return line

    def _condition(self, tabs: str, value: str) -> str:
        emitter = Emitter()
        test = emitter.condition(parse(value, self._widths))
        if emitter.definitions:
            raise UnknownExpression("not a simple condition")
        return f"{tabs}if ({test}) {{\n"

    def _assignment(self, tabs: str, target: str, value: str) -> str:
        parts = list(_targets(parse(target, self._widths), 0))
        result = parse(value, self._widths)
        names = {signal.text for signal, _, _, _ in parts}
        if any(re.search(rf"\b{re.escape(name)}(?!\w|\.next)", value) for name in names):
            raise UnknownExpression("a target is an operand")
        emitter = Emitter()
        stores: list[str] = []
        for signal, low, width, offset in parts:
            stores += _stores(emitter, signal, low, width, result, offset)
        lines = [*emitter.definitions, *stores]
        if emitter.definitions:
            return f"{tabs}{{\n" + "".join(f"{tabs}\t{text}\n" for text in lines) + f"{tabs}}}\n"
        return "".join(f"{tabs}{text}\n" for text in lines)

    def _index(self, tabs: str, name: str, value: str, offset: str, depth: str) -> str:
        """Return a declaration with the members of CXXRTL's ``memory_index``.

        If the memory has an entry for every value of the address, the index is always valid.
        """
        address = parse(value, self._widths)
        emitter = Emitter()
        text = emitter.word(address, 0, address.width)
        if emitter.definitions or int(offset) or address.width > CHUNK:
            raise UnknownExpression("not a simple address")
        valid = "true" if 1 << address.width <= int(depth) else f"index < {depth}u"
        return (f"{tabs}struct {{ size_t index; bool valid = {valid}; }} {name}{{{text}}};\n")


def _targets(node: Expression, offset: int) -> Iterator[tuple[Signal, int, int, int]]:
    """Yield the parts of an assignment's target.

    A part is a signal, the lowest bit in it and the number of bits that are assigned, and the
    lowest bit of the assigned value that belongs there.
    """
    match node:
        case Signal():
            yield node, 0, node.width, offset
        case Slice(whole=Signal() as signal):
            yield signal, node.low, node.width, offset
        case Concat():
            yield from _targets(node.low, offset)
            yield from _targets(node.high, offset + node.low.width)
        case Constant():    # bits that nothing uses
            pass
        case _:
            raise UnknownExpression("unknown target")


def _stores(emitter: Emitter, signal: Signal, low: int, width: int, value: Expression,
            offset: int) -> Iterator[str]:
    """Yield statements that store bits of ``value`` in bits of a signal."""
    done = 0
    while done < width:
        index, shift = divmod(low + done, CHUNK)
        count = min(CHUNK - shift, width - done)
        word = emitter.word(value, offset + done, count)
        here = f"{signal.text}.data[{index}]"
        if shift == 0 and count == min(CHUNK, signal.width - index * CHUNK):
            yield f"{here} = {word};"
        else:
            mask = (1 << count) - 1 << shift
            yield f"{here} = ({here} & {~mask & 0xffffffff:#x}u) | {word} << {shift};"
        done += count
