"""Boards that Weft runs on: one module per board, which defines ``BOARD``."""

from __future__ import annotations

import importlib
import pathlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._board import Board

__all__ = ["Board", "board", "board_names"]


def __getattr__(name: str) -> Any:
    if name != "Board":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ._board import Board  # on first use, because it loads Amaranth
    return Board


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def board_names() -> list[str]:
    """Return the names of all boards, which are the modules here without a leading underscore."""
    return sorted(path.stem for path in pathlib.Path(__file__).parent.glob("[!_]*.py"))


def board(name: str) -> Board:
    """Return the board called ``name``.

    The package amaranth-boards is not needed. The pins are checked separately, by
    :meth:`weft_boards.Board.check_platform`.

    Raises
    ------
    ValueError
        If there is no such board, or if its module raises an error.
    """
    if name not in board_names():
        raise ValueError(f"no board {name!r}; there are {', '.join(board_names())}; "
                         f"docs/porting.md explains how to add one")
    file = f"boards/weft_boards/{name}.py"
    try:
        found: Board = importlib.import_module(f".{name}", __name__).BOARD
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
    except (Exception, SystemExit) as error:    # the module may raise any exception
        raise ValueError(f"{file}: {type(error).__name__}: {error}") from error
    if getattr(found, "name", None) != name:
        raise ValueError(f"{file}: name must be {name!r}, the name of the file, not "
                         f"{getattr(found, 'name', None)!r}")
    return found
