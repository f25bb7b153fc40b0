"""``weft doctor``, and errors of other verbs that the doctor explains."""

import json

import pytest

from support.bare_machine import doctor_command, make_bare, program
from weft_host import doctor
from weft_host.cli import main


@pytest.fixture
def bare(monkeypatch, tmp_path):
    make_bare(monkeypatch, tmp_path)
    return tmp_path


def test_the_command_prints_all_findings(bare, capsys):
    status, out = doctor_command(capsys, "--json")
    facts = json.loads(out)
    assert status == 1 and facts["problems"] == 2
    assert {entry["kind"] for entry in facts["findings"]} == {"package", "tool", "port"}
    status, text = doctor_command(capsys)
    assert status == 1
    for entry in facts["findings"]:
        assert entry["name"] in text and entry["advice"] in text


def test_the_status_is_0_without_problems(bare, monkeypatch, capsys):
    program(bare, "g++", "g++ 12.2.0")
    monkeypatch.setattr(doctor, "_package_version", lambda name: "1.0")
    assert doctor_command(capsys)[0] == 0


@pytest.mark.parametrize("where, words", [
    ("usb0", "'usb0' is not emulator, rtl or a serial port such as /dev/ttyUSB0 or COM3"),
    ("/dev/ttyUSB0@fast", "'fast' is not a baud rate"),
    ("/dev/ttyUSB0@0", "'0' is not a baud rate")])
def test_an_invalid_device_is_rejected(capsys, where, words):
    with pytest.raises(SystemExit) as stop:
        main(["selftest", "--on", where])
    assert stop.value.code == 2
    # click breaks the lines
    assert words in " ".join(capsys.readouterr().err.split())


def test_a_missing_port_is_reported(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["selftest", "--on", "/dev/ttyWeft"])
    assert stop.value.code == 1
    assert "cannot open /dev/ttyWeft: No such file or directory" in capsys.readouterr().err
