"""Test of Ctrl-C: a program of the Makefile, and ``weft``, end in one sentence, also in imports."""

import os
import pathlib
import signal
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
FOLDER = ROOT / "scripts" / "interrupt"
SLOW = "import time\nprint('importing', flush=True)\ntime.sleep(60)\n"


def _accept_interrupts():
    # a shell lets its background jobs, and their children, ignore the signal
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def interrupted(command, path):
    """Press Ctrl-C when the program has printed a line; return its status and its messages."""
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("MAKEFLAGS", "MAKELEVEL")}
    # a process group of its own, which a terminal would send the signal to
    with subprocess.Popen(command, cwd=ROOT, env={**environment, "PYTHONPATH": str(path)},
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          start_new_session=True, preexec_fn=_accept_interrupts) as process:
        assert process.stdout.readline() == "importing\n"
        os.killpg(process.pid, signal.SIGINT)
        _, messages = process.communicate(timeout=60)
    return process.returncode, messages


@pytest.fixture
def slow_import(tmp_path):
    """A script, and the folder of a module whose import takes a minute."""
    (tmp_path / "slow").mkdir()
    (tmp_path / "slow" / "slow_module.py").write_text(SLOW)
    script = tmp_path / "program.py"
    script.write_text("import slow_module\n")
    return script, tmp_path / "slow"


def test_a_program_of_the_makefile_ends_in_one_sentence(slow_import):
    script, folder = slow_import
    status, messages = interrupted(
        ["make", "--eval", f"trial: ; @{sys.executable} {script}", "trial"], folder)
    assert status == -signal.SIGINT
    lines = messages.splitlines()
    assert lines[:2] == ["", "program: interrupted"]
    assert all("make: *** " in line for line in lines[2:])


def test_a_module_is_named_after_its_package(slow_import):
    script, folder = slow_import
    package = script.parent / "slow" / "package"
    package.mkdir()
    script.rename(package / "__main__.py")
    status, messages = interrupted([sys.executable, "-m", "package"],
                                   f"{FOLDER}{os.pathsep}{folder}")
    assert (status, messages) == (-signal.SIGINT, "\npackage: interrupted\n")


def test_other_exceptions_are_reported_as_before():
    done = subprocess.run([sys.executable, "-c", "1 / 0"], capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(FOLDER)})
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback")
    assert done.stderr.endswith("ZeroDivisionError: division by zero\n")


@pytest.mark.parametrize("module", ["click", "numpy"])
def test_the_command_ends_in_one_sentence_during_its_imports(tmp_path, module):
    (tmp_path / f"{module}.py").write_text(SLOW)
    status, messages = interrupted([sys.executable, "-m", "weft_host", "info"], tmp_path)
    assert status == 130
    # click ends the line of ^C if the command line had been read
    assert messages.lstrip("\n") == "weft: interrupted\n"
