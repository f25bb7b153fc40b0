"""Report of Ctrl-C in one sentence, for all Python programs that the Makefile runs.

Python imports a module of this name when it starts, and the Makefile has its folder in
``PYTHONPATH``. So an interrupt during the imports of a program is reported as well. This module
imports nothing else, because nothing reports an interrupt before its end.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import types

_report = sys.excepthook


def _name() -> str:
    """Return the name of the running script, or of the module after -m."""
    path = sys.argv[0]
    if path == "-m":        # it is being located
        return sys.orig_argv[sys.orig_argv.index(path) + 1]
    parts = path.removesuffix(".py").split("/")
    return parts[-2] if parts[-1] == "__main__" else parts[-1]


def _excepthook(kind: type[BaseException], error: BaseException,
                traceback: "types.TracebackType | None") -> None:
    if issubclass(kind, KeyboardInterrupt):
        # the interpreter ends with the signal afterwards, for which a shell reports status 130
        print(f"\n{_name()}: interrupted", file=sys.stderr)
    else:
        _report(kind, error, traceback)


sys.excepthook = _excepthook
