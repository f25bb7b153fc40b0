"""Verdicts on the operators of a model, and the errors of the compiler."""

import dataclasses
from collections.abc import Iterable

from ..errors import WeftError

__all__ = ["AbsentTensorError", "CapacityError", "ModelError", "Refused", "UnsupportedError",
           "Verdict"]


class ModelError(WeftError):
    """A model file cannot be read: it is damaged, of another format, or inconsistent."""


class AbsentTensorError(ModelError):
    """An operator lacks a tensor that it requires."""


class CapacityError(WeftError):
    """A layer or a program needs more memory than the configuration has, however it is tiled."""


class Refused(Exception):
    """An operator cannot be lowered. The message becomes the reason in the operator's verdict."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verdict:
    """Decision of the compiler about one operator.

    Attributes
    ----------
    index : :class:`int`
        Index of the operator in the model's execution order.
    operator : :class:`str`
        Name of the operator in the TensorFlow Lite schema.
    where : :class:`str`
        ``"weft"`` or ``"host"`` for the processor that executes it, or ``"unsupported"``.
    reason : :class:`str`
        Description of the lowered operation, or the reason for the decision.
    output : :class:`str`
        Name of the operator's output tensor.
    """

    index: int
    operator: str
    where: str
    reason: str
    output: str = ""

    def as_dict(self) -> dict[str, int | str]:
        """Return the verdict as a dictionary that JSON can represent."""
        return dataclasses.asdict(self)


class UnsupportedError(WeftError):
    """A model has operators that Weft does not support.

    Parameters
    ----------
    source : :class:`str`
        Path of the model, or another description of it.
    verdicts : iterable of :class:`Verdict`
        Verdicts on all unsupported operators.

    Attributes
    ----------
    verdicts : tuple of :class:`Verdict`
    """

    def __init__(self, source: str, verdicts: Iterable[Verdict]) -> None:
        self.verdicts = tuple(verdicts)
        lines = [f"{source} has {len(self.verdicts)} unsupported "
                 f"operator{'' if len(self.verdicts) == 1 else 's'}; nothing was compiled:"]
        lines += [f"  operator {v.index} {v.operator} (output {v.output!r}): {v.reason}"
                  for v in self.verdicts]
        super().__init__("\n".join(lines))
