"""Checks that an instruction must pass before it has any effect, in the order of the hardware.

``docs/decisions/0001-contracts-between-blocks.md`` defines the order and the reported addresses.
The emulator reports the errors that these functions find; the compiler checks its own programs
with them.
"""

import dataclasses
from collections.abc import Mapping, Sequence

from weft.spec import isa
from weft.spec.config import Config
from weft.spec.extents import HOST, regions
from weft.spec.isa import ErrorCode, MapOp, Mode
from weft.spec.step_instructions import STEP_BIT, STEP_REGISTERS, count_of, resolve

from .file import Program
from .fixed_point_fields import fixed_point_reason

__all__ = ["AddressWindow", "Violation", "check_fetch", "check_instruction", "check_program"]

AddressWindow = tuple[int, int, bool, bool]
"""First and last absolute address of a window, and whether reads and writes are permitted."""

_BOUNDS = {"spad": ErrorCode.SPAD_BOUNDS, "wgt": ErrorCode.WGT_BOUNDS, "acc": ErrorCode.ACC_BOUNDS}
_WORDS = {"spad": "bytes of scratchpad", "wgt": "bytes of weight buffer",
          "acc": "accumulator rows"}
_MAP_OPS = frozenset(MapOp)
# fields that must not be 0, and bits that must be 0, of each instruction
_COUNTS = {instruction.name: [field.name for field in instruction.fields
                              if field.name == "bytes" or field.name.endswith("count")]
           for instruction in isa.BY_NAME.values()}
_RESERVED = {name: instruction.reserved_mask for name, instruction in isa.BY_NAME.items()}
_NO_STEPS = (0,) * STEP_REGISTERS


@dataclasses.dataclass(frozen=True)
class Violation:
    """Reason to reject an instruction.

    Attributes
    ----------
    code : :class:`weft.spec.isa.ErrorCode`
        Code, unit and address as in the error registers.
    unit : :class:`int`
    addr : :class:`int`
    reason : :class:`str`
        The reason as a sentence, with the numbers.
    """

    code: ErrorCode
    unit: int
    addr: int
    reason: str


def _window_reason(config: Config, start: int, end: int, write: bool,
                   windows: Sequence[AddressWindow]) -> str | None:
    """Return the reason why bytes ``start`` to ``end - 1`` must not be accessed, if any."""
    permission = "WRITE" if write else "READ"
    if end > 1 << config.addr_width:
        return f"bytes {start:#x} to {end - 1:#x} exceed the {config.addr_width} address bits"
    for first, last, read_ok, write_ok in windows:
        if first <= start and end - 1 <= last and (write_ok if write else read_ok):
            return None
    return f"bytes {start:#x} to {end - 1:#x} are in no window with {permission}"


def _channels_reason(config: Config, instruction: isa.Instruction,
                     v: Mapping[str, int]) -> str | None:
    """Return the reason why channel fields are out of range, if they are."""
    if "channels" not in v:
        return None
    available, cols, channel = config.param_channels, config.cols, v.get("channel", 0)
    if channel % cols or channel >= available:
        return f"channel is {channel} and must be a multiple of {cols} below {available}"
    most = available - channel if instruction.name == "PARAMS" else cols
    if not 1 <= v["channels"] <= most:
        return f"channels is {v['channels']} and must be from 1 to {most}"
    if v.get("apart") and channel + v["y_count"] * cols > available:
        return (f"y_count is {v['y_count']} and must be at most {(available - channel) // cols}: "
                f"there are parameters of {available} channels")
    return None


def _field_reason(config: Config, instruction: isa.Instruction,
                  v: Mapping[str, int]) -> str | None:
    """Return the reason why a field is out of range, if one is."""
    for name in _COUNTS[instruction.name]:
        if v[name] < 1:
            return f"{name} is 0 and must be at least 1"
    if config.compact and v.get("each"):
        return "each is set, which compact configurations do not support"
    reason = _channels_reason(config, instruction, v)
    if reason:
        return reason
    if instruction.name == "MATMUL" and v["apart"] and v["y_count"] != 1:
        return f"y_count is {v['y_count']} and must be 1 with apart set"
    if v.get("lead", 0) >= config.rows:
        return f"lead is {v['lead']} and must be below the {config.rows} rows of the array"
    if v.get("lead", 0) and not v["depthwise"]:
        return f"lead is {v['lead']} and must be 0 unless depthwise is set"
    if v.get("blank", 0) >= config.rows:
        return f"blank is {v['blank']} and must be below the {config.rows} rows of the array"
    if v.get("blank", 0) and v["depthwise"]:
        return f"blank is {v['blank']} and must be 0 with depthwise set"
    if v.get("shift", 0) > 62 and not instruction.field("shift").signed:
        return f"shift is {v['shift']} and must be at most 62"
    if v.get("multiplier", 0) >> 31:
        return f"multiplier is {v['multiplier']:#x} and must be below 2^31"
    if instruction.name == "MAP":
        if v["op"] not in _MAP_OPS:
            return f"op is {v['op']} and must be at most {max(MapOp):d}"
        if v["mode"] == Mode.RAW:
            return "mode is RAW, which MAP does not support"
    if "clamp_min" in v and v["clamp_min"] > v["clamp_max"]:
        return f"clamp_min of {v['clamp_min']} is greater than clamp_max of {v['clamp_max']}"
    return fixed_point_reason(config, instruction.name, v)


