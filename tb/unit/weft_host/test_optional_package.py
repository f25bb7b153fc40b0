"""Packages of extras that are not installed."""

import importlib.util
import subprocess
import sys

import pytest

from weft_host import WeftError


@pytest.mark.parametrize("module, package, purpose", [
    ("weft_host.compiler.frontend.llm", "gguf", "language models"),
    ("weft_host.language", "tokenizers", "text tokens")])
def test_an_import_names_the_package_and_the_extra(monkeypatch, module, package, purpose):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: (
        None if name == package else find_spec(name, *more)))
    for name in [name for name in sys.modules if name.startswith(module)]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ImportError) as error:
        importlib.import_module(module)
    assert isinstance(error.value, WeftError) and str(error.value) == (
        f"{purpose} need the package {package}, which is not installed: pip install 'weft[llm]'")


def test_the_rest_of_the_package_needs_no_extra():
    code = "import sys, weft_host, weft_host.compiler, weft_host.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert "weft_host" in loaded and not {"gguf", "tokenizers", "safetensors"} & loaded
