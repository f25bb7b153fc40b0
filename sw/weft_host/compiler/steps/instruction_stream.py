"""The instructions of a program while it is made: fields, what they touch, how long they take."""

import dataclasses

from weft.spec import isa
from weft.spec.extents import HOST, Region, regions

from ..plan import cost

__all__ = ["MOST", "Draft", "Stream"]

MOST = 65535
"""Greatest count of an instruction, and what the number of a tile stays below."""


@dataclasses.dataclass(slots=True)
class Draft:
    """An instruction before it has tokens and final host addresses.

    ``host`` names the part of host memory that ``host_addr`` counts from: ``"const"``,
    ``"tensor"``, or ``""`` for an instruction without host address.
    """

    name: str
    fields: dict
    accesses: list[Region]
    layer: int
    host: str = ""
    cycles: int = 1

    @property
    def unit(self):
        """The unit that executes it."""
        return isa.BY_NAME[self.name].unit


class Stream:
    """Collects drafts in an order that gives the right result one after the other.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        What they run on.
    """

    def __init__(self, config):
        self.config = config
        self.drafts = []
        self.layer = -1

    def _add(self, name, host="", surplus=0, **fields):
        """Append an instruction.

        ``surplus`` bytes at the end of the activations that a MATMUL reads meet zero weights only;
        whatever they hold, no result changes, so they are no hazard.
        """
        accesses = []
        for region in regions(self.config, name, fields):
            if region.space == HOST and host != "tensor":
                continue                # constants are never written
            if name == "MATMUL" and region.space == "spad":
                region = dataclasses.replace(
                    region, size=region.end - region.start - surplus, loops=())
            accesses.append(region)
        cycles = cost.instruction_cycles(self.config, name, fields)
        self.drafts.append(Draft(name, fields, accesses, self.layer, host, cycles))

    def nothing(self):
        """An instruction that does nothing."""
        self._add("SYNC_LOAD")

    def load(self, host, host_addr, local_addr, size, count=1, host_pitch=0, local_pitch=0, *,
             weights=False):
        """LOAD, or LOAD_WGT, of ``count`` rows of ``size`` bytes from ``host`` memory."""
        if count > MOST:
            self.load(host, host_addr, local_addr, size, MOST, host_pitch, local_pitch)
            self.load(host, host_addr + MOST * host_pitch, local_addr + MOST * local_pitch, size,
                      count - MOST, host_pitch, local_pitch)
            return
        self._add("LOAD_WGT" if weights else "LOAD", host, count=count,
                  host_addr=host_addr, host_pitch=host_pitch if count > 1 else 0,
                  local_addr=local_addr, local_pitch=local_pitch if count > 1 else 0, bytes=size)

    def fill(self, local_addr, size, value, count=1, local_pitch=0):
        """FILL of ``count`` rows of ``size`` bytes."""
        if size < 1 or count < 1:
            return
        if count > 1 and local_pitch == size:
            count, size = 1, count * size
        if count > MOST:
            self.fill(local_addr, size, value, MOST, local_pitch)
            self.fill(local_addr + MOST * local_pitch, size, value, count - MOST, local_pitch)
            return
        self._add("FILL", count=count, local_addr=local_addr,
                  local_pitch=local_pitch if count > 1 else 0, bytes=size, value=value & 0xFF)

    def matmul(self, *, surplus, maximum=0, accumulate=0, hold=0, **fields):
        """MATMUL; ``surplus`` bytes at the end of what it reads meet zero weights only."""
        f = fields
        if f["y_pitch"] == f["x_count"] * f["x_pitch"] and not f.get("lead"):
            # rows of positions without a gap are one row, whatever the tensor calls them
            f.update(y_count=1, x_count=f["y_count"] * f["x_count"])
        for axis in ("row", "chunk", "y", "x"):
            if f[f"{axis}_count"] == 1 and not (axis == "x" and f.get("lead")):
                f[f"{axis}_pitch"] = 0
        self._add("MATMUL", surplus=surplus, maximum=maximum, accumulate=accumulate, hold=hold,
                  **fields)

    def params(self, bias_addr, channels, *, channel=0, scale_addr=None, multiplier=0, shift=0):
        """PARAMS, with scales of each channel if ``scale_addr`` is given."""
        self._add("PARAMS", per_channel=int(scale_addr is not None), bias_addr=bias_addr,
                  scale_addr=scale_addr or 0, channels=channels, channel=channel,
                  multiplier=multiplier, shift=shift)

    def drain(self, size, **fields):
        """DRAIN to outputs of ``size`` bytes an element."""
        f = fields
        if f["y_pitch"] == f["x_count"] * f["x_pitch"] and f["acc_pitch"] == f["x_count"]:
            f.update(y_count=1, x_count=f["y_count"] * f["x_count"])
        if f["y_count"] == 1:
            f.update(y_pitch=0, acc_pitch=0)
        if f["x_count"] == 1:
            f["x_pitch"] = 0
        self._add("DRAIN", **fields)

    def table(self, address, number, multiplier, shift):
        """TABLE A (0) or B (1), with the multiplier and shift of the MAPs that follow."""
        self._add("TABLE", table=number, table_addr=address, multiplier=multiplier, shift=shift)

    def map(self, op, operands, out, out_pitch, count, size, **fields):
        """MAP of ``count`` rows of ``size`` bytes; operands are pairs of address and pitch."""
        if count > MOST:
            half = count // 2
            for first, number in ((0, half), (half, count - half)):
                self.map(op, [(address + first * pitch, pitch) for address, pitch in operands],
                         out + first * out_pitch, out_pitch, number, size, **fields)
            return
        for name, (address, pitch) in zip(("a", "b"), operands):
            fields[f"{name}_addr"] = address
            fields[f"{name}_pitch"] = pitch if count > 1 else 0
        self._add("MAP", op=op, out_addr=out, count=count, bytes=size,
                  out_pitch=out_pitch if count > 1 else 0, **fields)

    def softmax(self, address, out, count, size):
        """SOFTMAX of ``count`` rows of ``size`` bytes without gaps."""
        self._add("SOFTMAX", a_addr=address, out_addr=out, count=count, bytes=size,
                  a_pitch=size if count > 1 else 0, out_pitch=size if count > 1 else 0)

    def store(self, host_addr, local_addr, size, count=1, host_pitch=0, local_pitch=0):
        """STORE of ``count`` rows of ``size`` bytes into tensor memory."""
        self._add("STORE", "tensor", count=count, host_addr=host_addr,
                  host_pitch=host_pitch if count > 1 else 0, local_addr=local_addr,
                  local_pitch=local_pitch if count > 1 else 0, bytes=size)
