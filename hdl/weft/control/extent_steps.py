"""Table of the steps of the extent check: each adds one product of one extent."""

import dataclasses

from ..spec.extents import EXTENTS, Extent, Term

__all__ = ["FIRST_STEP", "MAX_TERMS", "NO_STEP", "STEPS", "Step"]


@dataclasses.dataclass(frozen=True)
class Step:
    """One step of the extent check.

    Attributes
    ----------
    instruction : :class:`str`
        Name of the instruction.
    extent : :class:`Extent` or :class:`None`
        Extent that the step belongs to; ``None`` for an instruction without extents.
    term : :class:`Term` or :class:`None`
        Product that the step adds; ``None`` for an extent without terms.
    first, final : :class:`bool`
        The step is the first one of its extent; the step is the last one of its extent.
    last : :class:`bool`
        The step is the last one of its instruction.
    """

    instruction: str
    extent: Extent | None
    term: Term | None
    first: bool
    final: bool
    last: bool


def _steps():
    steps = [Step("", None, None, True, False, True)]
    first = {}
    for name, extents in EXTENTS.items():
        first[name] = len(steps)
        for extent in extents:
            terms = extent.terms or (None,)
            for number, term in enumerate(terms):
                final = number == len(terms) - 1
                steps.append(Step(name, extent, term, number == 0, final,
                                  final and extent is extents[-1]))
    return tuple(steps), first


STEPS, FIRST_STEP = _steps()
"""All steps, and the index of the first step by instruction. The steps of an instruction are
consecutive."""
MAX_TERMS = max(len(extent.terms) for extents in EXTENTS.values() for extent in extents)
NO_STEP = 0
"""Index of the only step of an instruction without extents."""
