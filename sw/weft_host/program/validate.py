"""The checks that an instruction passes before it has any effect, in the order of the hardware.

The order and the addresses are those of ``docs/decisions/0001-contracts-between-blocks.md``.
The emulator reports what these functions find; the compiler checks its own programs with them.
"""

import dataclasses

from weft.spec import isa
from weft.spec.extents import HOST, regions
from weft.spec.isa import ErrorCode, MapOp, Mode

__all__ = ["Violation", "check_fetch", "check_instruction", "check_program"]

_BOUNDS = {"spad": ErrorCode.SPAD_BOUNDS, "wgt": ErrorCode.WGT_BOUNDS, "acc": ErrorCode.ACC_BOUNDS}
_WORDS = {"spad": "bytes of scratchpad", "wgt": "bytes of weight buffer",
          "acc": "accumulator rows"}


@dataclasses.dataclass(frozen=True)
class Violation:
    """Why an instruction is refused."""

    code: ErrorCode
    unit: int
    addr: int
    reason: str


def _window_reason(config, start, end, write, windows):
    """Why bytes ``start`` to before ``end`` may not be touched; ``None`` if they may."""
    right = "WRITE" if write else "READ"
    if end > 1 << config.addr_width:
        return f"bytes {start:#x} to {end - 1:#x} reach past the {config.addr_width} address bits"
    for first, last, read_ok, write_ok in windows:
        if first <= start and end - 1 <= last and (write_ok if write else read_ok):
            return None
    return f"bytes {start:#x} to {end - 1:#x} lie in no window with {right}"


def _channels_reason(config, instruction, v):
    """Which channels do not exist; ``None`` if all do."""
    if "channels" not in v:
        return None
    places, cols, channel = config.param_channels, config.cols, v["channel"]
    if channel % cols or channel >= places:
        return f"channel is {channel} and must be a multiple of {cols} below {places}"
    most = places - channel if instruction.name == "PARAMS" else cols
    if not 1 <= v["channels"] <= most:
        return f"channels is {v['channels']} and must be from 1 to {most}"
    if v.get("apart") and channel + v["y_count"] * cols > places:
        return (f"y_count is {v['y_count']} and must be at most {(places - channel) // cols}: "
                f"there are parameters of {places} channels")
    return None


def _field_reason(config, instruction, v):
    """Which field is out of its range; ``None`` if none is."""
    for field in instruction.fields:
        if (field.name == "bytes" or field.name.endswith("count")) and v[field.name] < 1:
            return f"{field.name} is 0 and must be at least 1"
    if config.compact and v.get("each"):
        return "each is set, which configurations with compact do not have"
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
    if v.get("shift", 0) > 62:
        return f"shift is {v['shift']} and must be at most 62"
    if v.get("multiplier", 0) >> 31:
        return f"multiplier is {v['multiplier']:#x} and must be below 2^31"
    if v.get("op", 0) not in list(MapOp):
        return f"op is {v['op']} and must be at most {max(MapOp):d}"
    if instruction.name == "MAP" and v["mode"] == Mode.RAW:
        return "mode is RAW, which MAP does not have"
    if "clamp_min" in v and v["clamp_min"] > v["clamp_max"]:
        return f"clamp_min of {v['clamp_min']} is greater than clamp_max of {v['clamp_max']}"
    return None


def check_instruction(config, raw, *, address=0, mem_base=0, windows=None):
    """The first reason to refuse an instruction, or ``None``.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        The hardware that is to execute it.
    raw : :class:`bytes`
        The 32 bytes.
    address : :class:`int`
        Host address of the instruction.
    mem_base : :class:`int`
        Register MEM_BASE.
    windows : list of (first, last, read, write), or :class:`None`
        The address windows, absolute; ``None`` leaves that check out.

    Returns
    -------
    :class:`Violation` or :class:`None`
    """
    instruction, values = isa.decode(raw)
    if instruction is None:
        return Violation(ErrorCode.ILLEGAL_OPCODE, isa.SEQUENCER, address,
                         f"no instruction has opcode {raw[0]:#04x}")
    unit = instruction.unit
    reserved = int.from_bytes(raw, "little") & instruction.reserved_mask
    if reserved:
        bits = ", ".join(str(bit) for bit in range(256) if reserved >> bit & 1)
        return Violation(ErrorCode.RESERVED_BITS, unit, address,
                         f"{instruction.name} must not set bits {bits}")
    reason = _field_reason(config, instruction, values)
    if reason:
        return Violation(ErrorCode.BAD_FIELD, unit, address, f"{instruction.name}: {reason}")
    sizes = {"spad": config.spad_bytes, "wgt": config.wgt_bytes, "acc": config.acc_rows}
    for region in regions(config, instruction.name, values):
        if region.space == HOST:
            if windows is None:
                continue
            start = mem_base + region.start
            reason = _window_reason(config, start, mem_base + region.end, region.write, windows)
            if reason:
                return Violation(ErrorCode.HOST_WINDOW, unit, start & 0xFFFFFFFF,
                                 f"{instruction.name}: {reason}")
        elif region.end > sizes[region.space]:
            return Violation(
                _BOUNDS[region.space], unit, region.addr,
                f"{instruction.name} {'writes' if region.write else 'reads'} up to {region.end} of "
                f"{sizes[region.space]} {_WORDS[region.space]}")
    return None


def check_fetch(config, address, windows):
    """Why the instruction at ``address`` may not be fetched, or ``None``."""
    reason = _window_reason(config, address, address + isa.INSTRUCTION_BYTES, False, windows)
    if reason is None:
        return None
    return Violation(ErrorCode.HOST_WINDOW, isa.SEQUENCER, address & 0xFFFFFFFF,
                     f"fetching: {reason}")


def check_program(program, mem_base=0):
    """Every instruction that the hardware would refuse, as a list of (index, Violation)."""
    windows = [(mem_base + window.offset, mem_base + window.offset + window.size - 1,
                window.read, window.write) for window in program.windows if window.size]
    found = []
    for index in range(program.instruction_count):
        address = mem_base + index * isa.INSTRUCTION_BYTES
        violation = check_fetch(program.config, address, windows) or check_instruction(
            program.config, program.instruction(index), address=address, mem_base=mem_base,
            windows=windows)
        if violation:
            found.append((index, violation))
    return found
