"""Tokens for a program that is right when its instructions run one after the other."""

import numpy as np

from weft.control import isa

__all__ = ["touched", "with_tokens"]


def _rows(start, size, *loops):
    """Indices of ``size`` elements from ``start``, repeated for each (count, pitch)."""
    index = start + np.arange(size)
    for count, pitch in loops:
        index = (np.arange(count)[:, None] * pitch + index).reshape(-1)
    return index


def touched(config, name, v):
    """What an instruction touches, exactly: a list of (space, writes, indices)."""
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
        acc = _rows(v["acc_addr"], v["y_count"] * v["x_count"])
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


def with_tokens(config, steps, host_bytes):
    """Encode ``steps`` with the tokens that keep their order where it matters.

    Parameters
    ----------
    steps : list of (name, dict)
        Instructions without ``wait`` and ``signal``. Those of one unit keep their order anyway.
    host_bytes : :class:`int`
        Size of host memory.

    Returns
    -------
    :class:`bytes`
    """
    sizes = {"spad": config.spad_bytes, "wgt": config.wgt_bytes, "acc": config.acc_rows,
             "host": host_bytes}
    units = range(len(isa.UNITS))
    last = {(space, write): np.full((len(isa.UNITS), size), -1)
            for space, size in sizes.items() for write in (False, True)}
    waits, signals = [0] * len(steps), [0] * len(steps)
    seen = np.full((len(isa.UNITS), len(isa.UNITS)), -1)    # [waiter][signaller]: latest waited for
    for index, (name, values) in enumerate(steps):
        unit = isa.BY_NAME[name].unit
        fields = {field.name: 0 for field in isa.BY_NAME[name].fields}
        accesses = touched(config, name, fields | values)
        for other in units:
            if other == unit:
                continue
            needed = max((int(last[space, write][other][indices].max())
                          for space, writes, indices in accesses
                          for write in ((True, False) if writes else (True,))), default=-1)
            # an older need is met already; a newer instruction gives this unit its only token
            if needed > seen[unit][other]:
                seen[unit][other] = needed
                waits[index] |= 1 << other
                signals[needed] |= 1 << unit
        for space, writes, indices in accesses:
            last[space, writes][unit][indices] = index
    return b"".join(isa.encode(name, wait=wait, signal=signal, **values)
                    for (name, values), wait, signal in zip(steps, waits, signals))
