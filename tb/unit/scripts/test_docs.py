"""Execution of all Python blocks and all ``$ weft`` commands of the documentation."""

import pathlib
import re
import shlex
import subprocess
import sys

import pytest

from weft_host.cli import main

ROOT = pathlib.Path(__file__).resolve().parents[3]
PAGES = sorted((ROOT / "docs").rglob("*.md")) + [ROOT / "README.md"]
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page, language):
    return [text for kind, text in BLOCK.findall(page.read_text()) if kind == language]


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")],
                         ids=lambda page: str(page.relative_to(ROOT)))
def test_python_blocks_succeed(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    namespace = {"__name__": "__docs__"}
    for text in blocks(page, "python"):
        exec(compile(text, str(page), "exec"), namespace)


def commands(page):
    """Return the lines of a page that run ``weft``."""
    return [line for text in blocks(page, "console") for line in text.splitlines()
            if line.startswith("$ weft ")]


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)],
                         ids=lambda page: str(page.relative_to(ROOT)))
def test_console_commands_succeed(page, monkeypatch, capsys):
    """The first command of a page runs in a process of its own, the other ones in this process."""
    (ROOT / "build").mkdir(exist_ok=True)
    monkeypatch.chdir(ROOT)
    first, *others = commands(page)
    done = subprocess.run([sys.executable, "-m", "weft_host.cli", *shlex.split(first)[2:]],
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{first}\n{done.stderr}"
    for line in others:
        with pytest.raises(SystemExit) as stop:
            main(shlex.split(line)[2:])
        assert stop.value.code == 0, f"{line}\n{capsys.readouterr().err}"


def test_finds_python_and_console_blocks():
    assert sum(len(blocks(page, "python")) for page in PAGES) >= 3
    assert sum(len(blocks(page, "console")) for page in PAGES) >= 2
