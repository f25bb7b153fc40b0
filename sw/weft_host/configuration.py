"""Lookup of hardware configurations, by the name of a preset or a board or by their hash."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

import weft_boards
from weft.spec.config import MULTIPLIERS, Config
from weft.spec.presets import PRESETS, override

from .errors import ConfigurationError
from .unknown_name import unknown_name

if TYPE_CHECKING:
    from weft_boards._board import Board

__all__ = ["change_config", "check_parameter", "find_board", "find_config", "resolve_config"]

_PARAMETERS = [field.name for field in dataclasses.fields(Config) if field.name != "name"]


def resolve_config(config: Config | str) -> Config:
    """Return the configuration that a name stands for.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config` or :class:`str`
        A configuration, which is returned unchanged; or the name of a preset or of a board. A
        preset takes precedence over a board of the same name.

    Raises
    ------
    ConfigurationError
        If no preset and no board has this name, or if the file of the board is invalid.
    TypeError
        If ``config`` is neither a configuration nor a name.
    """
    if isinstance(config, Config):
        return config
    if not isinstance(config, str):
        raise TypeError("config must be a weft.spec.config.Config or the name of a preset or of a "
                        f"board, not {config!r}")
    if config in PRESETS:
        return PRESETS[config]
    boards = weft_boards.board_names()
    if config in boards:
        return find_board(config).config
    raise ConfigurationError(unknown_name(
        f"No preset or board is named {config!r}", config, [*PRESETS, *boards],
        f"Presets: {', '.join(PRESETS)}. Boards: {', '.join(boards)}."))


def find_board(name: str) -> Board:
    """Return the board called ``name``.

    Raises
    ------
    ConfigurationError
        If no board has this name, or if the file of the board is invalid.
    """
    boards = weft_boards.board_names()
    if name not in boards:
        raise ConfigurationError(unknown_name(
            f"No board is named {name!r}", name, boards,
            f"Boards: {', '.join(boards)}; docs/porting.md explains how to add one."))
    try:
        return weft_boards.board(name)
    except ValueError as error:
        raise ConfigurationError(str(error)) from error


def check_parameter(name: str) -> None:
    """Check that configurations have a parameter called ``name``.

    Raises
    ------
    ConfigurationError
        If there is none.
    """
    if name not in _PARAMETERS:
        raise ConfigurationError(unknown_name(f"no parameter {name!r}", name, _PARAMETERS))


def change_config(config: Config, changes: Mapping[str, int | str | None]) -> Config:
    """Return a configuration with some parameters replaced.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        The configuration to change.
    changes : mapping
        Values by the names of the parameters. The changes become part of the name.

    Raises
    ------
    ConfigurationError
        If there is no such parameter or form of multipliers.
    TypeError, ValueError
        If a value is invalid, see :class:`weft.spec.config.Config`.
    """
    for name, value in changes.items():
        check_parameter(name)
        if name == "multiplier" and value not in MULTIPLIERS:
            raise ConfigurationError(unknown_name(f"no multiplier {value!r}", str(value),
                                                  MULTIPLIERS))
    return override(config, **changes)


def find_config(fingerprint: int, board: str = "") -> tuple[Config | None, list[str]]:
    """Find the configuration with a given hash among the presets and the boards.

    Parameters
    ----------
    fingerprint : :class:`int`
        The value of the register ``CONFIG_HASH``.
    board : :class:`str`
        The name that the board reports. Its file is read before those of other boards.

    Returns
    -------
    (:class:`weft.spec.config.Config` or None, list of :class:`str`)
        The configuration of a preset or of a board, or None; and one sentence for each board file
        that could not be read.
    """
    for preset in PRESETS.values():
        if preset.fingerprint == fingerprint:
            return preset, []
    unread = []
    for name in sorted(weft_boards.board_names(), key=lambda name: name != board):
        try:
            config: Config = weft_boards.board(name).config
        except ValueError as error:     # the file may be unfinished
            unread.append(str(error))
            continue
        if config.fingerprint == fingerprint:
            return config, unread
    return None, unread
