"""Stream of instructions before they are scheduled."""

import dataclasses
import enum

from weft.spec import isa
from weft.spec.config import Config
from weft.spec.extents import HOST, regions
from weft.spec.region import Region

from ..limits import MAX_COUNT
from ..plan import cost

__all__ = ["HostSection", "InstructionStream", "UnscheduledInstruction"]


class HostSection(enum.Enum):
    """Section of host memory to which a host address is relative until the program is emitted."""

    CONSTANTS = enum.auto()
    TENSORS = enum.auto()


@dataclasses.dataclass(slots=True)
class UnscheduledInstruction:
    """Instruction without tokens, whose host address is relative to a section of host memory.

    Attributes
    ----------
    name : :class:`str`
        Name of the instruction.
    fields : dict of str to int
        Fields, except the tokens.
    regions : list of :class:`weft.spec.extents.Region`
        Memory that the instruction accesses, as far as it can conflict with other instructions.
    layer : :class:`int`
        Index of the model's operator for which the instruction was emitted.
    section : :class:`HostSection` or :class:`None`
        Section to which ``host_addr`` is relative; ``None`` for an instruction without it.
    cycles : :class:`int`
        Estimated duration.
    """

    name: str
    fields: dict[str, int]
    regions: list[Region]
    layer: int
    section: HostSection | None = None
    cycles: int = 1

    @property
    def unit(self) -> int:
        """Number of the unit that executes the instruction."""
        return isa.BY_NAME[self.name].unit


