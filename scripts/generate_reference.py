"""Write the reference pages of the documentation: one page a Python package, and one of all verbs.

The pages hold Sphinx directives that read the docstrings and the command line's own help.
"""

import importlib
import pathlib
import pkgutil
import re

ROOT = pathlib.Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"

PACKAGES = {
    "weft": "gateware",
    "weft_host": "compiler, emulator, devices and command line",
    "weft_boards": "development boards",
}
"""Documented packages, each with a title for people."""

_MAKE_VERB = re.compile(r"^([a-z]+):.*## (.*)$", re.MULTILINE)


def _is_private(name: str) -> bool:
    return any(part.startswith("_") for part in name.split("."))


def packages(top: str) -> dict[str, list[str]]:
    """Return the public modules of an importable package, by the package that holds them.

    Parameters
    ----------
    top : :class:`str`
        Name of a top-level package.

    Returns
    -------
    dict of :class:`str` to list of :class:`str`
        Names of packages, each with the names of its modules, both in alphabetical order.
    """
    found: dict[str, list[str]] = {top: []}
    path = importlib.import_module(top).__path__
    for module in sorted(pkgutil.walk_packages(path, f"{top}."), key=lambda info: info.name):
        if _is_private(module.name):
            continue
        if module.ispkg:
            found[module.name] = []
        else:
            found[module.name.rpartition(".")[0]].append(module.name)
    return found


def package_page(package: str, modules: list[str]) -> str:
    """Return the page of one package: its own docstring and exports, then every module of it.

    An export that a private module defines is documented here, since that module has no page.
    """
    found = importlib.import_module(package)
    exported = {name: getattr(found, name) for name in getattr(found, "__all__", [])}
    own = [name for name, value in exported.items()
           if (home := getattr(value, "__module__", None)) == package
           or (isinstance(home, str) and _is_private(home))]
    text = [f"# `{package}`", "", "```{eval-rst}", f".. automodule:: {package}",
            *([f"   :members: {', '.join(own)}"] if own else []), "```", ""]
    if exported:
        text += ["The package exports " + ", ".join(
            f"{{py:obj}}`{name} <{package}.{name}>`" if callable(value) else f"`{name}`"
            for name, value in exported.items()) + ".", ""]
    for module in modules:
        text += [f"## `{module}`", "", "```{eval-rst}", f".. automodule:: {module}",
                 "   :members:", "   :show-inheritance:", "```", ""]
    return "\n".join(text)


def index_page() -> str:
    """Return the page that lists the packages."""
    text = ["# Python API", "",
            "These pages are generated from the docstrings. Names that begin with an underscore "
            "are private.", ""]
    for top, title in PACKAGES.items():
        text += ["```{toctree}", f":caption: {top}, {title}", ":maxdepth: 1", "",
                 *packages(top), "```", ""]
    return "\n".join(text)


def commands_page(makefile: str) -> str:
    """Return the page of all verbs of ``weft`` and of the Makefile.

    Parameters
    ----------
    makefile : :class:`str`
        Text of the Makefile, whose targets carry their help behind ``##``.
    """
    text = ["# Commands", "", "This page is generated from the help texts of the Makefile and of "
            "the command `weft`.", "", "## make", "",
            "Every verb first sets the tree up, as `make setup` does.", "",
            "| verb | purpose |", "|---|---|"]
    text += [f"| `make {verb}` | {purpose.replace('|', chr(92) + '|')} |"
             for verb, purpose in _MAKE_VERB.findall(makefile)]
    text += ["", "## The command weft", "", "```{eval-rst}", ".. click:: weft_host.cli:command",
             "   :prog: weft", "   :nested: full", "```", ""]
    return "\n".join(text)


def write_if_changed(path: pathlib.Path, text: str) -> None:
    """Write a page, unless the file has this text already: Sphinx rebuilds what is newer."""
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def main() -> None:
    """Write all reference pages into ``docs``, and remove those of packages that are gone."""
    pages = {DOCS / "commands.md": commands_page((ROOT / "Makefile").read_text()),
             DOCS / "api" / "index.md": index_page()}
    for top in PACKAGES:
        for package, modules in packages(top).items():
            pages[DOCS / "api" / f"{package}.md"] = package_page(package, modules)
    for path, text in pages.items():
        write_if_changed(path, text)
    for path in (DOCS / "api").glob("*.md"):
        if path not in pages:
            path.unlink()


if __name__ == "__main__":
    main()
