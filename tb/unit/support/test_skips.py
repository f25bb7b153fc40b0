"""Summary of a run: skipped tests by reason, and the seed of random tests after failures."""

import pathlib
import shutil
import subprocess
import sys

import pytest

CONFTEST = pathlib.Path(__file__).resolve().parents[2] / "conftest.py"


@pytest.mark.parametrize("processes", [[], ["-n", "2"]], ids=["one process", "two"])
@pytest.mark.parametrize("reason, status, output", [
    ("set WEFT_LITEX=1", 0, "2 skipped for lack of the time for LiteX's simulator"),
    ("not today", 1, "2 skipped for a reason that tb/conftest.py does not allow: "),
])
def test_rejects_skips_for_an_unknown_reason(tmp_path, processes, reason, status, output):
    shutil.copy(CONFTEST, tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_some.py").write_text(
        "import pytest\n\ndef test_runs():\n    pass\n\n@pytest.mark.parametrize('n', [1, 2])\n"
        f"def test_skips(n):\n    pytest.skip({reason!r})\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *processes, "-p", "no:cacheprovider", "."],
        cwd=tmp_path, capture_output=True, text=True, check=False)
    assert output in done.stdout, done.stdout + done.stderr
    assert done.returncode == status


@pytest.mark.parametrize("seed, shown", [(None, "0"), ("", "0"), ("12345", "12345")])
@pytest.mark.parametrize("holds", [True, False])
def test_a_failure_prints_the_seed(tmp_path, monkeypatch, seed, shown, holds):
    monkeypatch.delenv("WEFT_SEED", raising=False)
    if seed is not None:
        monkeypatch.setenv("WEFT_SEED", seed)
    shutil.copy(CONFTEST, tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_some.py").write_text(f"def test_some():\n    assert {holds}\n")
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."],
                          cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (f"random tests ran with WEFT_SEED={shown}\n" in done.stdout) == (not holds)
