"""Iterations of instructions with ``each``, as a table.

An instruction with the field ``each`` set executes its outer loop as a sequence of iterations. Each
iteration is an instruction of its own, with a loop count of 1, that takes and gives tokens.
:data:`OUTER_LOOPS` defines the loops; :func:`iterations` evaluates it in software, and
:class:`weft.control.iteration_splitter.IterationSplitter` in hardware.
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
        Name of the field that grows.
    step : :class:`str`
        Name of the field that is added, or ``"cols"`` for the number of array columns.
    flag : :class:`str`, ``value`` : :class:`int`
        If ``flag`` names a field, the increment applies only if that field equals ``value``.
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
        Name of the field with the number of iterations. In an iteration it is 1.
    increments : tuple of :class:`Increment`
        Fields that change from one iteration to the next.
    sets : :class:`str`
        Name of a field that is 1 in all iterations but the first, unless the field ``apart`` is
        set; or empty.
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
"""Outer loops by instruction name. Other instructions have no field ``each``. All instructions of a
unit that have one have the same outer loop."""

for _name, _loop in OUTER_LOOPS.items():
    for _field in (_loop.count, "each", *(increment.field for increment in _loop.increments)):
        isa.BY_NAME[_name].field(_field)


def iterations(config: Config, name: str, values: Mapping[str, int]) -> Iterator[Mapping[str, int]]:
    """Yield the fields of each iteration of an instruction, or ``values`` if ``each`` is not set.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        Configuration that executes the instruction.
    name : :class:`str`
        Name of the instruction.
    values : mapping of :class:`str` to :class:`int`
        Its fields.
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
