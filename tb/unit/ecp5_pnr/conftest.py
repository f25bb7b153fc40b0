"""Compiled programs of ecp5_pnr for its tests."""

import shutil
from pathlib import Path

import pytest

from ecp5_pnr.native import compile_programs


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with both programs, compiled once."""
    folder = tmp_path_factory.mktemp("programs")
    compile_programs(folder)
    return folder


@pytest.fixture
def folder(programs: Path, tmp_path: Path) -> Path:
    """Return an empty folder but for both programs."""
    for program in ("refine", "route"):
        shutil.copy2(programs / program, tmp_path / program)
    return tmp_path
