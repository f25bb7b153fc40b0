"""Interface that the plans of all steps implement."""

import dataclasses
from typing import Any, ClassVar, Protocol

__all__ = ["StepPlan"]


class StepPlan(Protocol):
    """Division of one step's work, and the estimate of its duration.

    A plan is a frozen dataclass whose fields JSON can represent. The program's metadata contain
    them.
    """

    __dataclass_fields__: ClassVar[dict[str, "dataclasses.Field[Any]"]]

    @property
    def cycles(self) -> int:
        """Estimated duration in cycles."""

    @property
    def on_chip(self) -> bool:
        """True if all operands are in the scratchpad before the step, and the output stays there.
        """
