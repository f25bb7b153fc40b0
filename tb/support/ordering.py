"""Tokens for a program that is right when its instructions run one after the other."""

import numpy as np

from weft.spec import isa
from weft.spec.iterations import iterations

__all__ = ["touched", "with_tokens"]


def _rows(start, size, *loops):
    """Indices of ``size`` elements from ``start``, repeated for each (count, pitch)."""
    index = start + np.arange(size)
    for count, pitch in loops:
        index = (np.arange(count)[:, None] * pitch + index).reshape(-1)
    return index


def touched(config, name, v):
    """What an instruction touches, exactly: a list of (space, writes, indices).

    Not for one with ``each``; for its rows.
    """
    if name in ("LOAD", "LOAD_WGT", "STORE"):
        local = "wgt" if name == "LOAD_WGT" else "spad"
        store = name == "STORE"
        return [
            ("host", store, _rows(v["host_addr"], v["bytes"], (v["count"], v["host_pitch"]))),
            (local, not store, _rows(v["local_addr"], v["bytes"], (v["count"], v["local_pitch"]))),
        ]
    if name == "FILL":
        return [("spad", True, _rows(v["local_addr"], v["bytes"], (v["count"], v["local_pitch"])))]
    if name == "MATMUL":
        loops = [(v[f"{axis}_count"] + (v["lead"] if axis == "x" else 0), v[f"{axis}_pitch"])
                 for axis in ("row", "chunk", "y", "x")]
        tiles = 1 if v["hold"] else v["row_count"] * v["chunk_count"]
        acc = _rows(v["acc_addr"], v["row_count" if v["apart"] else "y_count"] * v["x_count"])
        return [
            ("spad", False, _rows(v["act_addr"], config.rows, *loops)),
            ("wgt", False, _rows(v["wgt_addr"] * config.tile_bytes, tiles * config.tile_bytes)),
            ("acc", True, acc), ("acc", False, acc),
        ]
    if name == "PARAMS":
        found = [("spad", False, _rows(v["bias_addr"], 4 * v["channels"]))]
        if v["per_channel"]:
            found.append(("spad", False, _rows(v["scale_addr"], 8 * v["channels"])))
        return found
    if name == "DRAIN":
        size = v["channels"] * (4 if v["mode"] == isa.Mode.RAW else 1)
        return [
            ("acc", False, _rows(v["acc_addr"], v["x_count"], (v["y_count"], v["acc_pitch"]))),
            ("spad", True, _rows(v["out_addr"], size, (v["x_count"], v["x_pitch"]),
                                 (v["y_count"], v["y_pitch"]))),
        ]
    if name == "TABLE":
        return [("spad", False, _rows(v["table_addr"], isa.TABLE_BYTES))]
    if name in ("MAP", "SOFTMAX"):
        operands = ("a", "b", "out") if v.get("op") else ("a", "out")
        return [("spad", which == "out", _rows(v[f"{which}_addr"], v["bytes"],
                                               (v["count"], v[f"{which}_pitch"])))
                for which in operands]
    # SYNC_*: as if it wrote all of the scratchpad and the accumulators, a barrier
    return [("spad", True, np.arange(config.spad_bytes)), ("acc", True, np.arange(config.acc_rows))]


class _Step:
    """An instruction of the program that is being made; ``first`` is the number of its first row.

    Rows are numbered through the program; an instruction without ``each`` is one.
    """

    def __init__(self, name, values, first=-1, count=1, wait=0, signal=0):
        self.name, self.values = name, values
        self.first, self.count = first, count
        self.wait, self.signal = wait, signal

    @property
    def last(self):
        return self.first + self.count - 1

    def encode(self):
        return isa.encode(self.name, wait=self.wait, signal=self.signal, **self.values)


class _Order:
    """Who waits for whom, while instructions are added in the program's order."""

    def __init__(self, draw):
        units = range(len(isa.UNITS))
        self.draw = draw
        self.program = []
        self.of_unit = [[] for _ in units]
        # [waiter][giver]: the latest row that was waited for; its unit's tokens are used up with it
        self.seen = [[-1 for _ in units] for _ in units]

    def add(self, step, unit):
        self.program.append(step)
        self.of_unit[unit].append(step)

    def wait(self, step, unit, giver, needed):
        """Before row *i* of ``step`` goes, row ``needed[i]`` of ``giver`` must be done."""
        seen = self.seen[unit]
        if max(needed) <= seen[giver]:
            return
        step.wait |= 1 << giver
        later = [other for other in self.of_unit[giver] if other.first > seen[giver]]
        for other in later:
            if other.count == step.count and all(
                    row <= max(seen[giver], other.first + number)
                    for number, row in enumerate(needed)):
                # row by row: each gives the token of one
                other.signal |= 1 << unit
                seen[giver] = other.last
                return
        fits = [other for other in later if other.last >= max(needed)]
        if step.count == 1 and self.draw.random() < 0.5:
            # this is for all of its rows, and others take the tokens of all but the last
            other = fits[0]
            other.signal |= 1 << unit
            self.program += [_Step(f"SYNC_{isa.UNITS[unit]}", {}, wait=1 << giver)
                             for _ in range(other.count - 1)]
            seen[giver] = other.last
            return
        # all that the other unit has begun, and a token for each row
        self.program += [_Step(f"SYNC_{isa.UNITS[giver]}", {}, signal=1 << unit)
                         for _ in range(step.count)]
        seen[giver] = self.of_unit[giver][-1].last


def with_tokens(config, steps, host_bytes, draw):
    """Encode ``steps`` with the tokens that keep their order where it matters.

    Parameters
    ----------
    steps : list of (name, dict)
        Instructions without ``wait`` and ``signal``. Those of one unit keep their order anyway.
    host_bytes : :class:`int`
        Size of host memory.
    draw : :class:`random.Random`
        Where there is a choice.

    Returns
    -------
    :class:`bytes`
    """
    sizes = {"spad": config.spad_bytes, "wgt": config.wgt_bytes, "acc": config.acc_rows,
             "host": host_bytes}
    units = range(len(isa.UNITS))
    last = {(space, write): np.full((len(isa.UNITS), size), -1)
            for space, size in sizes.items() for write in (False, True)}
    order = _Order(draw)
    first = 0
    for name, values in steps:
        unit = isa.BY_NAME[name].unit
        fields = {field.name: 0 for field in isa.BY_NAME[name].fields}
        accesses = [touched(config, name, row) for row in iterations(config, name, fields | values)]
        step = _Step(name, values, first, len(accesses))
        for other in units:
            if other != unit:
                order.wait(step, unit, other, [
                    max((int(last[space, write][other][indices].max())
                         for space, writes, indices in row
                         for write in ((True, False) if writes else (True,))), default=-1)
                    for row in accesses])
        order.add(step, unit)
        for number, row in enumerate(accesses):
            for space, writes, indices in row:
                last[space, writes][unit][indices] = first + number
        first += len(accesses)
    return b"".join(step.encode() for step in order.program)
