"""Examination of boards, cables and serial ports, and of the permission to use them."""

import os
import pathlib
from collections.abc import Iterator
from typing import Any

from .finding import MISSING, OK, PROBLEM, Finding

__all__ = ["USB", "examine_ports"]

USB: dict[tuple[int, int], str] = {
    (0x0403, 0x6010): "FTDI FT2232H: iCEBreaker, ECPIX-5, Tang Primer, or a cable",
    (0x0403, 0x6014): "FTDI FT232H: a cable",
    (0x0403, 0x6015): "FTDI FT231X: ULX3S",
    (0x0403, 0x6001): "FTDI FT232R: a cable",
    (0x1A86, 0x7523): "CH340: a cable",
    (0x10C4, 0xEA60): "CP2102: a cable",
    (0x1209, 0x5AF0): "OrangeCrab in DFU mode, waiting for a bitstream",
    # the first releases of the boot loader have Fomu's number
    (0x1209, 0x5BF0): "Fomu, or an OrangeCrab whose boot loader is too old for make flash",
}
"""Boards and serial adapters by USB vendor and product."""

_DRIVERS = {0x0403: "ftdi_sio", 0x1A86: "ch341", 0x10C4: "cp210x"}     # of serial ports, by vendor
_ONLY_SERIAL = {(0x0403, 0x6001), (0x1A86, 0x7523), (0x10C4, 0xEA60)}  # cannot load bitstreams


def _group(path: str | os.PathLike[str]) -> str | None:
    import grp
    try:
        return grp.getgrgid(os.stat(path).st_gid).gr_name
    except (KeyError, OSError):
        return None


def _udev(line: str) -> str:
    return (f"put the line {line} into /etc/udev/rules.d/60-weft.rules, then sudo udevadm control "
            "--reload && sudo udevadm trigger")


def _permission(path: str | os.PathLike[str], otherwise: str) -> str | None:
    """Return advice if the device file cannot be used, or ``None``.

    ``otherwise`` is the advice if no group of users may use it.
    """
    if os.name != "posix" or os.access(path, os.R_OK | os.W_OK):
        return None
    group = _group(path)
    if group and group != "root":
        return (f"it belongs to the group {group}: sudo usermod -aG {group} $USER, then log "
                "out and in again")
    return otherwise


def _serial_permission(port: str) -> str | None:
    return _permission(port, "no group may use the port: " + _udev(
        'SUBSYSTEM=="tty", KERNEL=="ttyUSB*|ttyACM*", GROUP="dialout", MODE="0660"'))


def _usb_permission(file: pathlib.Path, vid: int, pid: int) -> str | None:
    """Return advice if bitstreams cannot be loaded through a device, or ``None``."""
    if not os.path.exists(file):
        return ("the device file is missing: make /dev/bus/usb available in the container, or "
                "reconnect the device")
    # the rule is for the device itself; its serial port keeps its own group
    return _permission(file, "only root may load bitstreams: " + _udev(
        f'SUBSYSTEM=="usb", ATTR{{idVendor}}=="{vid:04x}", ATTR{{idProduct}}=="{pid:04x}", '
        'MODE="0660", GROUP="plugdev", TAG+="uaccess"'))


def _usb_devices(root: pathlib.Path) -> Iterator[Finding]:
    """Examine the known boards and cables that the kernel lists, with or without a serial port."""
    for node in sorted((root / "sys" / "bus" / "usb" / "devices").glob("*")):
        try:
            vid, pid = (int((node / name).read_text(), 16) for name in ("idVendor", "idProduct"))
            bus, number = (int((node / name).read_text()) for name in ("busnum", "devnum"))
        except (OSError, ValueError):
            continue            # an interface, or a device that has just been disconnected
        if (vid, pid) in USB:
            yield _usb_device(node, vid, pid,
                              root / "dev" / "bus" / "usb" / f"{bus:03}" / f"{number:03}")


def _usb_device(node: pathlib.Path, vid: int, pid: int, file: pathlib.Path) -> Finding:
    detail = f"{USB[vid, pid]} [{vid:04x}:{pid:04x}]"
    advice: list[str] = []
    driver = _DRIVERS.get(vid)
    if driver and not any(node.glob("*:*/tty*")):
        detail += ", without a serial port"
        advice.append("reconnect it, because programs that load bitstreams may detach the port; if "
                      f"that does not help: sudo modprobe {driver}")
    if (vid, pid) not in _ONLY_SERIAL:
        denied = _usb_permission(file, vid, pid)
        if denied:
            advice.append(denied)
    # without a driver, the device serves only to load bitstreams, which is then not possible
    state = OK if not advice else MISSING if driver else PROBLEM
    return Finding("port", str(file), state, detail, "; ".join(advice))


def _serial_ports() -> list[Any] | None:
    """List the serial ports on USB, or return ``None`` without pyserial."""
    try:
        from serial.tools import list_ports
    except ImportError:
        return None
    # any PC has serial ports that are not on USB
    return sorted((port for port in list_ports.comports() if port.vid is not None),
                  key=lambda port: port.device)


def examine_ports(root: pathlib.Path) -> Iterator[Finding]:
    """Yield the findings about boards, cables and serial ports."""
    devices, ports = list(_usb_devices(root)), _serial_ports()
    yield from devices
    for port in ports or ():
        name = USB.get((port.vid, port.pid), port.description or "unknown")
        advice = _serial_permission(port.device) or ""
        yield Finding("port", port.device, PROBLEM if advice else OK,
                      f"{name} [{port.vid:04x}:{port.pid:04x}]", advice)
    if not devices and ports == []:
        yield Finding("port", "USB serial ports", MISSING, "no board or cable is connected",
                      "connect the board; some USB cables have no data lines: try another one")
