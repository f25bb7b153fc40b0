"""Lookup of hardware configurations, by the name of a preset or a board or by their hash."""

import difflib

import weft_boards
from weft.spec.config import Config
from weft.spec.presets import PRESETS

from .errors import ConfigurationError

__all__ = ["find_config", "resolve_config"]


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
        try:
            found: Config = weft_boards.board(config).config
        except ValueError as error:
            raise ConfigurationError(str(error)) from error
        return found
    similar = difflib.get_close_matches(config, [*PRESETS, *boards], n=1)
    hint = f"; did you mean {similar[0]!r}?" if similar else "."
    raise ConfigurationError(f"No preset or board is named {config!r}{hint} Presets: "
                             f"{', '.join(PRESETS)}. Boards: {', '.join(boards)}.")


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
