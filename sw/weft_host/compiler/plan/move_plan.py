"""Plan of a data movement: the buffers through which the data pass."""

import dataclasses
import math

from weft.spec.config import Config
from weft.spec.integers import round_up

from ..lower.move import Move
from ..verdict import CapacityError
from . import cost

__all__ = ["MovePlan", "plan_move"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class MovePlan:
    """Buffers of a data movement.

    Attributes
    ----------
    buffers : :class:`int`
        Number of buffers, which are used alternately.
    block_bytes : :class:`int`
        Size of a buffer.
    cycles : :class:`int`
        Estimated duration.
    """

    buffers: int
    block_bytes: int
    cycles: int

    @property
    def on_chip(self) -> bool:
        """False, because the operands and the output are always in host memory."""
        return False


def plan_move(operation: Move, config: Config, budget: int) -> MovePlan:
    """Return the plan with the largest buffers that fit into ``budget`` bytes of the scratchpad.

    Raises
    ------
    CapacityError
        If not even one row of the scratchpad is available.
    """
    unit = config.spad_row_bytes
    largest = round_up(operation.size, unit)
    for buffers, least in ((2, 2 * unit), (1, unit)):
        block_bytes = min(largest, budget // buffers // unit * unit)
        if block_bytes >= min(least, largest):
            return MovePlan(buffers=buffers, block_bytes=block_bytes,
                            cycles=_cycles(operation, config))
    raise CapacityError(
        f"{operation.name} ({operation.describe()}) does not fit {config.name}: it needs "
        f"{unit} bytes of scratchpad, and {budget} are available")


def _cycles(operation: Move, config: Config) -> int:
    cycles = 0 if operation.fill is None else cost.copy_cycles(config, 1, operation.size)
    for copy in operation.copies:
        *outer, size = copy.merged().counts
        cycles += cost.copy_cycles(config, math.prod(outer), size)
    return cycles
