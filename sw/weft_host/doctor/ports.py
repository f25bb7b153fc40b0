"""Boards, cables and serial ports: are they there, and may they be used?"""

import os

from .finding import MISSING, OK, PROBLEM, Finding

__all__ = ["USB", "examine_ports"]

USB = {
    (0x0403, 0x6010): "FTDI FT2232H: iCEBreaker, ECPIX-5, Tang Primer, or a cable",
    (0x0403, 0x6014): "FTDI FT232H: a cable",
    (0x0403, 0x6015): "FTDI FT231X: ULX3S",
    (0x0403, 0x6001): "FTDI FT232R: a cable",
    (0x1A86, 0x7523): "CH340: a cable",
    (0x10C4, 0xEA60): "CP2102: a cable",
    (0x1209, 0x5AF0): "OrangeCrab in DFU mode, waiting for a bitstream",
    # the boot loader's first releases used Fomu's number
    (0x1209, 0x5BF0): "Fomu, or an OrangeCrab whose boot loader is too old for make flash",
}
"""Boards and serial adapters by USB vendor and product, and where they are found."""

_DRIVERS = {0x0403: "ftdi_sio", 0x1A86: "ch341", 0x10C4: "cp210x"}     # of serial ports, by vendor
_ONLY_SERIAL = {(0x0403, 0x6001), (0x1A86, 0x7523), (0x10C4, 0xEA60)}  # load no bitstreams


def _group(path):
    import grp
    try:
        return grp.getgrgid(os.stat(path).st_gid).gr_name
    except (KeyError, OSError):
        return None


def _udev(line):
    return (f"put the line {line} into /etc/udev/rules.d/60-weft.rules, then sudo udevadm control "
            "--reload && sudo udevadm trigger")


def _permission(path, otherwise):
    """``None`` if the device file may be used, else what to do about it."""
    if os.name != "posix" or os.access(path, os.R_OK | os.W_OK):
        return None
    group = _group(path)
    if group and group != "root":
        return (f"it belongs to the group {group}: sudo usermod -aG {group} $USER, then log "
                "out and in again")
    return otherwise


def _serial_permission(port):
    return _permission(port, "no group may use the port: " + _udev(
        'SUBSYSTEM=="tty", KERNEL=="ttyUSB*|ttyACM*", GROUP="dialout", MODE="0660"'))


def _usb_permission(place, vid, pid):
    if not os.path.exists(place):
        return "the device file is not there: hand /dev/bus/usb to the container, or plug in again"
    # of the device itself: its serial port keeps its own group
    return _permission(place, "only root may load bitstreams: " + _udev(
        f'SUBSYSTEM=="usb", ATTR{{idVendor}}=="{vid:04x}", ATTR{{idProduct}}=="{pid:04x}", '
        'MODE="0660", GROUP="plugdev", TAG+="uaccess"'))


def _usb_devices(root):
    """Known boards and cables, with serial ports or without, as the kernel lists them."""
    for node in sorted((root / "sys" / "bus" / "usb" / "devices").glob("*")):
        try:
            vid, pid = (int((node / name).read_text(), 16) for name in ("idVendor", "idProduct"))
            bus, number = (int((node / name).read_text()) for name in ("busnum", "devnum"))
        except (OSError, ValueError):
            continue            # an interface, or it has just been unplugged
        if (vid, pid) not in USB:
            continue
        place = root / "dev" / "bus" / "usb" / f"{bus:03}" / f"{number:03}"
        detail, advice = f"{USB[vid, pid]} [{vid:04x}:{pid:04x}]", []
        driver = _DRIVERS.get(vid)
        if driver and not any(node.glob("*:*/tty*")):
            detail += ", without a serial port"
            advice.append("unplug it and plug it in again, since what loads bitstreams may take "
                          f"the port away; if that does not help: sudo modprobe {driver}")
        denied = (vid, pid) not in _ONLY_SERIAL and _usb_permission(place, vid, pid)
        if denied:
            advice.append(denied)
        # without a driver it is there to load bitstreams and for nothing else
        state = OK if not advice else MISSING if driver else PROBLEM
        yield Finding("port", str(place), state, detail, "; ".join(advice))


def _serial_ports():
    """``None`` if there is no pyserial to list them."""
    try:
        from serial.tools import list_ports
    except ImportError:
        return None
    # the others are not on USB: serial ports that any PC has
    return sorted((port for port in list_ports.comports() if port.vid is not None),
                  key=lambda port: port.device)


def examine_ports(root):
    """The findings on boards, cables and serial ports."""
    devices, ports = list(_usb_devices(root)), _serial_ports()
    yield from devices
    for port in ports or ():
        name = USB.get((port.vid, port.pid), port.description or "unknown")
        advice = _serial_permission(port.device) or ""
        yield Finding("port", port.device, PROBLEM if advice else OK,
                      f"{name} [{port.vid:04x}:{port.pid:04x}]", advice)
    if not devices and ports == []:
        yield Finding("port", "USB serial ports", MISSING, "no board or cable is plugged in",
                      "plug the board in; some USB cables only charge: try another one")
