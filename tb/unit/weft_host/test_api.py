"""The names that the package weft_host exports."""

import subprocess
import sys
from pathlib import Path

import pytest

import weft
import weft_host

ROOT = Path(__file__).resolve().parents[3]


def test_dir_lists_the_whole_api():
    assert dir(weft_host) == sorted(weft_host.__all__)
    assert {"RtlDevice", "compile", "Program", "resolve_config"} <= set(dir(weft_host))


def test_every_listed_name_exists():
    for name in dir(weft_host):
        assert getattr(weft_host, name) is not None


def test_an_unknown_name_is_rejected():
    with pytest.raises(AttributeError, match="^module 'weft_host' has no attribute 'Emulator'$"):
        weft_host.Emulator      # noqa: B018


def test_importing_the_package_does_not_import_amaranth():
    code = ("import sys, weft_host; dir(weft_host); "
            "print([name for name in sys.modules if name.startswith('amaranth')])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_nothing_else_is_imported_before_the_command_reports_ctrl_c():
    code = ("import importlib, sys; before = {*sys.modules}; import weft_host.__main__; "
            "print(sorted({*sys.modules} - before))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['weft_host', 'weft_host.__main__']\n"


def test_there_is_one_version():
    assert weft_host.__version__ == weft.__version__
    assert f"name: weft:accelerator:weft:{weft.__version__}\n" in (ROOT / "weft.core").read_text()
    generator = (ROOT / "scripts" / "weft_generator.core").read_text()
    assert f"name: weft:accelerator:generator:{weft.__version__}\n" in generator
