"""Tests that skip are counted; those that skip for a new reason fail."""

import pathlib
import shutil
import subprocess
import sys

import pytest

CONFTEST = pathlib.Path(__file__).resolve().parents[2] / "conftest.py"


@pytest.mark.parametrize("processes", [[], ["-n", "2"]], ids=["one process", "two"])
@pytest.mark.parametrize("reason, status, said", [
    ("set WEFT_LITEX=1", 0, "2 skipped for lack of the time for LiteX's simulator"),
    ("not today", 1, "2 skipped, which is a failure, since tb/conftest.py has no such reason: "),
])
def test_a_skip_has_to_have_a_known_reason(tmp_path, processes, reason, status, said):
    shutil.copy(CONFTEST, tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_some.py").write_text(
        "import pytest\n\ndef test_runs():\n    pass\n\n@pytest.mark.parametrize('n', [1, 2])\n"
        f"def test_skips(n):\n    pytest.skip({reason!r})\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *processes, "-p", "no:cacheprovider", "."],
        cwd=tmp_path, capture_output=True, text=True, check=False)
    assert said in done.stdout, done.stdout + done.stderr
    assert done.returncode == status
