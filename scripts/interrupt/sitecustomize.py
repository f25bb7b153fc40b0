"""Report of Ctrl-C in one sentence, for all Python programs that the Makefile runs.

Python imports a module of this name when it starts, and the Makefile has its folder in
``PYTHONPATH``. So an interrupt during the imports of a program is reported as well.
"""

from __future__ import annotations

import pathlib
import sys
import types

_report = sys.excepthook


def _name() -> str:
    """Return the name of the running program: that of the script, or of the module after -m."""
    path = pathlib.Path(sys.argv[0])
    return path.parent.name if path.stem == "__main__" else path.stem


def _excepthook(kind: type[BaseException], error: BaseException,
                traceback: types.TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        # the interpreter ends with the signal afterwards, for which a shell reports status 130
        print(f"\n{_name()}: interrupted", file=sys.stderr)
    else:
        _report(kind, error, traceback)


sys.excepthook = _excepthook
