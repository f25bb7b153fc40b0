"""Execution of all Python blocks and all ``$ weft`` commands of the documentation."""

import pathlib
import re
import shlex
import subprocess
import sys

import pytest

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


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "console")],
                         ids=lambda page: str(page.relative_to(ROOT)))
def test_console_commands_succeed(page):
    (ROOT / "build").mkdir(exist_ok=True)
    for text in blocks(page, "console"):
        for line in text.splitlines():
            if line.startswith("$ weft "):
                command = [sys.executable, "-m", "weft_host.cli", *shlex.split(line)[2:]]
                done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True,
                                      timeout=300)
                assert done.returncode == 0, f"{line}\n{done.stderr}"


def test_finds_python_and_console_blocks():
    assert sum(len(blocks(page, "python")) for page in PAGES) >= 3
    assert sum(len(blocks(page, "console")) for page in PAGES) >= 2
