"""Which configuration a board is: from the hash in its registers, and the name it gives itself."""

import importlib
import pathlib
import sys

from weft.presets import PRESETS

__all__ = ["find_config"]

_BOARDS = pathlib.Path(__file__).resolve().parents[3] / "boards" / "__init__.py"


def _boards():
    """The package with the boards' files; ``None`` in an installed copy, which has none."""
    if not _BOARDS.is_file():
        return None
    sys.path.insert(0, str(_BOARDS.parents[1]))
    try:
        found = importlib.import_module("boards")
    finally:
        sys.path.pop(0)
    # a program may have another package of this name
    return found if pathlib.Path(found.__file__ or "").resolve() == _BOARDS else None


def find_config(fingerprint, board=""):
    """The configuration with a hash, and why others were not looked at.

    Parameters
    ----------
    fingerprint : :class:`int`
        What the register ``CONFIG_HASH`` reads.
    board : :class:`str`
        What the board calls itself: its file is read before those of others.

    Returns
    -------
    (:class:`weft.config.Config` or None, list of :class:`str`)
        A preset's, or that of a board whose file is in the source tree; and a sentence for each
        file that could not be read.
    """
    for preset in PRESETS.values():
        if preset.fingerprint == fingerprint:
            return preset, []
    boards, unread = _boards(), []
    names = boards.board_names() if boards else []
    for name in sorted(names, key=lambda name: name != board):
        try:
            config = boards.board(name).config
        except ValueError as error:     # somebody is writing it
            unread.append(str(error))
            continue
        if config.fingerprint == fingerprint:
            return config, unread
    return None, unread
