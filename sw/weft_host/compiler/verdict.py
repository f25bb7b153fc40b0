"""What the compiler says about a model: a verdict an operator, and the errors made of them."""

import dataclasses

from ..errors import WeftError

__all__ = ["CapacityError", "ModelError", "UnsupportedError", "Verdict"]


class ModelError(WeftError):
    """A model file cannot be read: damaged, foreign, or inconsistent."""


class CapacityError(WeftError):
    """A layer needs more on-chip memory than the configuration has, whatever the tiling."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verdict:
    """Where one operator runs.

    Attributes
    ----------
    index : :class:`int`
        Place in the model's execution order.
    operator : :class:`str`
        The schema's name of it.
    where : :class:`str`
        ``"weft"``, ``"host"`` or ``"unsupported"``.
    reason : :class:`str`
        Why, or how it is mapped.
    output : :class:`str`
        Name of the tensor it makes.
    """

    index: int
    operator: str
    where: str
    reason: str
    output: str = ""

    def as_dict(self):
        """The verdict as plain data."""
        return dataclasses.asdict(self)


class UnsupportedError(WeftError):
    """A model has operators that Weft does not run; ``verdicts`` holds all of those."""

    def __init__(self, source, verdicts):
        self.verdicts = tuple(verdicts)
        lines = [f"{source} has {len(self.verdicts)} unsupported "
                 f"operator{'' if len(self.verdicts) == 1 else 's'}; nothing was compiled:"]
        lines += [f"  operator {v.index} {v.operator} (makes {v.output!r}): {v.reason}"
                  for v in self.verdicts]
        super().__init__("\n".join(lines))
