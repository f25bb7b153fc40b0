"""JSON files and headers of untrusted origin."""

import collections
import json
import math
import reprlib
import typing

from ...verdict import ModelError

__all__ = ["Object", "parse_json"]

MOST_VALUES = 1 << 22       # commas and brackets; the largest vocabularies have a million
LARGEST_INTEGER = 1 << 63


def parse_json(text: str, source: str) -> "Object":
    """Parse JSON whose outermost value is an object.

    Parameters
    ----------
    text : :class:`str`
        The caller bounds its length.
    source : :class:`str`
        Path of the file, for messages.

    Raises
    ------
    ModelError
        If the text is not JSON, has too many or too deeply nested values, repeats a name in an
        object, or has a number that is not finite.
    """
    def damage(problem: object) -> ModelError:
        return ModelError(f"{source} is damaged: {problem}; obtain the file again")

    if sum(map(text.count, ",[{")) > MOST_VALUES:
        raise damage(f"it has more than {MOST_VALUES} values")

    def unique(pairs: list[tuple[str, typing.Any]]) -> dict[str, typing.Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            counts = collections.Counter(name for name, _ in pairs)
            (repeated, _), = counts.most_common(1)
            raise damage(f"the name {repeated[:80]!r} occurs twice in an object")
        return found

    def number(digits: str) -> float:
        value = float(digits)
        if not math.isfinite(value):
            raise damage(f"the number {digits[:40]} is not finite")
        return value

    def integer(digits: str) -> int:
        value = int(digits) if len(digits) < 21 else LARGEST_INTEGER
        if abs(value) >= LARGEST_INTEGER:
            raise damage(f"the number {digits[:40]} has more than 64 bits")
        return value

    try:
        value = json.loads(text, object_pairs_hook=unique, parse_float=number, parse_int=integer,
                           parse_constant=number)
    except ValueError as error:
        raise damage(f"it is not JSON: {error}") from None
    except RecursionError:
        raise damage("its values are nested too deep") from None
    if not isinstance(value, dict):
        raise damage(f"it holds a {type(value).__name__} instead of an object")
    return Object(value, source)


class Object:
    """Object of a JSON file with checks of its members' types and ranges.

    All methods raise :class:`weft_host.ModelError` if a member has another type, is out of range,
    or is missing without a default. A member that is ``null`` counts as missing.

    Parameters
    ----------
    values : dict
    source : :class:`str`
        Path of the file, for messages.
    where : :class:`str`
        Path of the object in the file, for messages.
    """

    def __init__(self, values: dict[str, typing.Any], source: str, where: str = "") -> None:
        self.values = values
        self.source, self.where = source, where

    def __contains__(self, name: str) -> bool:
        return self.values.get(name) is not None

    def wrong(self, name: str, expected: str) -> ModelError:
        """Return the error for a member that is not as ``expected``."""
        value = self.values.get(name)
        full = f"{self.where}{name}"
        if value is None:
            return ModelError(f"{self.source} lacks {full!r}; expected was {expected}")
        return ModelError(f"{self.source}: {full!r} is {reprlib.repr(value)} instead of "
                          f"{expected}; obtain the file again")

    def _get(self, name: str, default: typing.Any) -> typing.Any:
        value = self.values.get(name)
        return default if value is None else value

    def integer(self, name: str, least: int, most: int, default: int | None = None) -> int:
        """Return an integer from ``least`` to ``most``."""
        value = self._get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.wrong(name, f"a number from {least} to {most}")
        return value

    def real(self, name: str, least: float, most: float, default: float | None = None) -> float:
        """Return a number from ``least`` to ``most``."""
        value = self._get(name, default)
        if (isinstance(value, bool) or not isinstance(value, (int, float))
                or not least <= value <= most):
            raise self.wrong(name, f"a number from {least:g} to {most:g}")
        return float(value)

    def string(self, name: str, default: str | None = None) -> str:
        """Return a string."""
        value = self._get(name, default)
        if not isinstance(value, str):
            raise self.wrong(name, "a string")
        return value

    def boolean(self, name: str, default: bool) -> bool:
        """Return a truth value."""
        value = self._get(name, default)
        if not isinstance(value, bool):
            raise self.wrong(name, "a truth value")
        return value

    def member(self, name: str) -> "Object":
        """Return an object; a missing one is empty."""
        value = self._get(name, {})
        if not isinstance(value, dict):
            raise self.wrong(name, "an object")
        return Object(value, self.source, f"{self.where}{name}.")

    def array(self, name: str) -> list[typing.Any]:
        """Return a list; a missing one is empty."""
        value = self._get(name, [])
        if not isinstance(value, list):
            raise self.wrong(name, "a list")
        return value

    def array_of_objects(self, name: str) -> list["Object"]:
        """Return a list of objects; a missing one is empty."""
        values = self.array(name)
        if not all(isinstance(value, dict) for value in values):
            raise self.wrong(name, "a list of objects")
        return [Object(value, self.source, f"{self.where}{name}[{index}].")
                for index, value in enumerate(values)]
