"""Dependencies between the compiler's stages."""

import ast
import pathlib

import pytest

import weft_host.compiler

COMPILER = pathlib.Path(weft_host.compiler.__file__).parent
STAGES = ("limits", "verdict", "frontend", "lower", "plan", "steps", "schedule", "emit",
          "pipeline", "gemm", "language_model")
"""Packages and modules of the compiler; each may import only those before it."""


def stage(module):
    """Return the position in STAGES of a module's path relative to the compiler."""
    return STAGES.index(module.split(".")[0])


def imported_modules(path):
    """Yield the modules of the compiler, relative to it, that a file imports."""
    package = path.relative_to(COMPILER).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and 0 < node.level <= len(package) + 1:
            base = [*package[:len(package) + 1 - node.level], *(node.module or "").split(".")]
            names = [".".join(filter(None, base))]
            yield from names if names[0] else [alias.name for alias in node.names]


@pytest.mark.parametrize("path", sorted(
    path for path in COMPILER.rglob("*.py") if path != COMPILER / "__init__.py"),
    ids=lambda path: str(path.relative_to(COMPILER)))
def test_a_stage_imports_only_itself_and_earlier_stages(path):
    own = stage(".".join(path.relative_to(COMPILER).with_suffix("").parts))
    later = [module for module in imported_modules(path) if stage(module) > own]
    assert not later
