"""Plan of a SOFTMAX: the number of rows in a block, and the buffers."""

import dataclasses

from weft.spec.config import Config
from weft.spec.integers import ceil_div
from weft.spec.isa import TABLE_BYTES

from ..lower.elementwise import RowSoftmax
from ..verdict import CapacityError
from . import cost

__all__ = ["SoftmaxPlan", "plan_softmax"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class SoftmaxPlan:
    """Division of the work of a SOFTMAX.

    Attributes
    ----------
    rows : :class:`int`
        Largest number of rows in a block.
    buffers : :class:`int`
        Buffers per tensor in host memory. With two, copies run while VECTOR computes.
    block_bytes : :class:`int`
        Size of a buffer.
    input_on_chip, output_on_chip : :class:`bool`
        The input is in the scratchpad before the step; the output stays there.
    cycles : :class:`int`
        Estimated duration.
    """

    rows: int
    buffers: int
    block_bytes: int
    input_on_chip: bool
    output_on_chip: bool
    cycles: int

    @property
    def on_chip(self) -> bool:
        """True if the input is in the scratchpad before the step, and the output stays there."""
        return self.input_on_chip and self.output_on_chip


def plan_softmax(operation: RowSoftmax, config: Config, budget: int, *, input_on_chip: bool,
                 output_on_chip: bool) -> SoftmaxPlan:
    """Return the plan with the largest blocks that fit into ``budget`` bytes of the scratchpad.

    Raises
    ------
    CapacityError
        If the table and one row do not fit.
    """
    buffered = (not input_on_chip) + (not output_on_chip)
    rows = operation.rows
    while True:
        block_bytes = operation.buffer_bytes(config, rows) if buffered else 0
        for buffers in (2, 1):
            if buffers * buffered * block_bytes + TABLE_BYTES <= budget:
                return SoftmaxPlan(
                    rows=rows, buffers=buffers, block_bytes=block_bytes,
                    input_on_chip=input_on_chip, output_on_chip=output_on_chip,
                    cycles=ceil_div(operation.rows, rows)
                    * cost.softmax_cycles(config, rows, operation.size) + cost.table_cycles()
                    + 2 * cost.copy_cycles(config, 1, rows * operation.size))
        if rows == 1:
            raise CapacityError(
                f"{operation.name} ({operation.describe()}) does not fit {config.name}: a row "
                f"needs {buffered * block_bytes + TABLE_BYTES} bytes of scratchpad, and {budget} "
                "are available")
        rows = ceil_div(rows, 2)
