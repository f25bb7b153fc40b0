"""Entry point of the command ``weft`` and of ``python -m weft_host``."""

import sys

TYPE_CHECKING = False       # as in weft_host
if TYPE_CHECKING:
    from typing import NoReturn

__all__ = ["main"]


def main() -> "NoReturn":
    """Run the command; report Ctrl-C during its imports in one sentence, too."""
    try:
        from .cli import main as run
        run()
    except KeyboardInterrupt:
        print("weft: interrupted", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
