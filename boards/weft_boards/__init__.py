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
        If there is no such board, the message lists the known ones; or if its file does not make a
        board of that name, the message says why.
    """
    if name not in board_names():
        raise ValueError(f"no board {name!r}; there are {', '.join(board_names())}; "
                         f"docs/porting.md says how to add one")
    try:
        found = importlib.import_module(f".{name}", __name__).BOARD
    except ValueError as error:
        raise ValueError(f"boards/weft_boards/{name}.py: {error}") from error
    except Exception as error:      # it is a program: anything may be wrong with it
        raise ValueError(f"boards/weft_boards/{name}.py: {type(error).__name__}: {error}") from error
    if getattr(found, "name", None) != name:
        raise ValueError(f"boards/weft_boards/{name}.py: name must be {name!r}, that of the file, not "
                         f"{getattr(found, 'name', None)!r}")
    return found