def _region_violation(config: Config, instruction: isa.Instruction, values: Mapping[str, int],
                      mem_base: int, windows: Sequence[AddressWindow] | None) -> Violation | None:
    """Return the first memory range that is out of bounds or outside every window, if any."""
    name = instruction.name
    sizes = {"spad": config.spad_bytes, "wgt": config.wgt_bytes, "acc": config.acc_rows}
    for region in regions(config, name, values):
        if region.space == HOST:
            if windows is None:
                continue
            start = mem_base + region.start
            reason = _window_reason(config, start, mem_base + region.end, region.write, windows)
            if reason:
                return Violation(ErrorCode.HOST_WINDOW, instruction.unit, start & 0xFFFFFFFF,
                                 f"{name}: {reason}")
        elif region.end > sizes[region.space]:
            return Violation(
                _BOUNDS[region.space], instruction.unit, region.addr,
                f"{name} {'writes' if region.write else 'reads'} up to {region.end} of "
                f"{sizes[region.space]} {_WORDS[region.space]}")
    return None


def check_instruction(config: Config, raw: bytes, *, address: int = 0, mem_base: int = 0,
                      windows: Sequence[AddressWindow] | None = None,
                      steps: Sequence[int] = _NO_STEPS) -> Violation | None:
    """Return the first reason to reject an instruction, or ``None``.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        Hardware that is to execute the instruction.
    raw : :class:`bytes`
        The 32 bytes of the instruction.
    address : :class:`int`
        Host address of the instruction.
    mem_base : :class:`int`
        Value of the register MEM_BASE.
    windows : sequence of :data:`AddressWindow`, or :class:`None`
        The address windows; ``None`` skips their check.
    steps : sequence of :class:`int`
        Contents of the step registers.
    """
    instruction, values = isa.decode(raw)
    if instruction is None or not isa.has_opcode(config, instruction.opcode):
        return Violation(ErrorCode.ILLEGAL_OPCODE, isa.SEQUENCER, address,
                         f"no instruction has opcode {raw[0]:#04x}")
    unit = instruction.unit
    reserved = int.from_bytes(raw, "little") & _RESERVED[instruction.name]
    if reserved:
        bits = ", ".join(str(bit) for bit in range(256) if reserved >> bit & 1)
        return Violation(ErrorCode.RESERVED_BITS, unit, address,
                         f"{instruction.name} must not set bits {bits}")
    if instruction.opcode & STEP_BIT:
        instruction, values = resolve(instruction, values, steps)
        if not count_of(instruction, values):
            return None
    reason = _field_reason(config, instruction, values)
    if reason:
        return Violation(ErrorCode.BAD_FIELD, unit, address, f"{instruction.name}: {reason}")
    return _region_violation(config, instruction, values, mem_base, windows)


def check_fetch(config: Config, address: int,
                windows: Sequence[AddressWindow]) -> Violation | None:
    """Return the reason why the instruction at ``address`` must not be fetched, or ``None``."""
    reason = _window_reason(config, address, address + isa.INSTRUCTION_BYTES, False, windows)
    if reason is None:
        return None
    return Violation(ErrorCode.HOST_WINDOW, isa.SEQUENCER, address & 0xFFFFFFFF,
                     f"fetch: {reason}")


def check_program(program: Program, mem_base: int = 0,
                  steps: Sequence[int] = _NO_STEPS) -> list[tuple[int, Violation]]:
    """List every instruction that the hardware would reject, with its index and the reason.

    ``steps`` are the contents of the step registers.
    """
    windows = [(mem_base + window.offset, mem_base + window.offset + window.size - 1,
                window.read, window.write) for window in program.windows if window.size]
    found: list[tuple[int, Violation]] = []
    for index in range(program.instruction_count):
        address = mem_base + index * isa.INSTRUCTION_BYTES
        violation = check_fetch(program.config, address, windows) or check_instruction(
            program.config, program.instruction(index), address=address, mem_base=mem_base,
            windows=windows, steps=steps)
        if violation:
            found.append((index, violation))
    return found
