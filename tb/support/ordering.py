"""Assignment of tokens to a program that is correct in sequential order."""

import numpy as np

from weft.spec import isa
from weft.spec.extents import regions
from weft.spec.iterations import iterations
from weft.spec.step_instructions import STEP_REGISTERS, count_of, resolve

__all__ = ["accesses_of", "with_tokens"]


def _indices(start, size, *loops):
    """Return the indices of ``size`` elements from ``start``, repeated for each (count, pitch)."""
    index = start + np.arange(size)
    for count, pitch in loops:
        index = (np.arange(count)[:, None] * pitch + index).reshape(-1)
    return index


def accesses_of(config, name, v):
    """Return the exact accesses of an instruction, a list of (space, is write, indices).

    An instruction with ``each`` is passed iteration by iteration. The step registers are 0.
    """
    if name in ("DRAIN_PLANES", "COMPUTE", "SOLVE"):
        return [(region.space, region.write, _indices(region.start, region.size, *region.loops))
                for region in regions(config, name, v)]
    if name.endswith("_STEP"):
        instruction, v = resolve(isa.BY_NAME[name], dict(v), (0,) * STEP_REGISTERS)
        return accesses_of(config, instruction.name, v) if count_of(instruction, v) else []
    if name in ("LOAD", "LOAD_WGT", "STORE"):
        local = "wgt" if name == "LOAD_WGT" else "spad"
        store = name == "STORE"
        return [
            ("host", store, _indices(v["host_addr"], v["bytes"], (v["count"], v["host_pitch"]))),
            (local, not store,
             _indices(v["local_addr"], v["bytes"], (v["count"], v["local_pitch"]))),
        ]
    if name == "FILL":
        return [("spad", True,
                 _indices(v["local_addr"], v["bytes"], (v["count"], v["local_pitch"])))]
    if name == "MATMUL":
        loops = [(v[f"{axis}_count"] + (v["lead"] if axis == "x" else 0), v[f"{axis}_pitch"])
                 for axis in ("row", "chunk", "y", "x")]
        tiles = 1 if v["hold"] else v["row_count"] * v["chunk_count"]
        acc = _indices(v["acc_addr"], v["row_count" if v["apart"] else "y_count"] * v["x_count"])
        return [
            ("spad", False, _indices(v["act_addr"], config.rows, *loops)),
            ("wgt", False, _indices(v["wgt_addr"] * config.tile_bytes, tiles * config.tile_bytes)),
            ("acc", True, acc), ("acc", False, acc),
        ]
    if name == "PARAMS":
        found = [("spad", False, _indices(v["bias_addr"], 4 * v["channels"]))]
        if v["per_channel"]:
            found.append(("spad", False, _indices(v["scale_addr"], 8 * v["channels"])))
        return found
    if name == "DRAIN":
        size = v["channels"] * (4 if v["mode"] == isa.Mode.RAW else 1)
        return [
            ("acc", False, _indices(v["acc_addr"], v["x_count"], (v["y_count"], v["acc_pitch"]))),
            ("spad", True, _indices(v["out_addr"], size, (v["x_count"], v["x_pitch"]),
                                 (v["y_count"], v["y_pitch"]))),
        ]
    if name == "TABLE":
        return [("spad", False, _indices(v["table_addr"], isa.TABLE_BYTES))]
    if name in ("MAP", "SOFTMAX"):
        operands = ("a", "b", "out") if v.get("op") else ("a", "out")
        return [("spad", which == "out", _indices(v[f"{which}_addr"], v["bytes"],
                                               (v["count"], v[f"{which}_pitch"])))
                for which in operands]
    # SYNC_* is a barrier: it counts as a write of the whole scratchpad and all accumulators
    return [("spad", True, np.arange(config.spad_bytes)), ("acc", True, np.arange(config.acc_rows))]


class _Step:
    """Instruction of the program; ``first`` is the number of its first iteration.

    Iterations are numbered over the whole program. An instruction without ``each`` has one.
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
    """Token dependencies of a program, whose instructions are added in order."""

    def __init__(self, draw):
        units = range(len(isa.UNITS))
        self.draw = draw
        self.program = []
        self.of_unit = [[] for _ in units]
        # [receiver][sender]: latest iteration of the sender for which the receiver has waited; it
        # has then also waited for all earlier ones
        self.seen = [[-1 for _ in units] for _ in units]

    def add(self, step, unit):
        self.program.append(step)
        self.of_unit[unit].append(step)

    def wait(self, step, unit, sender, needed):
        """Make iteration *i* of ``step`` wait for iteration ``needed[i]`` of unit ``sender``."""
        seen = self.seen[unit]
        if max(needed) <= seen[sender]:
            return
        step.wait |= 1 << sender
        later = [other for other in self.of_unit[sender] if other.first > seen[sender]]
        for other in later:
            if other.count == step.count and all(
                    iteration <= max(seen[sender], other.first + number)
                    for number, iteration in enumerate(needed)):
                # each iteration of ``other`` sends a token to the same iteration of ``step``
                other.signal |= 1 << unit
                seen[sender] = other.last
                return
        fits = [other for other in later if other.last >= max(needed)]
        if step.count == 1 and self.draw.random() < 0.5:
            # ``step`` waits for all iterations of ``other``: SYNC instructions take all tokens
            # but the last
            other = fits[0]
            other.signal |= 1 << unit
            self.program += [_Step(f"SYNC_{isa.UNITS[unit]}", {}, wait=1 << sender)
                             for _ in range(other.count - 1)]
            seen[sender] = other.last
            return
        # ``step`` waits for all earlier instructions of the sender: SYNC instructions of the
        # sender send a token for each iteration of ``step``
        self.program += [_Step(f"SYNC_{isa.UNITS[sender]}", {}, signal=1 << unit)
                         for _ in range(step.count)]
        seen[sender] = self.of_unit[sender][-1].last


def with_tokens(config, steps, host_bytes, draw, accesses=accesses_of):
    """Encode ``steps`` with tokens that keep the order of dependent instructions.

    Parameters
    ----------
    steps : list of (name, dict)
        Instructions without ``wait`` and ``signal``. A unit keeps the order of its instructions.
    host_bytes : :class:`int`
        Size of host memory.
    draw : :class:`random.Random`
        Source of random choices.
    accesses : callable
        Function to use instead of :func:`accesses_of`; it is called in the order of the program.

    Returns
    -------
    :class:`bytes`
    """
    sizes = {"spad": config.spad_bytes, "wgt": config.wgt_bytes, "acc": config.acc_rows,
             "host": host_bytes, "ring": config.wgt_bytes}
    units = range(len(isa.UNITS))
    last = {(space, write): np.full((len(isa.UNITS), size), -1)
            for space, size in sizes.items() for write in (False, True)}
    order = _Order(draw)
    first = 0
    for name, values in steps:
        unit = isa.BY_NAME[name].unit
        fields = {field.name: 0 for field in isa.BY_NAME[name].fields}
        found = [accesses(config, name, iteration)
                 for iteration in iterations(config, name, fields | values)]
        step = _Step(name, values, first, len(found))
        for other in units:
            if other != unit:
                order.wait(step, unit, other, [
                    max((int(last[space, write][other][indices].max())
                         for space, writes, indices in iteration
                         for write in ((True, False) if writes else (True,))), default=-1)
                    for iteration in found])
        order.add(step, unit)
        for number, iteration in enumerate(found):
            for space, writes, indices in iteration:
                last[space, writes][unit][indices] = first + number
        first += len(found)
    return b"".join(step.encode() for step in order.program)
