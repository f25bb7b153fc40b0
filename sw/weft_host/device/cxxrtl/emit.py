"""Plain C++ for an expression: bits, words and conditions as unsigned integers."""

from .expression import (
    CHUNK,
    Choice,
    Concat,
    Constant,
    Expression,
    Operation,
    Repeat,
    Signal,
    Slice,
    UnknownExpression,
)

__all__ = ["Emitter"]

_LONG = 64      # bits of the longest integer

_BITWISE = {"and_uu": "&", "or_uu": "|", "xor_uu": "^"}
_ARITHMETIC = {"add": "+", "sub": "-", "mul": "*"}
_COMPARISON = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_REDUCTION = {"reduce_or": "!=", "reduce_bool": "!=", "logic_not": "=="}


def _mask(bits: int) -> int:
    return (1 << bits) - 1


def _literal(value: int) -> str:
    return f"{value:#x}u" if value <= _mask(CHUNK) else f"{value:#x}ull"


def _cut(text: str, bits: int) -> str:
    """Return the lowest ``bits`` bits of an integer."""
    return text if bits == CHUNK else f"({text} & {_literal(_mask(bits))})"


class Emitter:
    """Integers for the expressions of one statement.

    A word is a ``uint32_t`` that holds at most 32 bits of an expression; its other bits are 0. An
    expression that several words need becomes a constant in :attr:`definitions`. The definitions
    must precede the statement.

    Attributes
    ----------
    definitions : list of :class:`str`
        Definitions of constants, in order.
    """

    def __init__(self) -> None:
        self.definitions: list[str] = []
        self._constants: dict[str, str] = {}

    def _define(self, kind: str, text: str) -> str:
        """Return the name of a constant with the value ``text``."""
        key = f"{kind} {text}"
        if key not in self._constants:
            name = f"t{len(self._constants)}"
            self._constants[key] = name
            self.definitions.append(f"const {kind} {name} = {text};")
        return self._constants[key]

    def word(self, node: Expression, low: int, bits: int) -> str:
        """Return a word with the ``bits`` bits of ``node`` from bit ``low`` upwards.

        Bits beyond the width of ``node`` are 0.
        """
        bits = min(bits, node.width - low)
        if bits <= 0:
            return "0u"
        match node:
            case Signal():
                return self._stored(node.text, node.width, low, bits)
            case Constant():
                return _literal(node.value >> low & _mask(bits))
            case Slice():
                return self.word(node.whole, node.low + low, bits)
            case Concat():
                return self._joined(node, low, bits)
            case Repeat():
                return f"(-{self.word(node.bit, 0, 1)} & {_literal(_mask(bits))})"
            case Choice():
                return self._chosen(node, low, bits)
            case Operation():
                return self._operation(node, low, bits)
        raise UnknownExpression(f"unknown expression {node.text}")

    @staticmethod
    def _stored(name: str, width: int, low: int, bits: int) -> str:
        """Return bits of a value of CXXRTL, whose words are in ``data``."""
        first, shift = divmod(low, CHUNK)
        text = f"{name}.data[{first}]"
        if shift:
            text = f"({text} >> {shift})"
        if shift + bits > CHUNK:
            text = f"({text} | {name}.data[{first + 1}] << {CHUNK - shift})"
        elif low + bits == width or shift + bits == CHUNK:
            return text     # the bits above are 0
        return _cut(text, bits)

    def _joined(self, node: Concat, low: int, bits: int) -> str:
        part: Expression = node
        while isinstance(part, Concat):     # a long chain would exceed the depth of recursion
            border = part.low.width
            if low >= border:
                part, low = part.high, low - border
            elif low + bits <= border:
                part = part.low
            else:
                break
        else:
            return self.word(part, low, bits)
        node, below = part, border - low
        return (f"({self.word(node.low, low, below)} | "
                f"{self.word(node.high, 0, bits - below)} << {below})")

    def _chosen(self, node: Choice, low: int, bits: int) -> str:
        condition = self.condition(node.condition)
        if node.width > CHUNK and not isinstance(node.condition, Signal):
            condition = self._define("bool", condition)
        return (f"({condition} ? {self.word(node.yes, low, bits)} : "
                f"{self.word(node.no, low, bits)})")

    def _operation(self, node: Operation, low: int, bits: int) -> str:
        if node.name in _BITWISE:
            first, second = (self.word(operand, low, bits) for operand in node.operands)
            return f"({first} {_BITWISE[node.name]} {second})"
        if node.name == "not_u":
            return _cut(f"~{self.word(node.operands[0], low, bits)}", bits)
        test = self._test(node)
        if test is not None:
            return f"uint32_t({test})" if low == 0 else "0u"
        name, _, signs = node.name.partition("_")
        if name in _ARITHMETIC and signs in ("uu", "ss") and node.width <= _LONG:
            kind = "uint32_t" if node.width <= CHUNK else "uint64_t"
            first, second = (self._extended(operand, node.width, signs == "ss")
                             for operand in node.operands)
            text = f"({first} {_ARITHMETIC[name]} {second})"
            if kind == "uint32_t" and low == 0:
                return _cut(text, bits)
            text = self._define(kind, text)
            return _cut(f"uint32_t({text} >> {low})" if low else f"uint32_t({text})", bits)
        # CXXRTL computes what is wider or less common
        text = self._define(f"value<{node.width}>", node.text)
        return self._stored(text, node.width, low, bits)

    def condition(self, node: Expression) -> str:
        """Return an expression that is true if a bit of ``node`` is set."""
        if isinstance(node, Operation):
            test = self._test(node)
            if test is not None:
                return test
        if node.width <= CHUNK:
            return self.word(node, 0, node.width)
        return f"({' | '.join(self._words(node))})"

    def _words(self, node: Expression) -> list[str]:
        return [self.word(node, low, CHUNK) for low in range(0, node.width, CHUNK)]

    def _test(self, node: Operation) -> str | None:
        """Return an expression of the type ``bool`` if ``node`` is a comparison or a reduction."""
        if node.name in _REDUCTION:
            return f"(({' | '.join(self._words(node.operands[0]))}) {_REDUCTION[node.name]} 0u)"
        if node.name == "reduce_and":
            width = node.operands[0].width
            ones = (_literal(_mask(min(CHUNK, width - low))) for low in range(0, width, CHUNK))
            tests = (f"{word} == {one}" for word, one in zip(self._words(node.operands[0]), ones,
                                                             strict=True))
            return f"({' && '.join(tests)})"
        name, _, signs = node.name.partition("_")
        if name not in _COMPARISON or signs not in ("uu", "ss"):
            return None
        first, second = node.operands
        width = max(first.width, second.width)
        if width <= _LONG:
            kind = CHUNK if width <= CHUNK else _LONG
            texts = [self._extended(operand, kind, signs == "ss") for operand in node.operands]
            if signs == "ss":
                texts = [f"int{kind}_t({text})" for text in texts]
            return f"({texts[0]} {_COMPARISON[name]} {texts[1]})"
        if name in ("eq", "ne") and signs == "uu":
            differences = (f"({self.word(first, low, CHUNK)} ^ {self.word(second, low, CHUNK)})"
                           for low in range(0, width, CHUNK))
            return f"(({' | '.join(differences)}) {_COMPARISON[name]} 0u)"
        return None

    def _extended(self, node: Expression, width: int, signed: bool) -> str:
        """Return ``node`` as an integer of 32 bits if ``width`` is at most that, else of 64 bits.

        The lowest ``width`` bits are exact. The bits above may be copies of the sign.
        """
        have = min(node.width, width)
        if width <= CHUNK:
            text = self.word(node, 0, have)
            if signed and have < width:
                shift = CHUNK - have
                text = f"uint32_t(int32_t({text} << {shift}) >> {shift})" if shift else text
            return text
        text = f"uint64_t({self.word(node, 0, min(have, CHUNK))})"
        if have > CHUNK:
            text = f"({text} | uint64_t({self.word(node, CHUNK, have - CHUNK)}) << {CHUNK})"
        if signed and have < width:
            text = f"uint64_t(int64_t({text} << {_LONG - have}) >> {_LONG - have})"
        return text