class InstructionStream:
    """Sequence of instructions that computes the right result if it is executed one by one.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        Configuration that executes the instructions.

    Attributes
    ----------
    instructions : list of :class:`UnscheduledInstruction`
        The instructions so far.
    layer : :class:`int`
        Index of the model's operator to which further instructions are attributed.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.instructions: list[UnscheduledInstruction] = []
        self.layer = -1

    def no_operation(self) -> None:
        """Append an instruction without effect."""
        self._add("SYNC_LOAD", {})

    def load(self, section: HostSection, host_addr: int, local_addr: int, size: int,
             count: int = 1, host_pitch: int = 0, local_pitch: int = 0, *,
             weights: bool = False) -> None:
        """Append a LOAD, or a LOAD_WGT, of ``count`` rows of ``size`` bytes."""
        if count > MAX_COUNT:
            self.load(section, host_addr, local_addr, size, MAX_COUNT, host_pitch, local_pitch,
                      weights=weights)
            self.load(section, host_addr + MAX_COUNT * host_pitch,
                      local_addr + MAX_COUNT * local_pitch, size, count - MAX_COUNT, host_pitch,
                      local_pitch, weights=weights)
            return
        self._add("LOAD_WGT" if weights else "LOAD", dict(
            count=count, host_addr=host_addr, host_pitch=host_pitch if count > 1 else 0,
            local_addr=local_addr, local_pitch=local_pitch if count > 1 else 0, bytes=size),
            section)

    def store(self, host_addr: int, local_addr: int, size: int, count: int = 1,
              host_pitch: int = 0, local_pitch: int = 0) -> None:
        """Append a STORE of ``count`` rows of ``size`` bytes into the section of tensors."""
        self._add("STORE", dict(
            count=count, host_addr=host_addr, host_pitch=host_pitch if count > 1 else 0,
            local_addr=local_addr, local_pitch=local_pitch if count > 1 else 0, bytes=size),
            HostSection.TENSORS)

    def fill(self, local_addr: int, size: int, value: int, count: int = 1,
             local_pitch: int = 0) -> None:
        """Append a FILL of ``count`` rows of ``size`` bytes. An empty fill appends nothing."""
        if size < 1 or count < 1:
            return
        if count > 1 and local_pitch == size:
            count, size = 1, count * size
        if count > MAX_COUNT:
            self.fill(local_addr, size, value, MAX_COUNT, local_pitch)
            self.fill(local_addr + MAX_COUNT * local_pitch, size, value, count - MAX_COUNT,
                      local_pitch)
            return
        self._add("FILL", dict(
            count=count, local_addr=local_addr, local_pitch=local_pitch if count > 1 else 0,
            bytes=size, value=value & 0xFF))

    def matmul(self, *, overread: int, maximum: int = 0, accumulate: int = 0, hold: int = 0,
               **fields: int) -> None:
        """Append a MATMUL.

        The last ``overread`` bytes of the activations that it reads are multiplied by zero.
        """
        f = fields
        if f["y_pitch"] == f["x_count"] * f["x_pitch"] and not f.get("lead"):
            # without a gap between rows of positions, all positions are one row
            f.update(y_count=1, x_count=f["y_count"] * f["x_count"])
        for axis in ("row", "chunk", "y", "x"):
            if f[f"{axis}_count"] == 1 and not (axis == "x" and f.get("lead")):
                f[f"{axis}_pitch"] = 0
        self._add("MATMUL", dict(maximum=maximum, accumulate=accumulate, hold=hold, **fields),
                  overread=overread)

    def params(self, bias_addr: int, channels: int, *, channel: int = 0,
               scale_addr: int | None = None, multiplier: int = 0, shift: int = 0) -> None:
        """Append a PARAMS into ``channels`` parameter slots of VECTOR, from slot ``channel`` on.

        The biases are at ``bias_addr``, and the multipliers and shifts at ``scale_addr``. Without
        ``scale_addr``, ``multiplier`` and ``shift`` apply to all channels.
        """
        self._add("PARAMS", dict(
            per_channel=int(scale_addr is not None), bias_addr=bias_addr,
            scale_addr=scale_addr or 0, channels=channels, channel=channel,
            multiplier=multiplier, shift=shift))

    def drain(self, **fields: int) -> None:
        """Append a DRAIN."""
        f = fields
        if f["y_pitch"] == f["x_count"] * f["x_pitch"] and f["acc_pitch"] == f["x_count"]:
            f.update(y_count=1, x_count=f["y_count"] * f["x_count"])
        if f["y_count"] == 1:
            f.update(y_pitch=0, acc_pitch=0)
        if f["x_count"] == 1:
            f["x_pitch"] = 0
        self._add("DRAIN", fields)

    def table(self, address: int, number: int, multiplier: int, shift: int) -> None:
        """Append a TABLE that reads table A (0) or B (1).

        ``multiplier`` and ``shift`` apply to the MAPs that follow.
        """
        self._add("TABLE", dict(
            table=number, table_addr=address, multiplier=multiplier, shift=shift))

    def map(self, op: isa.MapOp, operands: list[tuple[int, int]], out: int, out_pitch: int,
            count: int, size: int, **fields: int) -> None:
        """Append a MAP of ``count`` rows of ``size`` bytes; operands are (address, pitch)."""
        if count > MAX_COUNT:
            half = count // 2
            for first, number in ((0, half), (half, count - half)):
                self.map(op, [(address + first * pitch, pitch) for address, pitch in operands],
                         out + first * out_pitch, out_pitch, number, size, **fields)
            return
        for name, (address, pitch) in zip(("a", "b"), operands):
            fields[f"{name}_addr"] = address
            fields[f"{name}_pitch"] = pitch if count > 1 else 0
        self._add("MAP", dict(
            op=int(op), out_addr=out, count=count, bytes=size,
            out_pitch=out_pitch if count > 1 else 0, **fields))

    def softmax(self, address: int, out: int, count: int, size: int) -> None:
        """Append a SOFTMAX of ``count`` consecutive rows of ``size`` bytes."""
        pitch = size if count > 1 else 0
        self._add("SOFTMAX", dict(a_addr=address, out_addr=out, count=count, bytes=size,
                                  a_pitch=pitch, out_pitch=pitch))

    def _add(self, name: str, fields: dict[str, int], section: HostSection | None = None,
             overread: int = 0) -> None:
        """Append an instruction.

        The last ``overread`` bytes of the activations that a MATMUL reads are multiplied by zero.
        These bytes affect no result and therefore cause no hazard.
        """
        accessed = []
        for region in regions(self.config, name, fields):
            if region.space == HOST and section is not HostSection.TENSORS:
                continue                # constants are never written
            if name == "MATMUL" and region.space == "spad":
                region = region._replace(size=region.end - region.start - overread, loops=())
            accessed.append(region)
        cycles = cost.instruction_cycles(self.config, name, fields)
        self.instructions.append(UnscheduledInstruction(
            name, fields, accessed, self.layer, section, cycles))
