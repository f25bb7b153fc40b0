"""Standard output that is closed, full, or cannot represent a file name."""

import os
import shutil
import subprocess
import sys

import pytest


def weft(*arguments, shell="", **variables):
    """Run ``weft`` with a redirection of the shell."""
    return subprocess.run(
        ["bash", "-c", f'"$0" -m weft_host.cli "$@" {shell}', sys.executable, *arguments],
        capture_output=True, env={**os.environ, **variables})


@pytest.mark.parametrize("shell, status, message", [
    ("| true", 0, b""),
    (">&-", 0, b""),
    ("> /dev/full", 2, b"weft: standard output cannot be written: No space left on device\n"),
])
def test_an_output_that_cannot_be_written_ends_without_a_traceback(shell, status, message):
    done = weft("info", "--json", shell=shell)
    assert (done.returncode, done.stderr) == (status, message)


def test_a_name_that_is_not_utf_8_is_printed(tmp_path, digits):
    name = os.fsencode(tmp_path) + b"/caf\xe9.tflite"
    shutil.copy(digits[0], name)
    done = weft("check", name, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"CONV_2D" in done.stdout
