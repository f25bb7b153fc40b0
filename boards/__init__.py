"""Boards that Weft runs on: one module a board, each with a ``BOARD``."""

import importlib
import pathlib

__all__ = ["board", "board_names"]


def board_names():
    """Names of all boards: the modules here that do not begin with an underscore."""
    return sorted(path.stem for path in pathlib.Path(__file__).parent.glob("[!_]*.py"))


def board(name):
    """The board called ``name``.

    Raises
    ------
    ValueError
        If there is no such board; the message lists the known ones.
    """
    if name not in board_names():
        raise ValueError(f"no board {name!r}; there are {', '.join(board_names())}; "
                         f"docs/porting.md says how to add one")
    return importlib.import_module(f".{name}", __name__).BOARD
