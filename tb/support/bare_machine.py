"""A machine without programs, packages and ports, for tests of the doctor."""

import pytest

from weft_host import doctor
from weft_host.cli import main
from weft_host.doctor import tools

__all__ = ["by_name", "doctor_command", "make_bare", "program", "script"]


def make_bare(monkeypatch, folder):
    """Make ``folder`` the root of a machine that contains all programs.

    Programs in its subfolder ``venv`` are those that are installed with Python.
    """
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(tools, "_own_programs", lambda: str(folder / "venv"))
    monkeypatch.setattr(doctor, "_package_version", lambda name: None)
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [])
    monkeypatch.setattr("weft_host.cli.doctor.examine", lambda: doctor.examine(folder))
    (folder / "venv").mkdir()


def script(folder, name, text):
    """Add a program that runs a shell script."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def program(folder, name, text):
    """Add a program that prints a text."""
    script(folder, name, f"echo '{text}'")


def by_name(root):
    """Return the findings of the machine by name."""
    return {finding.name: finding for finding in doctor.examine(root)}


def doctor_command(capsys, *arguments):
    """Return exit status and standard output of ``weft doctor``."""
    with pytest.raises(SystemExit) as stop:
        main(["doctor", *arguments])
    return stop.value.code, capsys.readouterr().out
