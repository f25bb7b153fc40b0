"""What an instruction with ``each`` is, row by row, as data: tokens go with its rows."""

import dataclasses

from . import isa

__all__ = ["Advance", "ROWS", "Rows", "rows"]


@dataclasses.dataclass(frozen=True)
class Advance:
    """From one row to the next, ``field`` grows by ``step``.

    ``step`` is the name of a field, or ``"cols"``. With ``flag``, only if that field is ``value``.
    """

    field: str
    step: str
    flag: str = ""
    value: int = 1


@dataclasses.dataclass(frozen=True)
class Rows:
    """How an instruction falls into rows.

    Attributes
    ----------
    count : :class:`str`
        The field that counts them. A row's own is 1.
    advances : tuple of :class:`Advance`
    sets : :class:`str`
        A field that all rows but the first have set, unless ``apart`` is; or empty.
    """

    count: str
    advances: tuple
    sets: str = ""


_COPY = Rows("count", (Advance("host_addr", "host_pitch"), Advance("local_addr", "local_pitch")))

ROWS = {
    "LOAD": _COPY,
    "LOAD_WGT": _COPY,
    "MATMUL": Rows("row_count", (Advance("act_addr", "row_pitch"),
                                 Advance("wgt_addr", "chunk_count", "hold", 0),
                                 Advance("acc_addr", "x_count", "apart")), "accumulate"),
    "DRAIN": Rows("y_count", (Advance("out_addr", "y_pitch"), Advance("acc_addr", "acc_pitch"),
                              Advance("channel", "cols", "apart"))),
    "STORE": _COPY,
}
"""By instruction. Those that are not named have no ``each``. In a unit all have the same."""

for _name, _rows in ROWS.items():
    for _field in (_rows.count, "each", *(advance.field for advance in _rows.advances)):
        isa.BY_NAME[_name].field(_field)


def rows(config, name, values):
    """The instructions that one is, as ``{field: value}``: one for each row with ``each`` set.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
    name : :class:`str`
        The instruction's name.
    values : dict of :class:`str` to :class:`int`
        Its fields.
    """
    if not values.get("each"):
        yield values
        return
    law = ROWS[name]
    row = dict(values, **{law.count: 1})
    for _ in range(values[law.count]):
        yield dict(row)
        for advance in law.advances:
            if not advance.flag or values[advance.flag] == advance.value:
                step = config.cols if advance.step == "cols" else values[advance.step]
                row[advance.field] += step
        if law.sets and not values["apart"]:
            row[law.sets] = 1
