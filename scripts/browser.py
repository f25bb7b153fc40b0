"""Headless Chromium of this machine, driven through Playwright."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

__all__ = ["missing", "open_browser"]

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
          "--disable-component-update", "--disable-sync",
          "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
SECONDS = 60.0          # for a page, on a machine that is busy with other things


def _program() -> str | None:
    return next(filter(None, map(shutil.which, _NAMES)), None)


def missing() -> str | None:
    """Return a sentence about the prerequisite that is missing, or None."""
    if _program() is None:
        return "no Chromium was found: sudo apt-get install chromium"
    try:
        import playwright  # noqa: F401
    except ImportError:
        return ("the Python package playwright is missing: "
                ".venv/bin/pip install -c constraints.txt -e '.[browser]'")
    return None


@contextlib.contextmanager
def open_browser(*, width: int, height: int = 900, dark: bool = False,
                 scale: float = 1) -> Iterator[BrowserContext]:
    """Start Chromium with a fresh profile, without access to the network, and close it at the end.

    Parameters
    ----------
    width, height : :class:`int`
        Size of the window, in CSS pixels.
    dark : :class:`bool`
        Colour scheme that pages find preferred.
    scale : :class:`float`
        Pixels of a picture for each CSS pixel.

    Raises
    ------
    SystemExit
        If Chromium or Playwright is missing.
    """
    reason = missing()
    if reason:
        raise SystemExit(f"browser: {reason}")
    from playwright.sync_api import sync_playwright
    with contextlib.ExitStack() as stack:
        profile = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        playwright = stack.enter_context(sync_playwright())
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=_program(), headless=True, args=_FLAGS,
            viewport={"width": width, "height": height}, device_scale_factor=scale,
            color_scheme="dark" if dark else "light",
            env={**os.environ, "TZ": "UTC"})
        stack.callback(context.close)
        context.set_default_timeout(1000 * SECONDS)
        yield context
