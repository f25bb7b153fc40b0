"""Check of HTML pages in Chromium: no page scrolls sideways, on a phone or on a wide screen.

A table, a picture or a block of code may scroll inside a container that holds nothing else.
"""

from __future__ import annotations

import argparse
import pathlib
import time
from collections.abc import Iterable, Iterator

from browser import open_browser

__all__ = ["check", "main"]

ROOT = pathlib.Path(__file__).resolve().parents[1]
WIDTHS = (390, 1280)
HEIGHT = 900

# a sentence for the page and for each container that scrolls, with the elements that are too wide
_MEASURE = """() => {
    const page = document.documentElement, found = [];
    const scrolls = element => ['auto', 'scroll'].includes(getComputedStyle(element).overflowX);
    const name = element => element.tagName.toLowerCase() + ' "'
        + element.textContent.trim().slice(0, 40) + '"';
    const clipped = element => {
        for (let up = element.parentElement; up && up !== document.body; up = up.parentElement)
            if (getComputedStyle(up).overflowX !== 'visible') return true;
        return false;
    };
    const excess = page.scrollWidth - window.innerWidth;
    if (excess > 0) {
        const wide = [...document.body.querySelectorAll('*')].filter(element =>
            element.getBoundingClientRect().right > window.innerWidth + 0.5 && !clipped(element));
        found.push([excess, wide.filter(element => !wide.some(
            other => other !== element && element.contains(other))).slice(0, 3).map(name)]);
    }
    for (const element of document.body.querySelectorAll('*'))
        if (element.scrollWidth > element.clientWidth + 1 && scrolls(element)
            && element.getClientRects().length && !element.matches('pre')
            && !(element.childElementCount === 1
                 && element.firstElementChild.matches('table, svg, img, pre')))
            found.push([element.scrollWidth - element.clientWidth, [name(element)]]);
    return found;
}"""


def check(pages: Iterable[pathlib.Path], widths: Iterable[int] = WIDTHS) -> Iterator[str]:
    """Yield a sentence for each page and width at which the page, or a part of it, is too wide.

    Parameters
    ----------
    pages : list of :class:`pathlib.Path`
        HTML files.
    widths : list of :class:`int`
        Widths of the window in CSS pixels.
    """
    widths = tuple(widths)
    with open_browser(width=widths[0], height=HEIGHT) as browser:
        tab = browser.new_page()
        for page in pages:
            tab.goto(page.resolve().as_uri(), wait_until="load")
            for width in widths:
                tab.set_viewport_size({"width": width, "height": HEIGHT})
                for excess, names in tab.evaluate(_MEASURE):
                    yield f"{page}: at {width} px, {excess} px too wide: {', '.join(names)}"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="*", type=pathlib.Path, help="default: build/docs")
    options = parser.parse_args(arguments)
    pages: list[pathlib.Path] = []
    for path in options.pages or [ROOT / "build" / "docs"]:
        if not path.exists():
            raise SystemExit(f"check_pages: {path} does not exist; make docs writes build/docs")
        pages += sorted(path.rglob("*.html")) if path.is_dir() else [path]
    if not pages:
        raise SystemExit("check_pages: the folder holds no HTML page")
    started = time.monotonic()
    wide = list(check(pages))
    print("\n".join(wide), end="\n" if wide else "")
    print(f"{len(pages)} pages at {' and '.join(map(str, WIDTHS))} px in "
          f"{time.monotonic() - started:.0f} s: "
          + (f"{len(wide)} scroll sideways" if wide else "none scrolls sideways"))
    raise SystemExit(1 if wide else 0)


if __name__ == "__main__":
    main()
