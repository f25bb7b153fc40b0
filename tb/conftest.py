"""A test that skips is counted by its reason; one that skips for a reason not known here fails."""

import collections
import re

import pytest

# what a machine may lack, and what its reasons for skipping say
MAY_LACK = {
    "real networks": r"third-party networks|WEFT_MODELS",
    "the time for LiteX's simulator": r"set WEFT_LITEX=1",
    "the tools of make litex": r"make litex installs",
    "scikit-learn": r"of the extra `train`",
    "a C library whose tanhf is known": r"another tanhf than glibc",
}


def _lacking(report):
    """What a skipped test did without; its reason and place if that may not be lacking."""
    path, line, reason = report.longrepr
    for what, pattern in MAY_LACK.items():
        if re.search(pattern, reason):
            return what, True
    return f"{path}:{line}: {reason}", False


def _count(reporter):
    """``{(what is lacking, may it be lacking): skipped tests}`` of all processes."""
    return collections.Counter(map(_lacking, reporter.stats.get("skipped", ())))


def pytest_sessionfinish(session, exitstatus):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")     # in one process
    if reporter and exitstatus == pytest.ExitCode.OK and not all(
            known for _, known in _count(reporter)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter):
    for (what, known), tests in sorted(_count(terminalreporter).items()):
        terminalreporter.write_line(
            f"{tests} skipped for lack of {what}" if known else
            f"{tests} skipped, which is a failure, since tb/conftest.py has no such reason: {what}",
            red=not known, yellow=known)
