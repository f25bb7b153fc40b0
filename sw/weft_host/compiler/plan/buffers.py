"""Scratchpad buffers of one step, by their use."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

__all__ = ["Buffers"]

T = TypeVar("T")
U = TypeVar("U")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Buffers(Generic[T]):
    """One value per scratchpad buffer of a step: its size, its allocation request, or its address.

    Attributes
    ----------
    inputs : tuple
        Buffers for blocks of operands that the step loads from host memory.
    outputs : tuple
        Buffers for blocks of results before they are stored to host memory.
    constants : tuple
        Buffers for a constant operand.
    parameters : tuple
        Buffers for requantiser parameters or tables.
    """

    inputs: tuple[T, ...] = ()
    outputs: tuple[T, ...] = ()
    constants: tuple[T, ...] = ()
    parameters: tuple[T, ...] = ()

    def __iter__(self) -> Iterator[T]:
        """Iterate over the values of all buffers."""
        for _, values in self._items():
            yield from values

    def map(self, function: Callable[[str, T], U]) -> "Buffers[U]":
        """Return the buffers with the values ``function(use, value)``.

        ``use`` is the name of the attribute that contains the buffer.
        """
        return Buffers(**{use: tuple(function(use, value) for value in values)
                          for use, values in self._items()})

    def _items(self) -> list[tuple[str, tuple[T, ...]]]:
        return [(field.name, getattr(self, field.name)) for field in dataclasses.fields(self)]
