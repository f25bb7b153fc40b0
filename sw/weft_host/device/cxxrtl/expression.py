"""Parser of the C++ expressions that CXXRTL writes."""

import dataclasses
import re
from collections.abc import Mapping

__all__ = ["CHUNK", "Choice", "Concat", "Constant", "Expression", "Operation", "Repeat", "Signal",
           "Slice", "UnknownExpression", "parse"]


class UnknownExpression(ValueError):
    """Text that is not one of the expressions known here."""


@dataclasses.dataclass(frozen=True)
class Expression:
    """A value of ``width`` bits; ``text`` is its C++ code as CXXRTL has written it."""

    width: int
    text: str


@dataclasses.dataclass(frozen=True)
class Signal(Expression):
    """A value in memory: a ``value``, or the member ``curr`` or ``next`` of a ``wire``."""


@dataclasses.dataclass(frozen=True)
class Constant(Expression):
    """A literal."""

    value: int


@dataclasses.dataclass(frozen=True)
class Slice(Expression):
    """The bits of ``whole`` from bit ``low`` upwards."""

    whole: Expression
    low: int


@dataclasses.dataclass(frozen=True)
class Concat(Expression):
    """The bits of ``low`` with those of ``high`` above them."""

    high: Expression
    low: Expression


@dataclasses.dataclass(frozen=True)
class Repeat(Expression):
    """``width`` copies of one bit."""

    bit: Expression


@dataclasses.dataclass(frozen=True)
class Choice(Expression):
    """``yes`` if a bit of ``condition`` is set, else ``no``."""

    condition: Expression
    yes: Expression
    no: Expression


@dataclasses.dataclass(frozen=True)
class Operation(Expression):
    """A function of CXXRTL, such as ``add_uu``, of one or two operands."""

    name: str
    operands: tuple[Expression, ...]


_TOKEN = re.compile(r"\s*(?:(\.\w+|\w+)(?:<([\d,]+)>)?|([(){},?:]))")
_NUMBER = re.compile(r"(0x[0-9a-f]+|\d+)u")
CHUNK = 32      # bits in a word of CXXRTL's values


class _Parser:
    def __init__(self, text: str, widths: Mapping[str, int]):
        self._text = text
        self._widths = widths
        self._at = 0

    def _next(self) -> tuple[str, list[int]]:
        """Return the next token and the numbers in angle brackets after it."""
        match = _TOKEN.match(self._text, self._at)
        if not match:
            raise UnknownExpression(f"unknown text {self._text[self._at:self._at + 40]!r}")
        self._at = match.end()
        return match[1] or match[3], [int(number) for number in re.findall(r"\d+", match[2] or "")]

    def _take(self, expected: str) -> None:
        token, _ = self._next()
        if token != expected:
            raise UnknownExpression(f"{token!r} instead of {expected!r}")

    def finished(self) -> bool:
        return not self._text[self._at:].strip()

    def _since(self, start: int) -> str:
        return self._text[start:self._at].strip()

    def expression(self) -> Expression:
        """Read one expression with the methods that are called on it."""
        start = self._at
        found = self._primary(start)
        while self._text.startswith(".", self._at):
            found = self._method(found, start)
        return found

    def _primary(self, start: int) -> Expression:
        name, numbers = self._next()
        if name == "(":
            return self._choice(start)
        if name == "value" and len(numbers) == 1:
            return self._constant(numbers[0], start)
        if len(numbers) == 1:
            return self._operation(name, numbers[0], start)
        width = self._widths.get(name)
        if width is None or numbers:
            raise UnknownExpression(f"unknown name {name!r}")
        if self._text.startswith((".curr", ".next"), self._at):
            self._next()
        return Signal(width, self._since(start))

    def _choice(self, start: int) -> Expression:
        condition = self.expression()
        self._take("?")
        yes = self.expression()
        self._take(":")
        no = self.expression()
        self._take(")")
        if yes.width != no.width:
            raise UnknownExpression(f"alternatives of {yes.width} and {no.width} bits")
        return Choice(yes.width, self._since(start), condition, yes, no)

    def _constant(self, width: int, start: int) -> Expression:
        opening, _ = self._next()
        if opening == "(":
            self._take(")")
            return Constant(width, self._since(start), 0)
        end = self._text.find("}", self._at)
        if opening != "{" or end < 0:
            raise UnknownExpression("no literal")
        words = [int(number, 0) for number in _NUMBER.findall(self._text[self._at:end])]
        self._at = end + 1
        value = sum(word << CHUNK * index for index, word in enumerate(words))
        return Constant(width, self._since(start), value)

    def _operation(self, name: str, width: int, start: int) -> Expression:
        self._take("(")
        operands = [self.expression()]
        token, _ = self._next()
        while token == ",":
            operands.append(self.expression())
            token, _ = self._next()
        if token != ")":
            raise UnknownExpression(f"{token!r} instead of ')'")
        return Operation(width, self._since(start), name, tuple(operands))

    def _method(self, subject: Expression, start: int) -> Expression:
        name, numbers = self._next()
        self._take("(")
        if name == ".concat" and not numbers:
            low = self.expression()
            self._take(")")
            return Concat(subject.width + low.width, self._since(start), subject, low)
        self._take(")")
        if name == ".val" and not numbers:
            return subject
        if name == ".slice" and len(numbers) in (1, 2):
            last, first = numbers[0], numbers[-1]
            if first <= last < subject.width:
                return Slice(last - first + 1, self._since(start), subject, first)
        if name == ".repeat" and len(numbers) == 1 and subject.width == 1:
            return Repeat(numbers[0], self._since(start), subject)
        raise UnknownExpression(f"unknown method {name}{numbers}")


def parse(text: str, widths: Mapping[str, int]) -> Expression:
    """Return the expression that is written in ``text``.

    Parameters
    ----------
    text : :class:`str`
        C++ code without assignment or semicolon.
    widths : mapping
        Width in bits of every signal.

    Raises
    ------
    UnknownExpression
        If the text is anything else, or too deeply nested.
    """
    parser = _Parser(text, widths)
    try:
        found = parser.expression()
    except RecursionError as error:
        raise UnknownExpression("too deeply nested") from error
    if not parser.finished():
        raise UnknownExpression("text behind the expression")
    return found
