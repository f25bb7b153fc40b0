"""Configuration and device that the options of a command describe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import weft_boards
from weft.spec.config import Config

from ..configuration import change_config, check_parameter, find_board, resolve_config
from ..device import Device, EmulatorDevice, RtlDevice, SerialDevice
from ..errors import ConfigurationError, InputError, LinkError
from .options import chosen_board, serial_port
from .output import progress

if TYPE_CHECKING:
    from weft_boards._board import Board

__all__ = ["board_of_preset", "config_is_given", "make_config", "make_device", "make_rtl_device",
           "require_memory"]


def _is_default(name: str) -> bool:
    source = click.get_current_context().get_parameter_source(name)
    return source is click.core.ParameterSource.DEFAULT


def config_is_given() -> bool:
    """Return whether the command has the option ``--preset``, ``--board`` or ``--set``."""
    return chosen_board() is not None or not (
        _is_default("preset_name") and _is_default("changes"))


def _parse_change(change: str) -> tuple[str, int | str | None]:
    """Return name and value of ``--set NAME=VALUE``."""
    name, equals, text = change.partition("=")
    if not equals:
        raise click.BadParameter(f"{change!r} is not NAME=VALUE", param_hint="--set")
    try:
        check_parameter(name)
    except ConfigurationError as error:
        raise click.BadParameter(str(error), param_hint="--set") from None
    if name == "multiplier":
        return name, text
    if name == "compact":
        raise click.BadParameter("compact cannot be changed; --preset icebreaker is the serial "
                                 "engine", param_hint="--set")
    if text.lower() == "none" and name == "dsp_cells":
        return name, None
    if name in ("fixed_point", "weights_4bit"):
        if text.lower() not in ("true", "false"):
            raise click.BadParameter(f"{text!r} is not true or false",
                                     param_hint=f"--set {name}")
        return name, text.lower() == "true"
    try:
        return name, int(text, 0)
    except ValueError:
        raise click.BadParameter(f"{text!r} is not an integer",
                                 param_hint=f"--set {name}") from None


def _parse_changes(changes: tuple[str, ...]) -> dict[str, int | str | None]:
    """Return the values of all options ``--set`` by name; a name has one value."""
    values: dict[str, int | str | None] = {}
    for name, value in map(_parse_change, changes):
        if values.setdefault(name, value) != value:
            raise click.BadParameter(f"{name} is set to {values[name]} and to {value}; keep one of "
                                     "the two", param_hint="--set")
    return values


def make_config(preset_name: str, changes: tuple[str, ...], where: str = "rtl") -> Config:
    """Return the configuration that ``--preset``, ``--board`` and ``--set`` describe.

    Without these options, and if ``where`` is a serial port, return that of the board.

    Raises
    ------
    click.BadParameter
        If the options are invalid.
    """
    _check_memory_options(where)
    port = serial_port(where)
    if port and not config_is_given():
        with SerialDevice(port[0], baud=port[1]) as device:
            return device.config
    values = _parse_changes(changes)
    if values.get("weights_4bit") and "fixed_point" not in values:
        values = {"fixed_point": True, **values}
    board = chosen_board()
    try:
        config = resolve_config(preset_name)
    except ConfigurationError as error:
        raise click.BadParameter(str(error), param_hint="--preset") from None
    if board:
        if not (_is_default("preset_name") or preset_name == board.name or config == board.config):
            raise click.UsageError(
                f"--preset {preset_name} contradicts --board {board.name}, which has a "
                "configuration of its own; leave one of the two out, or change single parameters "
                "with --set")
        config = board.config
    try:
        changed = change_config(config, values)
    except (ConfigurationError, TypeError, ValueError) as error:
        raise click.BadParameter(str(error), param_hint="--set") from None
    if board and changed.as_dict() != {**config.as_dict(), "name": changed.name}:
        progress(f"--set changes the configuration of {board.name}: the board needs a new "
                 f"bitstream, with these parameters in boards/weft_boards/{board.name}.py")
    return changed


def board_of_preset(preset_name: str, changes: tuple[str, ...]) -> Board | None:
    """Return the board that ``--board`` or ``--preset`` names.

    ``--preset`` names one only for its own memory: not with ``--set addr_width``.
    """
    board = chosen_board()
    if board or preset_name not in weft_boards.board_names():
        return board
    if "addr_width" in _parse_changes(changes):
        return None
    return find_board(preset_name)


def _check_memory_options(where: str) -> None:
    """Refuse the options of the simulated memory for devices that do not simulate its timing."""
    if where == "rtl":
        return
    reason = ("the emulator has no clock, so the option has no effect; use --on rtl"
              if where == "emulator" else
              "the option is for simulated hardware; a board has its own memory")
    for name in ("latency", "bandwidth"):
        if not _is_default(name):
            raise click.BadParameter(reason, param_hint=f"--{name}")


def _board(port: str, baud: int, config: Config) -> SerialDevice:
    """Return the board at a port.

    A port cannot be opened twice, so a command has one device, which is closed at its end.
    """
    context = click.get_current_context()
    key = f"{__name__}.board"
    if key not in context.meta:
        device = SerialDevice(port, config, baud=baud)
        context.meta[key] = device
        context.call_on_close(device.close)
        board = chosen_board()
        if board and device.info.board != board.name:
            raise LinkError(f"the board at {port} reports the name {device.info.board!r}, not "
                            f"{board.name!r}; leave out --board, or choose the port of the other "
                            "board")
    found: SerialDevice = context.meta[key]
    return found


def _memory_size(config: Config, memory_bytes: int) -> int:
    """Return the size of the memory of simulated hardware.

    It is that of the board which ``--board`` names, or else a power of two of at least
    ``memory_bytes``, within the address range.
    """
    board = chosen_board()
    if board:
        return int(min(board.memory_bytes, 1 << config.addr_width))
    return int(min(1 << max(16, (memory_bytes - 1).bit_length()), 1 << config.addr_width))


def require_memory(config: Config, needed: int, purpose: str) -> None:
    """Check that simulated hardware can have enough memory, before its simulator is built.

    Raises
    ------
    InputError
        If it cannot have ``needed`` bytes.
    """
    size = _memory_size(config, needed)
    if needed > size:
        board = chosen_board()
        limit = (f"{board.name} has {size:,} bytes of {board.memory_kind}" if board else
                 f"the {config.addr_width} address bits of {config.name} reach {size:,}")
        raise InputError(f"{purpose} needs {needed:,} bytes of host memory; {limit}")


def make_rtl_device(config: Config, *, memory_bytes: int, latency: int = 20,
                    bandwidth: float = 1.0) -> RtlDevice:
    """Return a simulation of the RTL with at least ``memory_bytes`` of host memory."""
    return RtlDevice(config, memory_bytes=_memory_size(config, memory_bytes), latency=latency,
                     bandwidth=bandwidth, progress=progress)


def make_device(where: str, config: Config, *, memory_bytes: int, latency: int = 20,
                bandwidth: float = 1.0) -> Device:
    """Return the device that ``--on`` names, with at least ``memory_bytes`` of host memory.

    The memory of a board has a fixed size, in simulation, too, if ``--board`` names it. That of
    other devices cannot exceed the address range. A program that needs more memory is rejected
    when it is run.
    """
    _check_memory_options(where)
    board = serial_port(where)
    if board:
        return _board(*board, config)
    if where == "emulator":
        return EmulatorDevice(config, memory_bytes=_memory_size(config, memory_bytes))
    return make_rtl_device(config, memory_bytes=memory_bytes, latency=latency,
                           bandwidth=bandwidth)
