"""Plan of an elementwise operation: the sizes of its blocks and buffers."""

import dataclasses
from collections.abc import Sequence

from weft.spec.config import Config
from weft.spec.integers import ceil_div, round_up
from weft.spec.isa import TABLE_BYTES

from ..lower.elementwise import Elementwise
from ..verdict import CapacityError
from . import cost
from .resident_tensor import ResidentTensor

__all__ = ["MapPlan", "plan_map"]

STRIPS = 8
"""Number of blocks if all tensors are on chip: a reader can start after the first block."""
_BLOCKS = (8192, 4096, 2048, 1024, 512, 256, 128, 64, 32, 16, 8, 4, 1)
"""Block sizes in bytes to try if an operand or the output is in host memory."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class MapPlan:
    """Division of the work of an elementwise operation.

    Attributes
    ----------
    height, width : :class:`int`
        Number of rows of the tensors, and bytes of a row. Contiguous tensors are one row.
    rows, size : :class:`int`
        Rows of the largest block, and bytes of a row.
    buffers : :class:`int`
        Buffers per tensor in host memory. With two, copies run while VECTOR computes.
    block_bytes, constant_bytes, table_bytes : :class:`int`
        Size of a buffer for an operand or the output, of a buffer for the constant operand, and of
        the buffer for the tables.
    staged : tuple of :class:`bool`
        For each operand: it is in host memory and is loaded into buffers.
    output_on_chip : :class:`bool`
        The output stays in the scratchpad.
    cycles : :class:`int`
        Estimated duration.
    """

    height: int
    width: int
    rows: int
    size: int
    buffers: int
    block_bytes: int
    constant_bytes: int
    table_bytes: int
    staged: tuple[bool, ...]
    output_on_chip: bool
    cycles: int

    @property
    def on_chip(self) -> bool:
        """True if all operands are in the scratchpad before the step, and the output stays there.
        """
        return self.output_on_chip and not any(self.staged)


def plan_map(operation: Elementwise, config: Config, budget: int,
             sources: Sequence[ResidentTensor | None], target: ResidentTensor | None) -> MapPlan:
    """Return the plan with the largest blocks that fit.

    Parameters
    ----------
    operation, config : :class:`Elementwise`, :class:`weft.spec.config.Config`
        Operation and configuration that executes it.
    budget : :class:`int`
        Bytes of the scratchpad for buffers.
    sources, target : :class:`ResidentTensor` or :class:`None`
        Operands and output; ``None`` for a tensor in host memory.

    Raises
    ------
    CapacityError
        If not even the smallest block fits.
    """
    height, pixels, channels = operation.shape
    width = pixels * channels
    if operation.constant is None and all(
            tensor is None or tensor.contiguous for tensor in (*sources, target)):
        height, width = 1, height * width
    staged = tuple(tensor is None for tensor in sources)
    buffered = sum(staged) + (target is None)
    all_tables = TABLE_BYTES * len(operation.tables)
    need = 0
    for table_bytes in dict.fromkeys((all_tables, TABLE_BYTES)):
        for rows, size in _block_sizes(height, width, buffered > 0):
            constant_bytes = _constant_bytes(operation, config, rows, size)
            block_bytes = round_up(rows * size, config.spad_row_bytes) if buffered else 0
            for buffers in (2, 1):
                need = buffers * buffered * block_bytes + table_bytes \
                    + (1 + operation.has_constant_rows) * constant_bytes
                if need <= budget:
                    return MapPlan(
                        height=height, width=width, rows=rows, size=size, buffers=buffers,
                        block_bytes=block_bytes, constant_bytes=constant_bytes,
                        table_bytes=table_bytes, staged=staged,
                        output_on_chip=target is not None,
                        cycles=_cycles(operation, config, ceil_div(height, rows)
                                       * ceil_div(width, size), rows, size,
                                       max(sum(staged), target is None)))
    raise CapacityError(
        f"{operation.name} ({operation.describe()}) does not fit {config.name}: its smallest "
        f"piece needs {need} bytes of scratchpad, and {budget} are available")


def _block_sizes(height: int, width: int, buffered: bool) -> list[tuple[int, int]]:
    """Return the rows and bytes per row of the blocks to try, the largest first."""
    if not buffered:
        return [(ceil_div(height, STRIPS),
                 ceil_div(width, STRIPS) if height == 1 else width)]
    sizes = []
    for block in _BLOCKS:
        size = min(block, width)
        sizes.append((max(1, min(height, block // size)), size))
    return sizes


def _constant_bytes(operation: Elementwise, config: Config, rows: int, size: int) -> int:
    """Return the size of a buffer for the constant operand of a block."""
    if operation.constant is None:
        return 0
    return round_up(size * (rows if operation.has_constant_rows else 1), config.spad_row_bytes)


def _cycles(operation: Elementwise, config: Config, blocks: int, rows: int, size: int,
            copies: int) -> int:
    """Return the estimated duration.

    For each of ``blocks`` blocks of ``rows`` rows of ``size`` bytes, the busier one of LOAD and
    STORE copies ``copies`` blocks.
    """
    vector = len(operation.tables) * cost.table_cycles() + blocks * cost.map_cycles(
        config, rows, size, operation.op)
    copy = blocks * cost.copy_cycles(config, rows, size)
    return max(vector, copy * copies) + cost.COPY_START
