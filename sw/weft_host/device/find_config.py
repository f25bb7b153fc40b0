"""Lookup of the configuration that a board runs, by the hash in its registers."""

import weft_boards
from weft.spec.config import Config
from weft.spec.presets import PRESETS

__all__ = ["find_config"]


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
            config = weft_boards.board(name).config
        except ValueError as error:     # the file may be unfinished
            unread.append(str(error))
            continue
        if config.fingerprint == fingerprint:
            return config, unread
    return None, unread
