"""Iterations of instructions with ``each``, as a table.

An instruction whose field ``each`` is set executes its outer loop as a sequence of iterations. Each
iteration is an instruction of its own, with a loop count of 1, that takes and gives tokens.
:data:`OUTER_LOOPS` defines the loops. The function :func:`iterations` evaluates this table in
software, and :class:`weft.control.iteration_splitter.IterationSplitter` does so in hardware.
"""

import dataclasses
from collections.abc import Iterator, Mapping

from . import isa
from .config import Config

__all__ = ["OUTER_LOOPS", "Increment", "OuterLoop", "iterations"]


@dataclasses.dataclass(frozen=True)
class Increment:
    """Increment of a field from one iteration to the next.

    Attributes
    ----------
    field : :class:`str`
        Name of the field that is incremented.
    step : :class:`str`
        Name of the field with the increment, or ``"cols"`` for the number of array columns.
    flag : :class:`str`, ``value`` : :class:`int`
        If ``flag`` is not empty, the increment applies only if the field of this name equals
        ``value``.
    """

    field: str
    step: str
    flag: str = ""
    value: int = 1


@dataclasses.dataclass(frozen=True)
class OuterLoop:
    """Outer loop of an instruction.

    Attributes
    ----------
    count : :class:`str`
        Name of the field with the number of iterations. In each iteration, the field is 1.
    increments : tuple of :class:`Increment`
        Fields that change from one iteration to the next.
    sets : :class:`str`
        Empty, or the name of a field that is 1 in all iterations but the first, unless the field
        ``apart`` is set.
    """

    count: str
    increments: tuple[Increment, ...]
    sets: str = ""


_COPY = OuterLoop("count", (Increment("host_addr", "host_pitch"),
                            Increment("local_addr", "local_pitch")))

OUTER_LOOPS: dict[str, OuterLoop] = {
    "LOAD": _COPY,
    "LOAD_WGT": _COPY,
    "MATMUL": OuterLoop("row_count", (Increment("act_addr", "row_pitch"),
                                      Increment("wgt_addr", "chunk_count", "hold", 0),
                                      Increment("acc_addr", "x_count", "apart")), "accumulate"),
    "DRAIN": OuterLoop("y_count", (Increment("out_addr", "y_pitch"),
                                   Increment("acc_addr", "acc_pitch"),
                                   Increment("channel", "cols", "apart"))),
    "STORE": _COPY,
}
"""Outer loop of each instruction that has the field ``each``, by name. All such instructions of one
unit have the same outer loop."""

for _name, _loop in OUTER_LOOPS.items():
    for _field in (_loop.count, "each", *(increment.field for increment in _loop.increments)):
        isa.BY_NAME[_name].field(_field)


def iterations(config: Config, name: str, values: Mapping[str, int]) -> Iterator[Mapping[str, int]]:
    """Yield the fields of each iteration of an instruction; ``values`` itself without ``each``.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        Configuration that executes the instruction.
    name : :class:`str`
        Name of the instruction.
    values : mapping of :class:`str` to :class:`int`
        Fields of the instruction.
    """
    if not values.get("each"):
        yield values
        return
    loop = OUTER_LOOPS[name]
    iteration = dict(values, **{loop.count: 1})
    for _ in range(values[loop.count]):
        yield dict(iteration)
        for increment in loop.increments:
            if not increment.flag or values[increment.flag] == increment.value:
                step = config.cols if increment.step == "cols" else values[increment.step]
                iteration[increment.field] += step
        if loop.sets and not values["apart"]:
            iteration[loop.sets] = 1
