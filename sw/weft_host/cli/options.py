"""Command-line options that several verbs share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from weft.spec.presets import PRESETS

from ..configuration import find_board
from ..device.serial_line import BAUD
from ..errors import ConfigurationError
from .files import InputFile

if TYPE_CHECKING:
    from weft_boards._board import Board

__all__ = ["BoardName", "Command", "Decorator", "Target", "chosen_board", "config_options",
           "device_options", "json_option", "memory_options", "model_argument", "most_option",
           "seed_option", "serial_port"]

_FASTEST = 100_000_000      # baud
_LATENCY, _BANDWIDTH = 20, 1.0      # of the simulated host memory, without --board
_BOARD = f"{__name__}.board"

Command = TypeVar("Command", bound=Callable[..., Any])
"""A function that click turns into a command."""


class Decorator(Protocol):
    """Decorator that adds an option or an argument to a command."""

    def __call__(self, command: Command, /) -> Command: ...


model_argument: Decorator = click.argument("model", type=InputFile())

json_option: Decorator = click.option(
    "--json", "as_json", is_flag=True, help="Print the result as JSON on standard output.")

seed_option: Decorator = click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True,
    help="Seed of the random data.")

most_option: Decorator = click.option(
    "--cases", "most", type=click.IntRange(1), default=None,
    help="Run at most this many cases of each model. Default: all.")


class Target(click.ParamType):
    """Type of an option that names a device: ``emulator``, ``rtl``, or ``PORT[@BAUD]``."""

    name = "device"

    def convert(self, value: Any, param: click.Parameter | None,
                ctx: click.Context | None) -> Any:
        """Return the name of the device, or fail if it is not one."""
        if value in ("emulator", "rtl"):
            return value
        port, _, baud = value.partition("@")
        if not ("/" in port or port.upper().startswith("COM")):
            self.fail(f"{value!r} is not emulator, rtl or a serial port such as /dev/ttyUSB0 or "
                      "COM3; weft doctor lists the ports", param, ctx)
        # int() does not accept all digits that isdecimal() accepts, nor very long numbers
        if "@" in value and not (baud.isdecimal() and len(baud) <= len(str(_FASTEST))
                                 and 0 < int(baud) <= _FASTEST):
            self.fail(f"{baud!r} is not a baud rate from 1 to {_FASTEST}", param, ctx)
        return value


class BoardName(click.ParamType):
    """Type of an option that names a board; its value is the :class:`Board`."""

    name = "board"

    def convert(self, value: Any, param: click.Parameter | None,
                ctx: click.Context | None) -> Any:
        """Return the board, or fail if there is none of this name."""
        if not isinstance(value, str):
            return value
        try:
            return find_board(value)
        except ConfigurationError as error:
            self.fail(str(error), param, ctx)


def _choose_board(ctx: click.Context, param: click.Parameter, value: Board | None) -> None:
    ctx.meta[_BOARD] = value


def chosen_board() -> Board | None:
    """Return the board that the option ``--board`` of the current command names."""
    context = click.get_current_context(silent=True)
    found: Board | None = context.meta.get(_BOARD) if context else None
    return found


def _default_latency() -> int:
    board = chosen_board()
    return board.read_latency if board else _LATENCY


def _default_bandwidth() -> float:
    board = chosen_board()
    return board.bandwidth if board else _BANDWIDTH


def serial_port(where: str) -> tuple[str, int] | None:
    """Return the port and the baud rate that ``--on`` names, or ``None`` for other devices."""
    if where in ("emulator", "rtl"):
        return None
    port, _, baud = where.partition("@")
    return port, int(baud or BAUD)


def config_options(command: Command) -> Command:
    """Add the options ``--preset``, ``--board`` and ``--set``."""
    command = click.option(
        "--set", "changes", metavar="NAME=VALUE", multiple=True,
        help="Replace one parameter of the configuration; weft info lists their names. May be "
             "given several times.")(command)
    # the board is in the context, not among the arguments; it is eager for the default values of
    # other options
    command = click.option(
        "--board", type=BoardName(), metavar="NAME", expose_value=False, is_eager=True,
        callback=_choose_board,
        help="Board with Weft: its configuration, the size and the timing of its host memory, and "
             "its clock. With --set, the board needs a bitstream of the changed configuration."
    )(command)
    return click.option(
        "--preset", "preset_name", default="small", show_default=True, metavar="P",
        help=f"Configuration of the hardware: a preset ({', '.join(PRESETS)}) or the name of a "
             "board.")(command)


def memory_options(command: Command) -> Command:
    """Add the options for the memory of the simulated hardware."""
    for option in (
        click.option("--bandwidth", type=click.FloatRange(0.01, 1), default=_default_bandwidth,
                     show_default=f"{_BANDWIDTH:g}, or that of --board",
                     help="Bandwidth of the simulated host memory, in beats per cycle."),
        click.option("--latency", type=click.IntRange(1, 10000), default=_default_latency,
                     show_default=f"{_LATENCY}, or that of --board",
                     help="Latency of the simulated host memory, in cycles."),
    ):
        command = option(command)
    return command


def device_options(command: Command) -> Command:
    """Add the option ``--on`` and the options for the memory of the simulated hardware."""
    return click.option(
        "--on", "where", type=Target(), default="emulator", show_default=True,
        metavar="emulator|rtl|PORT[@BAUD]",
        help="Device to use. A board at a serial port reports its own configuration."
    )(memory_options(command))
