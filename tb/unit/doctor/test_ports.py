"""Boards, cables and serial ports that the doctor examines."""

import os
import sys
import types

import pytest

from support.bare_machine import by_name, doctor_command, make_bare
from weft_host import doctor
from weft_host.doctor import ports
from weft_host.errors import LinkError


@pytest.fixture
def bare(monkeypatch, tmp_path):
    make_bare(monkeypatch, tmp_path)
    return tmp_path


def plug(monkeypatch, *plugged):
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [
        types.SimpleNamespace(device=device, vid=vid, pid=pid, description="serial")
        for device, vid, pid in plugged])


def usb(root, node, vid, pid, *, tty=None, device=7, has_file=True):
    """Add a USB device as Linux lists it; return its device file.

    ``tty`` is the folder of its serial port, below that of its interface.
    """
    folder = root / "sys/bus/usb/devices" / node
    (folder / f"{node}:1.0" / (tty or "")).mkdir(parents=True)
    for name, text in (("idVendor", f"{vid:04x}"), ("idProduct", f"{pid:04x}"), ("busnum", "1"),
                       ("devnum", str(device))):
        (folder / name).write_text(text + "\n")
    file = root / "dev/bus/usb/001" / f"{device:03}"
    file.parent.mkdir(parents=True, exist_ok=True)
    if has_file:
        file.touch()
    return str(file)


def deny_access(monkeypatch, group):
    """Deny the use of all device files, which belong to ``group``."""
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setattr(ports, "_group", lambda path: group)


def test_boards_are_identified_by_their_adapter(bare, monkeypatch):
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
def test_a_port_without_permission_is_a_problem(bare, monkeypatch, group, words):
    plug(monkeypatch, ("/dev/ttyUSB7", 0x0403, 0x6010))
    deny_access(monkeypatch, group)
    finding = by_name(bare)["/dev/ttyUSB7"]
    assert finding.state == "problem" and words in finding.advice


def test_a_board_without_a_serial_port_is_found(bare, capsys):
    file = usb(bare, "1-2", 0x1209, 0x5AF0)
    found = by_name(bare)
    assert found[file] == doctor.Finding(
        "port", file, "ok", "OrangeCrab in DFU mode, waiting for a bitstream [1209:5af0]")
    assert "USB serial ports" not in found
    assert "no board" not in doctor_command(capsys)[1]


def test_a_board_is_found_without_pyserial(bare, monkeypatch):
    monkeypatch.setitem(sys.modules, "serial.tools", None)
    assert usb(bare, "1-2", 0x1209, 0x5AF0) in by_name(bare)


@pytest.mark.parametrize("vid, pid, tty, state", [
    (0x1209, 0x5AF0, None, "problem"), (0x0403, 0x6010, "ttyUSB0", "missing")])
def test_a_device_without_permission_gives_the_udev_rule(bare, monkeypatch, vid, pid, tty, state):
    file = usb(bare, "1-2", vid, pid, tty=tty)
    deny_access(monkeypatch, "root")
    finding = by_name(bare)[file]
    assert finding.state == state
    assert finding.advice == (
        "only root may load bitstreams: put the line "
        f'SUBSYSTEM=="usb", ATTR{{idVendor}}=="{vid:04x}", ATTR{{idProduct}}=="{pid:04x}", '
        'MODE="0660", GROUP="plugdev", TAG+="uaccess" into /etc/udev/rules.d/60-weft.rules, then '
        "sudo udevadm control --reload && sudo udevadm trigger")
    deny_access(monkeypatch, "plugdev")                      # with the rule installed
    assert "sudo usermod -aG plugdev $USER" in by_name(bare)[file].advice


def test_each_device_has_its_own_permission(bare, monkeypatch):
    first = usb(bare, "1-1", 0x0403, 0x6014, tty="ttyUSB0", device=4)
    second = usb(bare, "1-2.3", 0x0403, 0x6014, tty="ttyUSB1", device=12)
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != second)
    monkeypatch.setattr(ports, "_group", lambda path: "root")
    found = by_name(bare)
    assert first.endswith("001/004") and found[first].state == "ok"
    assert second.endswith("001/012") and found[second].state == "missing"


def test_a_cable_that_cannot_load_bitstreams_needs_no_rule(bare, monkeypatch):
    file = usb(bare, "1-2", 0x1A86, 0x7523, tty="ttyUSB0")
    deny_access(monkeypatch, "root")
    assert by_name(bare)[file].state == "ok"


def test_a_missing_device_file_is_a_problem(bare):
    file = usb(bare, "1-2", 0x1209, 0x5AF0, has_file=False)
    finding = by_name(bare)[file]
    assert finding.state == "problem" and (
        "the device file is missing: make /dev/bus/usb available" in finding.advice)


@pytest.mark.parametrize("tty", [None, "ttyUSB0", "tty/ttyACM0"])
def test_a_missing_serial_port_is_reported(bare, tty):
    file = usb(bare, "1-2", 0x0403, 0x6015, tty=tty)
    finding = by_name(bare)[file]
    assert "ULX3S" in finding.detail
    assert finding.state == ("ok" if tty else "missing")
    assert finding.detail.endswith(", without a serial port") == (tty is None)
    assert ("sudo modprobe ftdi_sio" in finding.advice) == (tty is None)


def test_unknown_and_invalid_entries_are_ignored(bare):
    usb(bare, "usb1", 0x1D6B, 0x0002)                   # a hub
    for node, name, content in (("1-1", "idVendor", b"?\n"), ("1-2", "idVendor", b"\xff"),
                                ("1-3", "devnum", b"")):
        usb(bare, node, 0x1209, 0x5AF0)
        (bare / "sys/bus/usb/devices" / node / name).write_bytes(content)
    (bare / "sys/bus/usb/devices/1-0:1.0").mkdir()      # an interface
    assert by_name(bare)["USB serial ports"].detail == "no board or cable is connected"


def test_missing_pyserial_is_reported(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "serial", None)
    from weft_host.device.serial import SerialDevice
    with pytest.raises(LinkError, match=(
            r"^serial ports need pyserial, which is not installed: pip install 'weft\[serial\]'$")):
        SerialDevice("/dev/ttyUSB0")
    monkeypatch.setitem(sys.modules, "serial.tools", None)
    assert not list(ports.examine_ports(tmp_path))
