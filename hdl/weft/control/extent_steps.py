"""Table of the steps of the extent check: each adds one product of one extent."""

import dataclasses

from ..spec.extents import HOST, Extent, Term, extents_of

__all__ = ["NO_STEP", "Step", "StepTable"]

NO_STEP = 0
"""Index of the only step of an instruction without extents."""


@dataclasses.dataclass(frozen=True)
class Step:
    """One step of the extent check.

    Attributes
    ----------
    instruction : :class:`str`
        Name of the instruction.
    extent : :class:`Extent` or :class:`None`
        Extent that the step belongs to; ``None`` for an instruction without extents, and for a
        step in front of an extent of host memory, whose base is not known in the first cycle.
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


class StepTable:
    """All steps of the instructions of a configuration. Those of an instruction are consecutive.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`

    Attributes
    ----------
    steps : tuple of :class:`Step`
    first : dict of :class:`str` to :class:`int`
        Index of the first step by instruction.
    last : list of :class:`int`
        Indices of the steps that are the last ones of their instructions.
    max_terms : :class:`int`
        Largest number of terms of an extent.
    """

    def __init__(self, config):
        steps = [Step("", None, None, True, False, True)]
        self.first = {}
        table = extents_of(config)
        for name, extents in table.items():
            self.first[name] = len(steps)
            if extents[0].memory == HOST:
                steps.append(Step(name, None, None, True, False, False))
            for extent in extents:
                terms = extent.terms or (None,)
                for number, term in enumerate(terms):
                    final = number == len(terms) - 1
                    steps.append(Step(name, extent, term, number == 0, final,
                                      final and extent is extents[-1]))
        self.steps = tuple(steps)
        self.last = [number for number, step in enumerate(steps) if step.last]
        self.max_terms = max(len(extent.terms) for extents in table.values() for extent in extents)
